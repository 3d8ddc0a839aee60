public import Patcher
public import Storage

extension Target {
    /// The target of a name. Throws `misuse`, code "unknown-target", with all names.
    public init(named name: String) throws(StorageError) {
        guard let known = Target.named(name) else {
            throw .misuseOfPlan(
                .unknownTarget,
                "there is no target \"\(name)\"; there are \(Self.all.map(\.name).joined(separator: ", "))")
        }
        self = known
    }
}

extension Controller {
    /// The controller of a name. Throws `misuse`, code "unknown-controller", with all names.
    public init(named name: String) throws(StorageError) {
        guard let known = Controller(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownController,
                "there is no controller \"\(name)\"; there are \(Self.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        self = known
    }
}

extension Hypervisor {
    /// The hypervisor of a name. Throws `misuse`, code "unknown-hypervisor", with all names.
    public init(named name: String) throws(StorageError) {
        guard let known = Hypervisor(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownHypervisor,
                "there is no hypervisor \"\(name)\"; there are \(Self.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        self = known
    }
}

extension Repair {
    /// The repair of a name. Throws `misuse`, code "unknown-repair", with all names.
    public init(named name: String) throws(StorageError) {
        guard let known = Repair(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownRepair,
                "there is no repair \"\(name)\"; there are \(Self.all.map(\.rawValue).joined(separator: ", "))"
            )
        }
        self = known
    }
}

extension NamingPolicy {
    /// The policy of a name. Throws `misuse`, code "unknown-naming", with all names.
    public init(named name: String) throws(StorageError) {
        guard let known = NamingPolicy(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownNaming,
                "names are replaced by \(Self.allCases.map(\.rawValue).alternatives), not by \"\(name)\"")
        }
        self = known
    }
}

/// Where the drivers come from that the target needs and the default initramfs has not.
public enum DriverSource: String, Sendable, CaseIterable {
    /// The entry with the distribution's rescue or fallback initramfs becomes the default.
    case fallback

    /// The source of a name. Throws `misuse`, code "unknown-drivers".
    public init(named name: String) throws(StorageError) {
        guard let known = DriverSource(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownDrivers, "drivers come from the fallback initramfs, or not at all")
        }
        self = known
    }
}
