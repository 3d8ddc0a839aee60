import Patcher
import Storage
import TestSupport
import Testing

/// A Debian with a kernel's modules and an initramfs made by cpio.
struct DriverGuest {
    static let release = "6.1.0-9-amd64"
    static let rootUUID = "11111111-1111-4111-8111-111111111111"

    var guest = TestGuest()
    let root: MemoryFileSystem
    /// The kernel's release where it matters.
    private let release: String
    private let directory: TemporaryDirectory

    /// A module: its name, what it depends on, its aliases.
    struct Module {
        var name: String
        var dependencies: [String] = []
        var aliases: [String] = []
    }

    /// Drivers of every controller that the tests speak of, as Debian's kernel has them.
    static let modules: [Module] = [
        Module(name: "ext4", aliases: ["fs-ext4", "ext4"]), Module(name: "scsi_mod"),
        Module(name: "sd_mod", dependencies: ["scsi_mod"], aliases: ["scsi:t-0x00*"]),
        Module(name: "libata", dependencies: ["scsi_mod"]),
        Module(
            name: "ata_piix", dependencies: ["libata", "scsi_mod"],
            aliases: [
                "pci:v00008086d00007010sv*sd*bc*sc*i*", "pci:v00008086d00007111sv*sd*bc*sc*i*",
            ]),
        Module(
            name: "ahci", dependencies: ["libata", "scsi_mod"],
            aliases: ["pci:v*d*sv*sd*bc01sc06i01*", "pci:v00008086d00002922sv*sd*bc*sc*i*"]),
        Module(name: "virtio"), Module(name: "virtio_ring", dependencies: ["virtio"]),
        Module(
            name: "virtio_pci", dependencies: ["virtio_ring", "virtio"],
            aliases: ["pci:v00001AF4d*sv*sd*bc*sc*i*"]),
        Module(
            name: "virtio_blk", dependencies: ["virtio_ring", "virtio"], aliases: ["virtio:d00000002v*"]),
        Module(
            name: "virtio_net", dependencies: ["virtio_ring", "virtio"], aliases: ["virtio:d00000001v*"]),
        Module(name: "hv_vmbus", aliases: ["acpi*:VMBUS:*"]),
        Module(
            name: "hv_storvsc", dependencies: ["hv_vmbus", "scsi_mod"],
            aliases: [
                "vmbus:32264132cb86a2449b5c50d1417354f5", "vmbus:d96361baa104294db60572e2ffb1dc7f",
            ]),
        Module(name: "xen_blkfront", aliases: ["xen:vbd"]),
    ]

    /// A guest whose initramfs holds `held` and whose menu has one entry. `modules`: those that the kernel has.
    init(
        holding held: [String]?, modules: [Module] = Self.modules,
        menu: String? = nil, pack: String? = nil, release: String = Self.release
    ) throws {
        self.release = release
        directory = try TemporaryDirectory()
        root = guest.partition(1, .ext4, uuid: Self.rootUUID)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", "UUID=\(Self.rootUUID) / ext4 defaults 0 1\n")
        write(modules)
        root.write("/boot/vmlinuz-\(release)", "kernel")
        if let held { root.write("/boot/initrd.img-\(release)", try image(held, pack: pack)) }
        root.write(
            "/boot/grub/grub.cfg",
            menu ?? Self.entry("Debian", initrd: "/boot/initrd.img-\(release)", release: release))
    }

    static func entry(
        _ title: String, initrd: String?, arguments: String = "ro", release: String = release
    ) -> String {
        "menuentry '\(title)' {\n\tlinux /boot/vmlinuz-\(release) root=UUID=\(rootUUID) \(arguments)\n"
            + (initrd.map { "\tinitrd \($0)\n" } ?? "") + "}\n"
    }

    private func path(_ module: Module) -> String { "kernel/drivers/\(module.name).ko" }

    /// A kernel's directory of modules, with the indexes as text.
    func write(_ modules: [Module], release other: String? = nil) {
        let release = other ?? release
        let base = "/lib/modules/\(release)"
        var dependencies = ""
        var aliases = ""
        for module in modules {
            root.write("\(base)/\(path(module))", Self.object(module, release: release))
            let needed = module.dependencies.map { "kernel/drivers/\($0).ko" }.joined(separator: " ")
            dependencies += "\(path(module)): \(needed)\n"
            for alias in module.aliases { aliases += "alias \(alias) \(module.name)\n" }
        }
        root.write("\(base)/modules.dep", dependencies)
        root.write("\(base)/modules.alias", aliases)
        root.write("\(base)/modules.builtin", "kernel/block/blocks.ko\n")
        root.write("\(base)/modules.order", "")
    }

    /// An image of initramfs-tools with these modules and further files, packed by a program.
    func image(
        _ modules: [String], files: [String: String] = [:], pack: String? = nil, release: String? = nil,
        then change: String? = nil
    ) throws -> [UInt8] {
        let release = release ?? self.release
        var commands =
            "mkdir -p conf/conf.d scripts/init-top scripts/init-premount usr/lib/modules/\(release)/kernel/drivers\n"
        commands +=
            "ln -s usr/lib lib; printf 'MODULES=list\\n' >conf/initramfs.conf; : >scripts/functions; : >init\n"
        for module in modules {
            commands += ": >usr/lib/modules/\(release)/kernel/drivers/\(module).ko\n"
        }
        for (path, text) in files {
            commands += "mkdir -p \"$(dirname \(path))\"; printf '%s' '\(text)' >\(path)\n"
        }
        guard let change else { return try archive(commands, pack: pack, release: release) }
        // What is done to a whole one.
        _ = try archive(commands, release: release)
        return try archive(
            "cp -a ../whole/. .\n\(change)", pack: pack, isComplete: true)
    }

    /// What shell commands leave in an empty directory, as an archive.
    /// Empty files of modules become modules, and their directories get indexes, unless `isComplete`.
    func archive(
        _ commands: String, pack: String? = nil, release other: String? = nil, isComplete: Bool = false
    ) throws -> [UInt8] {
        let objectRelease = other ?? release
        try directory.write("any.ko", Self.object(Module(name: "any"), release: objectRelease))
        let filling = """
            find . -name '*.ko' -size 0 | while read -r file; do cp ../any.ko "$file"; done
            for place in usr/lib/modules/*/ lib/modules/*/; do
                if [ -d "$place" ]; then
                    for index in dep alias; do [ -e "$place/modules.$index" ] || echo x >"$place/modules.$index"; done
                fi
            done
            """
        let script =
            "rm -rf whole && { [ ! -d tree ] || mv tree whole; } && mkdir tree && cd tree\n\(commands)\n\(isComplete ? "" : filling)\n"
            + "find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc --quiet \(pack.map { "| \($0)" } ?? "")"
        return try Tool.run("sh", ["-ec", script], directory: directory.root).output
    }

    /// A relocatable object for x86-64 with what depmod reads of it.
    static func object(_ module: Module, release: String = release, machine: UInt8 = 62) -> [UInt8] {
        var info = ""
        for alias in module.aliases { info += "alias=\(alias)\0" }
        info += "depends=\(module.dependencies.joined(separator: ","))\0name=\(module.name)\0"
        info += "vermagic=\(release) SMP preempt mod_unload modversions \0"
        let names = Array("\0.modinfo\0.shstrtab\0".utf8)
        let contents = Array(info.utf8)
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        let namesAt = 64 + contents.count
        let table = (namesAt + names.count + 7) / 8 * 8
        func section(_ name: Int, _ type: Int, _ offset: Int, _ size: Int) -> [UInt8] {
            little(name, 4) + little(type, 4) + little(0, 16) + little(offset, 8) + little(size, 8)
                + little(0, 8) + little(1, 8) + little(0, 8)
        }
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + little(0, 9)
        bytes += little(1, 2) + [machine, 0] + little(1, 4) + little(0, 16) + little(table, 8) + little(0, 4)
        bytes += little(64, 2) + little(0, 4) + little(64, 2) + little(3, 2) + little(2, 2)
        bytes += contents + names
        bytes += little(0, table - bytes.count)
        bytes += little(0, 64) + section(1, 1, 64, contents.count) + section(10, 3, namesAt, names.count)
        return bytes
    }

    func plan(
        _ target: String, controller: Controller? = nil, drivers: DriverSource = .auto
    ) throws -> Plan {
        var request = PlanRequest(target: try #require(Target.named(target)), controller: controller)
        request.drivers = drivers
        return try Planner.plan(try #require(try guest.survey().guests.first), request)
    }
}
