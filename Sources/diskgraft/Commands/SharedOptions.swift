import ArgumentParser
import DiskGraft

/// What every command that opens an image takes.
struct ImageArguments: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("format")],
        help: "The image's format; without it, exactly one must match.")
    var format: String?

    @Flag(
        name: [.customShort("U"), .customLong("force-share")],
        help: "Read an image that a virtual machine is writing to.")
    var forceShare = false

    @Flag(help: "Open files that the image names when they are regular files beside it.")
    var allowSiblings = false

    @Flag(help: "Open files that a description of a machine names by a path, as libvirt's do.")
    var allowPaths = false

    @Flag(help: "Do not compare an appliance's files with their digests.")
    var noVerify = false

    @Option(
        help: ArgumentHelp(
            "Of the machines that a description has, the one that is called so.", valueName: "name"))
    var machine: String?

    @Option(
        help: ArgumentHelp(
            "Of the disks that a description or an appliance has, this one alone (1 is the first).",
            valueName: "number"))
    var disk: Int?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Use FILE as the image's parent or backing file; once for each member of a chain, in any order.",
            valueName: "file"))
    var parent: [String] = []

    @Option(
        help: ArgumentHelp(
            "Take a VHD's size from current_size or chs; without it, by who made it. (default: \(VHDSizeRule.byCreator.rawValue))",
            valueName: "rule"))
    var vhdSize: String?

    @Option(
        help: ArgumentHelp(
            "Keep undo records of block devices in DIRECTORY; without it, in the working directory.",
            valueName: "directory"))
    var undoDir: String?

    var options: ImageOptions {
        get throws(StorageError) {
            var options = ImageOptions(
                format: try format.parsed(ImageFormat.init(named:)), ignoresLocks: forceShare,
                allowsSiblings: allowSiblings)
            options.parents = parent
            options.vhdSize = try vhdSize.parsed(VHDSizeRule.init(named:)) ?? .byCreator
            options.undoDirectory = undoDir
            options.allowsPaths = allowPaths
            options.verifiesDigests = !noVerify
            options.machine = machine
            options.disk = disk
            if let directory = Host.environment("TMPDIR") { options.temporaryDirectory = directory }
            return options
        }
    }
}

extension String? {
    /// The value of an option's word, where it is given. Its type knows the words, and says so where this is none of them.
    func parsed<Value>(_ parse: (String) throws(StorageError) -> Value) throws(StorageError) -> Value? {
        guard let self else { return nil }
        return try parse(self)
    }
}

/// Reading past damage.
struct DamageArguments: ParsableArguments {
    @Flag(help: "Read on where a file system's checksums are wrong, with a warning.")
    var ignoreChecksums = false
}

/// Further disks of the same guest.
struct FurtherDisks: ParsableArguments {
    @Option(
        name: .customLong("with"), parsing: .singleValue,
        help: ArgumentHelp("A further disk of the same guest; may be repeated.", valueName: "image"))
    var with: [String] = []
}

/// How the source presented its disks.
struct SourceArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The hypervisor that the guest comes from; without it, it is inferred.", valueName: "hypervisor"))
    var from: String?

    @Option(
        name: .customLong("map"), parsing: .singleValue,
        help: ArgumentHelp(
            "A device name and the disk (1 is the first) that it stood for, as in /dev/hdc=2.",
            valueName: "device=disk"))
    var maps: [String] = []

    @Option(
        help: ArgumentHelp(
            "The volume of the system that is meant, where the disks hold several (p2, VG/LV).",
            valueName: "volume"))
    var root: String?

    /// For commands to whose work device names do not matter: the same words serve every command, and wrong ones are
    /// refused everywhere.
    func check(diskCount: Int) throws { try options().validate(diskCount: diskCount) }

    func options() throws -> SourceOptions {
        var map: [String: Int] = [:]
        for text in maps {
            guard let equals = text.lastIndex(of: "="), let number = Int(text[text.index(after: equals)...])
            else {
                throw ValidationError("--map takes a device and a disk's number, as in --map /dev/hdc=2")
            }
            let device = String(text[..<equals])
            if let other = map[device], other != number {
                throw ValidationError("--map gives \(device) two disks, \(other) and \(number)")
            }
            map[device] = number
        }
        return SourceOptions(
            hypervisor: try from.parsed(Hypervisor.init(named:)), map: map, root: root)
    }
}

/// Which parts of a plan are shown.
struct PlanParts: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Show the changes as a unified diff: alone, or not at all; without either, behind the rest.")
    var diff: Bool?

    func text(of plan: GuestPlan) -> [UInt8] {
        guard let diff else { return plan.text }
        return diff ? plan.unifiedDiff : plan.summary
    }
}

/// What a plan is made for.
struct PlanArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The hypervisor to boot on: \(Target.all.map(\.name).joined(separator: ", ")).",
            valueName: "target"))
    var to: String

    @Option(
        help: ArgumentHelp(
            "The controller that the boot disk will be behind; without it, the first of the target's that the guest has drivers for.",
            valueName: "controller"))
    var controller: String?

    @Option(
        help: ArgumentHelp(
            "Replace device names by uuid, label or the target's own name.", valueName: "policy"))
    var names: String?

    @Option(help: ArgumentHelp("Make only these repairs.", valueName: "repair,…"))
    var only: String?

    @Option(help: ArgumentHelp("Leave these repairs out.", valueName: "repair,…"))
    var skip: String?

    @Option(
        help: ArgumentHelp(
            "Also make repairs that are only advice: \(Repair.askedFor.map(\.rawValue).joined(separator: ", ")).",
            valueName: "repair,…")
    )
    var fix: String?

    @Option(
        help: ArgumentHelp(
            """
            Where drivers come from that the default initramfs lacks. auto (the default) takes the cheapest way that works: \
            another controller, a kernel argument, the distribution's rescue or fallback initramfs, the guest's own modules \
            beside the initramfs. never adds nothing; overlay adds the modules; fallback boots the rescue or fallback initramfs.
            """,
            valueName: "way"))
    var drivers: String?

    @Option(
        help: ArgumentHelp(
            """
            Put a loader where a machine with an empty variable store looks for it (EFI/BOOT/BOOTX64.EFI) where UEFI \
            starts the guest and none is there (auto, as without it), or never.
            """,
            valueName: "auto|never"))
    var efiFallback: String?

    @Option(
        name: .customLong("mac"), parsing: .singleValue,
        help: ArgumentHelp(
            """
            A network card, by its name or old address, and its address on the target, as in \
            ens192=52:54:00:12:34:56; may be repeated. The card keeps its name, and rows that hold the old address get \
            the new one.
            """,
            valueName: "card=address"))
    var addresses: [String] = []

    @Flag(help: "Keep the guest tools of the old hypervisor from starting; reversible.")
    var disableTools = false

    @OptionGroup var source: SourceArguments

    func options() throws -> PlanOptions {
        func repairs(_ text: String) throws(StorageError) -> Set<Repair> {
            var repairs: Set<Repair> = []
            for name in text.split(separator: ",") { repairs.insert(try Repair(named: String(name))) }
            return repairs
        }
        var options = PlanOptions(
            target: try Target(named: to), controller: try controller.parsed(Controller.init(named:)),
            source: try source.options(), names: try names.parsed(NamingPolicy.init(named:)) ?? .uuid,
            only: try only.parsed(repairs), skip: try skip.parsed(repairs) ?? [],
            fix: try fix.parsed(repairs) ?? [],
            drivers: try drivers.parsed(DriverSource.init(named:)) ?? .auto)
        options.efiFallback = try efiFallback.parsed(EFIFallback.init(named:)) ?? .auto
        if disableTools { options.fix.insert(.tools) }
        options.wording = .flags
        options.cardAddresses = try addresses.map { text in
            guard let equals = text.firstIndex(of: "=") else {
                throw ValidationError(
                    "--mac takes a card and its new address, as in --mac ens192=52:54:00:12:34:56")
            }
            return CardAddress(
                card: String(text[..<equals]), address: String(text[text.index(after: equals)...]))
        }
        return options
    }
}
