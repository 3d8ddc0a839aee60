internal import ImageFormats
public import Patcher
public import Storage

/// What a plan is made for.
public struct PlanOptions: Sendable {
    /// The target.
    public var target: Target
    /// The controller that the boot disk will be behind; nil for the first of the target's that the guest drives.
    public var controller: Controller?
    /// How the source presented its disks.
    public var source: SourceOptions
    /// How names are replaced.
    public var names: NamingPolicy
    /// Repairs to make, all others left out; nil for all that need no asking.
    public var only: Set<Repair>?
    /// Repairs to leave out.
    public var skip: Set<Repair>
    /// Repairs that are only advice unless named here.
    public var fix: Set<Repair>
    /// Where drivers come from that the default initramfs has not.
    public var drivers: DriverSource
    /// Whether a loader is put where a machine without boot entries looks for it.
    public var efiFallback = EFIFallback.auto
    /// The addresses of network cards on the target. Any of them asks for the repair "net".
    public var cardAddresses: [CardAddress] = []
    /// How the plan's sentences name remedies.
    public var wording = RemedyWording.plain

    /// Makes options for a target.
    public init(
        target: Target, controller: Controller? = nil, source: SourceOptions = SourceOptions(),
        names: NamingPolicy = .uuid, only: Set<Repair>? = nil, skip: Set<Repair> = [],
        fix: Set<Repair> = [], drivers: DriverSource = .auto
    ) {
        self.target = target
        self.controller = controller
        self.source = source
        self.names = names
        self.only = only
        self.skip = skip
        self.fix = fix
        self.drivers = drivers
    }

    func request() throws(StorageError) -> PlanRequest {
        try target.requireFormat()
        try validateRepairs()
        var request = PlanRequest(
            target: target, controller: controller, names: names, only: only, skip: skip, fix: fix)
        request.drivers = drivers
        request.addsFallbackLoader = efiFallback == .auto
        request.addresses = try CardAddress.statements(cardAddresses)
        if !cardAddresses.isEmpty { request.fix.insert(.net) }
        return request
    }
}

extension PlanOptions {
    /// What is asked for cannot be left out at the same time.
    private func validateRepairs() throws(StorageError) {
        let isLeftOut = skip.contains(.net) || only.map { !$0.contains(.net) } ?? false
        guard cardAddresses.isEmpty || !isLeftOut else {
            throw .misuseOfPlan(
                .contradictingRepairs,
                "addresses of network cards are given, and the repair \(Repair.net.rawValue), which writes them, is left out"
            )
        }
        if let both = fix.intersection(skip).map(\.rawValue).sorted().first {
            throw .misuseOfPlan(
                .contradictingRepairs, "the repair \(both) is asked for and left out at the same time")
        }
    }
}

/// How the source presented its disks to the guest.
public struct SourceOptions: Sendable {
    /// The hypervisor; nil: inferred from the guest and shown as inferred.
    public var hypervisor: Hypervisor?
    /// Device names tied to disks by the user, "/dev/hdc" → 2 for the second disk given.
    public var map: [String: Int]
    /// What stated the hypervisor, for people: the name of a description; nil: the user.
    var statedBy: String?
    /// The volume ("p2", "VG/LV") of the one system that is meant; nil for all that are found.
    public var root: String?

    /// Makes options.
    public init(hypervisor: Hypervisor? = nil, map: [String: Int] = [:], root: String? = nil) {
        self.hypervisor = hypervisor
        self.map = map
        self.root = root
    }

    /// Throws `misuse` for disks that were not given, names that are none of a disk, and statements that exclude each other.
    public func validate(diskCount: Int) throws(StorageError) { _ = try presentation(diskCount: diskCount) }

    func presentation(diskCount: Int) throws(StorageError) -> SourcePresentation {
        var disks: [String: Int] = [:]
        for (name, number) in map {
            guard (1...max(diskCount, 1)).contains(number) else {
                throw .misuseOfPlan(
                    .noSuchDisk, "\(name)=\(number): there are \(diskCount) disks, counted from 1")
            }
            let disk = try disk(named: name)
            if let other = disks[disk.text], other != number - 1 {
                throw .misuseOfPlan(
                    .twoDisks, "\(disk.text) cannot be both disk \(other + 1) and disk \(number)")
            }
            let others = disks.filter { $0.value == number - 1 }.map(\.key)
            if let other = others.first(where: { Self.isOneDriver($0, disk.name) }) {
                let both = [other, disk.text].sorted().joined(separator: " and ")
                throw .misuseOfPlan(.twoDisks, "\(both) cannot both be disk \(number)")
            }
            disks[disk.text] = number - 1
        }
        var presentation = SourcePresentation(hypervisor: hypervisor, map: disks)
        presentation.statedBy = statedBy
        return presentation
    }

    /// A disk, or a partition where Xen may have handed it over as a disk of its own.
    private func disk(named text: String) throws(StorageError) -> (text: String, name: DiskName) {
        guard case .disk(let name, let partition) = DeviceName(text.hasPrefix("/") ? text : "/dev/\(text)")
        else { throw .noDiskName(text) }
        guard let partition else { return (name.base, name) }
        let isXen = name.family == .xvd || name.family.isLettered && hypervisor?.hasAliasedDiskNames == true
        guard isXen else { throw .noDiskName(text) }
        return ("\(name.base)\(partition)", name)
    }

    /// A driver gives a disk one name by letters.
    private static func isOneDriver(_ text: String, _ disk: DiskName) -> Bool {
        guard case .disk(let other, _) = DeviceName(text) else { return false }
        return other.family == disk.family && disk.family.isLettered
    }
}

extension Target {
    /// Throws `unsupported` where no image for it can be made.
    func requireFormat() throws(StorageError) {
        guard defaultFormat == nil else { return }
        throw StorageError(
            .unsupported, PlanCode.targetFormatNotBuilt,
            "\(name) needs a disk in the \(imageFormats.joined(separator: " or ")) format, "
                + "which cannot be written yet")
    }

    /// The best of its formats that can be made.
    var defaultFormat: ImageFormat? {
        imageFormats.lazy.compactMap { ImageFormat(name: $0) }.first(where: ImageProbe.canCreate)
    }
}

extension ImageProbe {
    /// Whether images of that format can be made.
    static func canCreate(_ format: ImageFormat) -> Bool { (try? driver(for: format))?.canCreate ?? false }
}

extension StorageError {
    fileprivate static func noDiskName(_ text: String) -> StorageError {
        .misuseOfPlan(
            .noDiskName,
            "\"\(text)\" is no name of a whole disk, which is written like /dev/sdb or /dev/disk/by-path/NAME (or like /dev/xvda2, where Xen hands partitions over as disks)"
        )
    }

    static func misuseOfPlan(_ code: PlanCode, _ message: String) -> StorageError {
        StorageError(.misuse, code, message)
    }
}
