public import Machines
public import Patcher
public import Storage

extension MachineLanguage {
    /// Their names, for people.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// The language of a name. Throws `misuse`, code "unknown-machine-language", with all names.
    public init(named name: String) throws(StorageError) {
        self = try known(
            MachineLanguage(rawValue: name), .unknownMachineLanguage,
            "machines are not described in \"\(name)\"; there are \(Self.names)")
    }
}

extension Target {
    /// The target of a name. Throws `misuse`, code "unknown-target", with all names.
    public init(named name: String) throws(StorageError) {
        self = try known(
            Target.named(name), .unknownTarget,
            "there is no target \"\(name)\"; there are \(Self.all.map(\.name).joined(separator: ", "))")
    }
}

extension Controller {
    /// The controller of a name. Throws `misuse`, code "unknown-controller", with all names.
    public init(named name: String) throws(StorageError) {
        self = try known(
            Controller(rawValue: name), .unknownController,
            "there is no controller \"\(name)\"; there are \(Self.allCases.map(\.rawValue).joined(separator: ", "))"
        )
    }
}

extension Hypervisor {
    /// The hypervisor of a name. Throws `misuse`, code "unknown-hypervisor", with all names.
    public init(named name: String) throws(StorageError) {
        self = try known(
            Hypervisor(rawValue: name), .unknownHypervisor,
            "there is no hypervisor \"\(name)\"; there are \(Self.allCases.map(\.rawValue).joined(separator: ", "))"
        )
    }
}

extension Repair {
    /// The repair of a name. Throws `misuse`, code "unknown-repair", with all names.
    public init(named name: String) throws(StorageError) {
        self = try known(
            Repair(rawValue: name), .unknownRepair,
            "there is no repair \"\(name)\"; there are \(Self.all.map(\.rawValue).joined(separator: ", "))")
    }
}

extension NamingPolicy {
    /// The policy of a name. Throws `misuse`, code "unknown-naming", with all names.
    public init(named name: String) throws(StorageError) {
        self = try known(
            NamingPolicy(rawValue: name), .unknownNaming,
            "names are replaced by \(Self.allCases.map(\.rawValue).alternatives), not by \"\(name)\"")
    }
}

extension DriverSource {
    /// The source of a name. Throws `misuse`, code "unknown-drivers".
    public init(named name: String) throws(StorageError) {
        self = try known(
            DriverSource(rawValue: name), .unknownDrivers,
            "drivers come from \(Self.allCases.map(\.rawValue).alternatives), not from \"\(name)\"")
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
        self = try known(
            EFIFallback(rawValue: name), .unknownEFIFallback,
            "the fallback loader is put there \(Self.allCases.map(\.rawValue).alternatives), not \"\(name)\"")
    }
}

/// What a name stands for; an error that says which names there are where it stands for nothing.
private func known<Value>(
    _ value: Value?, _ code: PlanCode, _ message: @autoclosure () -> String
) throws(StorageError) -> Value {
    guard let value else { throw .misuseOfPlan(code, message()) }
    return value
}
