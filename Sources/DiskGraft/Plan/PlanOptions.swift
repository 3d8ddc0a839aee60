internal import ImageFormats
internal import Patcher
public import Storage

/// What a plan is made for.
public struct PlanOptions: Sendable {
    /// The target's name: "hyperv", "vmware", "xenserver", "kvm", "virtualbox", …
    public var target: String
    /// The controller that the boot disk will be behind; nil for the target's default.
    public var controller: String?
    /// How the source presented its disks.
    public var source: SourceOptions
    /// How names are replaced: "uuid", "label" or "target"; nil for "uuid".
    public var names: String?
    /// Repairs to make, all others left out; nil for all that need no asking.
    public var only: [String]?
    /// Repairs to leave out.
    public var skip: [String]
    /// Repairs that are only advice unless named here.
    public var fix: [String]
    /// "fallback": the entry with the distribution's rescue or fallback initramfs becomes the default.
    public var drivers: String?
    /// The addresses of network cards on the target. Any of them asks for the repair "net".
    public var cardAddresses: [CardAddress] = []
    /// How the plan's sentences name remedies.
    public var wording = RemedyWording.plain

    /// Makes options for a target.
    public init(
        target: String, controller: String? = nil, source: SourceOptions = SourceOptions(),
        names: String? = nil,
        only: [String]? = nil, skip: [String] = [], fix: [String] = [], drivers: String? = nil
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
        let target = try Target.offered(target)
        var controller: Controller?
        if let name = self.controller {
            guard let known = Controller(rawValue: name) else {
                throw .misuseOfPlan(
                    .unknownController,
                    "there is no controller \"\(name)\"; there are \(Controller.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            controller = known
        }
        var naming = NamingPolicy.uuid
        if let names {
            guard let known = NamingPolicy(rawValue: names) else {
                throw .misuseOfPlan(
                    .unknownNaming, "names are replaced by uuid, label or target, not by \"\(names)\"")
            }
            naming = known
        }
        var request = PlanRequest(target: target, controller: controller, names: naming)
        if let only { request.only = try Self.repairs(only) }
        request.skip = try Self.repairs(skip)
        request.fix = try Self.repairs(fix)
        guard drivers == nil || drivers == "fallback" else {
            throw .misuseOfPlan(.unknownDrivers, "drivers come from the fallback initramfs, or not at all")
        }
        request.usesFallbackInitramfs = drivers == "fallback"
        request.addresses = try CardAddress.statements(cardAddresses)
        if !cardAddresses.isEmpty { request.fix.insert(.net) }
        return request
    }

    private static func repairs(_ names: [String]) throws(StorageError) -> Set<Repair> {
        var result: Set<Repair> = []
        for name in names {
            guard let repair = Repair(rawValue: name) else {
                throw .misuseOfPlan(
                    .unknownRepair,
                    "there is no repair \"\(name)\"; there are \(Repair.all.map(\.rawValue).joined(separator: ", "))"
                )
            }
            result.insert(repair)
        }
        return result
    }
}

/// How the source presented its disks to the guest.
public struct SourceOptions: Sendable {
    /// The hypervisor's name; nil: inferred from the guest and shown as inferred.
    public var hypervisor: String?
    /// Device names tied to disks by the user, "/dev/hdc" → 2 for the second disk given.
    public var map: [String: Int]
    /// The volume ("p2", "VG/LV") of the one system that is meant; nil for all that are found.
    public var root: String?

    /// Makes options.
    public init(hypervisor: String? = nil, map: [String: Int] = [:], root: String? = nil) {
        self.hypervisor = hypervisor
        self.map = map
        self.root = root
    }

    /// Throws `misuse` for a hypervisor that is not known and for disks that were not given.
    public func validate(diskCount: Int) throws(StorageError) { _ = try presentation(diskCount: diskCount) }

    func presentation(diskCount: Int) throws(StorageError) -> SourcePresentation {
        var known: Hypervisor?
        if let hypervisor {
            known = Hypervisor(rawValue: hypervisor)
            guard known != nil else {
                throw .misuseOfPlan(
                    .unknownHypervisor,
                    "there is no hypervisor \"\(hypervisor)\"; there are \(Hypervisor.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
        }
        var disks: [String: Int] = [:]
        for (name, number) in map {
            guard (1...max(diskCount, 1)).contains(number) else {
                throw .misuseOfPlan(
                    .noSuchDisk, "\(name)=\(number): there are \(diskCount) disks, counted from 1")
            }
            disks[name] = number - 1
        }
        return SourcePresentation(hypervisor: known, map: disks)
    }
}

extension Target {
    /// The target of that name, when an image for it can be made.
    static func offered(_ name: String) throws(StorageError) -> Target {
        guard let target = named(name) else {
            throw .misuseOfPlan(
                .unknownTarget,
                "there is no target \"\(name)\"; there are \(all.map(\.name).joined(separator: ", "))")
        }
        guard
            target.imageFormats.contains(where: { ImageFormat(name: $0).map(ImageProbe.canCreate) ?? false })
        else {
            throw StorageError(
                .unsupported, PlanCode.targetFormatNotBuilt,
                "\(name) needs a disk in the \(target.imageFormats.joined(separator: " or ")) format, "
                    + "which cannot be written yet")
        }
        return target
    }

    /// The best of its formats that can be made.
    var defaultFormat: String? {
        imageFormats.first { ImageFormat(name: $0).map(ImageProbe.canCreate) ?? false }
    }
}

extension ImageProbe {
    /// Whether images of that format can be made.
    static func canCreate(_ format: ImageFormat) -> Bool { (try? driver(for: format))?.canCreate ?? false }
}

extension StorageError {
    static func misuseOfPlan(_ code: PlanCode, _ message: String) -> StorageError {
        StorageError(.misuse, code, message)
    }
}
