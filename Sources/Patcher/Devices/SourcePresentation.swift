internal import GuestTree
internal import Storage

/// How the hypervisor that the guest comes from presented its disks: what the user said, or what was inferred.
package struct SourcePresentation: Sendable, Equatable {
    /// The hypervisor, when known.
    package var hypervisor: Hypervisor?
    /// Nil when the user stated it; else what it was inferred from, for people.
    package var inferredFrom: String?
    /// What stated it where that was not the user: the name of a description of the machine.
    package var statedBy: String?
    /// Names that the user tied to a disk: "/dev/hdc" → index of the disk (0 is the first given).
    package var map: [String: Int]

    /// States a presentation. `map`'s keys may leave "/dev/" out.
    package init(hypervisor: Hypervisor? = nil, inferredFrom: String? = nil, map: [String: Int] = [:]) {
        self.hypervisor = hypervisor
        self.inferredFrom = inferredFrom
        self.map = Dictionary(
            map.map { name, disk in
                let path = name.hasPrefix("/") ? name : "/dev/" + name
                // A name may be written in several ways.
                if case .disk(let found, nil) = DeviceName(path) { return (found.base, disk) }
                return (path, disk)
            },
            uniquingKeysWith: { _, last in last })
    }

    /// Nothing known yet.
    package static let unknown = SourcePresentation()

    /// For people: "VMware (inferred from …)".
    package var summary: String {
        guard let hypervisor else { return "unknown" }
        if let statedBy { return "\(hypervisor.title) (as \(statedBy) says)" }
        guard let inferredFrom else { return hypervisor.title }
        return "\(hypervisor.title) (inferred from \(inferredFrom))"
    }
}

extension SourcePresentation {
    /// What of the guest shows the hypervisor that it runs on: a path, or a row of its fstab.
    typealias Evidence = (hypervisor: Hypervisor, reason: String)

    /// A hypervisor's tools in the guest's tree; nil where several have left theirs, which tells nothing.
    static func tools(in tree: FileSystemTree) throws(StorageError) -> Evidence? {
        var found: Evidence?
        for (path, hypervisor) in [
            ("/etc/vmware-tools/locations", Hypervisor.vmware),
            ("/usr/sbin/xe-linux-distribution", .xenserver),
            ("/etc/init.d/xe-linux-distribution", .xenserver), ("/usr/sbin/hv_kvp_daemon", .hyperv),
            ("/usr/sbin/hypervkvpd", .hyperv), ("/var/lib/VBoxGuestAdditions/config", .virtualbox),
            ("/usr/bin/vmtoolsd", .vmware), ("/usr/bin/qemu-ga", .kvm), ("/usr/sbin/qemu-ga", .kvm),
        ] where try tree.exists(GuestPath(path)) {
            if let found, found.hypervisor != hypervisor { return nil }
            found = found ?? (hypervisor, path)
        }
        return found
    }

    /// Names in the fstab that one hypervisor gives. What is not mounted at boot may be left over from another, and so may a
    /// row whose name is of another kind than the root's.
    private static func names(in fstab: Fstab) -> (Evidence, DiskName.Family)? {
        var rootFamily: DiskName.Family?
        if let root = fstab.root, case .disk(let name, _) = DeviceName(root.spec), name.family.isLettered {
            rootFamily = name.family
        }
        for row in fstab.rows where !row.isNoauto {
            guard case .disk(let name, _) = DeviceName(row.spec),
                rootFamily == nil || rootFamily == name.family || !name.family.isLettered
            else { continue }
            switch name.family {
            case .xvd: return ((.xenserver, "\(name) in /etc/fstab"), .xvd)
            case .vd: return ((.kvm, "\(name) in /etc/fstab"), .vd)
            case .qemuSerial: return ((.xenserver, "\(name) in /etc/fstab"), .qemuSerial)
            default: break
            }
        }
        return nil
    }

    /// Tools are left behind more easily than names in use, so that names which the tools' hypervisor gives no disk say more.
    private static func weighed(_ tools: Evidence?, _ names: (Evidence, DiskName.Family)?) -> Evidence? {
        guard let (evidence, family) = names else { return tools }
        guard let tools else { return evidence }
        return tools.hypervisor.families.contains(family) || family == .qemuSerial ? tools : evidence
    }

    /// The same with what was inferred, where the user stated no hypervisor.
    func inferred(from tools: Evidence?, _ fstab: Fstab) -> SourcePresentation {
        guard hypervisor == nil, let evidence = Self.weighed(tools, Self.names(in: fstab)) else {
            return self
        }
        var known = self
        known.hypervisor = evidence.hypervisor
        known.inferredFrom = evidence.reason
        return known
    }
}
