internal import Storage

// What a root file system is stacked from. Modules are asked for by the names that the kernel itself asks for:
// "fs-TYPE" (fs/filesystems.c), "dm-TARGET" (drivers/md/dm-target.c), "md-level-N" (drivers/md/md.c), "crypto-NAME"
// (crypto/api.c), and before Linux 3.9 by the bare name.

extension TargetDevice {
    /// A file system of that type, as /proc/filesystems calls it.
    package static func fileSystem(_ type: String) -> TargetDevice {
        let known = LinuxFileSystem.of(.init(rawValue: type))?.modules.map { NamedDriver($0.name, $0.option) }
        return layer(
            type, aliases: ["fs-\(type)"], known ?? [NamedDriver(type, type.uppercased() + "_FS")])
    }

    /// Logical volumes and all else that the device mapper makes; `target` is another than linear and striped:
    /// "mirror", "raid", "snapshot", "thin-pool", "cache", "crypt", "multipath".
    package static func deviceMapper(_ target: String? = nil) -> TargetDevice {
        let base = DriverStep(
            "device mapper", aliases: ["devname:mapper/control"],
            drivers: [NamedDriver("dm_mod", "BLK_DEV_DM")],
            acceptance: .named)
        guard let target, target != "linear", target != "striped" else {
            return TargetDevice("dm", .rootLayer, routes: [[base]])
        }
        let name = ModuleName.canonical("dm-\(target)")
        let choices = [
            "thin-pool": "DM_THIN_PROVISIONING", "mirror": "DM_MIRROR", "raid": "DM_RAID",
            "snapshot": "DM_SNAPSHOT",
        ]
        let configuration = choices[target] ?? ModuleName.canonical(name.uppercased())
        return TargetDevice(
            "dm-\(target)", .rootLayer,
            routes: [
                [base, DriverStep("device mapper's \(target)", drivers: [NamedDriver(name, configuration)])]
            ])
    }

    /// An MD array of that level: 0, 1, 4, 5, 6, 10; -1 for linear.
    package static func array(level: Int) -> TargetDevice {
        let drivers: [NamedDriver]
        switch level {
        case -1: drivers = [NamedDriver("md_linear", "MD_LINEAR"), NamedDriver("linear", "MD_LINEAR")]
        case 4, 5, 6:
            // One module since Linux 2.6.16, or one for each.
            drivers = [
                NamedDriver("raid456", "MD_RAID456"),
                NamedDriver(level == 6 ? "raid6" : "raid5", level == 6 ? "MD_RAID6" : "MD_RAID5"),
            ]
        default: drivers = [NamedDriver("raid\(level)", "MD_RAID\(level)")]
        }
        return TargetDevice(
            "raid\(level)", .rootLayer,
            routes: [
                [
                    DriverStep(
                        "MD", drivers: [NamedDriver("md_mod", "BLK_DEV_MD"), NamedDriver("md", "BLK_DEV_MD")]),
                    DriverStep("MD level \(level)", aliases: ["md-level-\(level)"], drivers: drivers),
                ]
            ])
    }

    /// A LUKS volume, its cipher as cryptsetup writes it: "aes-xts-plain64", "aes-cbc-essiv:sha256".
    package static func luks(cipher: String) -> TargetDevice {
        var steps = deviceMapper("crypt").routes.flatMap(\.self)
        // Cipher, mode, and the hash of the initial vectors. "plain64" and its like are in dm_crypt itself.
        let parts = cipher.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        var names = Array(parts.prefix(2))
        if let vector = parts.dropFirst(2).first, let colon = vector.firstIndex(of: ":") {
            names += ["essiv", String(vector[vector.index(after: colon)...])]
        }
        for name in names where !name.isEmpty {
            let module = ModuleName.canonical(name)
            steps.append(
                DriverStep(
                    "cipher \(name)", aliases: ["crypto-\(name)", name],
                    drivers: [
                        NamedDriver(module, "CRYPTO_\(module.uppercased())"),
                        NamedDriver("\(module)_generic", "CRYPTO_\(module.uppercased())"),
                    ], isOptional: true))
        }
        return TargetDevice("luks", .rootLayer, routes: [steps])
    }

    private static func layer(_ name: String, aliases: [String], _ drivers: [NamedDriver]) -> TargetDevice {
        TargetDevice(name, .rootLayer, routes: [[DriverStep(name, aliases: aliases, drivers: drivers)]])
    }
}
