public import Machines
public import Patcher
public import Storage

extension MachineLanguage {
    /// Their names, for people.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// The language of a name. Throws `misuse`, code "unknown-machine-language", with all names.
    public init(named name: String) throws(StorageError) {
        guard let known = MachineLanguage(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownMachineLanguage,
                "machines are not described in \"\(name)\"; there are \(Self.names)")
        }
        self = known
    }
}

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

extension DriverSource {
    /// The source of a name. Throws `misuse`, code "unknown-drivers".
    public init(named name: String) throws(StorageError) {
        guard let known = DriverSource(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownDrivers,
                "drivers come from \(Self.allCases.map(\.rawValue).alternatives), not from \"\(name)\"")
        }
        self = known
    }
}

/// When a loader is put where a machine without boot entries looks for it (`EFI/BOOT/BOOTX64.EFI`).
public enum EFIFallback: String, Sendable, CaseIterable {
    /// Where UEFI is to start the guest and no loader there works.
    case auto
    /// Never: the new machine gets boot entries of its own.
    case never

    /// The choice of a name. Throws `misuse`, code "unknown-efi-fallback", with all names.
    public init(named name: String) throws(StorageError) {
        guard let known = EFIFallback(rawValue: name) else {
            throw .misuseOfPlan(
                .unknownEFIFallback,
                "the fallback loader is put there \(Self.allCases.map(\.rawValue).alternatives), not \"\(name)\""
            )
        }
        self = known
    }
}
