internal import Storage

/// Names that are made of what lies on the disks, by something else than a controller: what they are made of may be missing.
extension DeviceResolver {
    /// A link of udev's that is made of an identifier.
    func resolve(identifier name: String) -> Resolution {
        if let volume = volumes.firstIndex(where: { $0.identifierLinks.contains(name) }) {
            return .volume(volume)
        }
        if let uuid = name.suffix(behind: "lvm-pv-uuid-") {
            let found = volumes.firstIndex {
                $0.identity.kind == .lvm2 && $0.identity.uuid?.lowercased() == uuid.lowercased()
            }
            return found.map(Resolution.volume) ?? .unresolved(.noBearer(.identifier(name)))
        }
        if let uuid = name.suffix(behind: "dm-uuid-CRYPT-LUKS") {
            let digits = uuid.dropFirst(2).prefix { $0 != "-" }.lowercased()
            return holdsContainer { $0.filter { $0 != "-" } == digits }
                ? .stable : .unresolved(.noBearer(.identifier(name)))
        }
        let isOfDisks = ["dm-uuid-LVM-", "md-uuid-", "md-name-"].contains(where: name.hasPrefix)
        // Metadata that was not found may lie in a container that is closed here.
        if isOfDisks, !holdsContainer({ _ in true }) { return .unresolved(.noBearer(.identifier(name))) }
        return isOfDisks ? .stable : .unresolved(.unknownSource("/dev/disk/by-id/\(name)"))
    }

    /// Why a name that no controller gives may be missing, as far as the guest tells what makes it; nil where it will be
    /// there, or nobody can tell.
    func sourceProblem(_ name: DeviceName) -> UnresolvedReason? {
        switch name {
        case .mapped(let name):
            if let source = usage.mappings[name] {
                guard case .unresolved(let reason) = resolve(source),
                    reason.mayBeMissing || source.isPositional
                else { return nil }
                return .noMappingSource(name: name, reason)
            }
            // What is not in the tables may be opened by an initramfs.
            let directory = name.hasPrefix("dm-") ? "/dev/" : "/dev/mapper/"
            return holdsContainer { _ in true } ? nil : .unknownSource(directory + name)
        case .virtual(let path):
            let node = path.dropFirst("/dev/".count)
            if Self.everywhere.contains(where: node.hasPrefix) { return nil }
            for (prefix, kind) in Self.layers where node.hasPrefix(prefix) {
                if volumes.contains(where: { $0.identity.kind.rawValue == kind }) { return nil }
            }
            return .unknownSource(path)
        default: return nil
        }
    }

    /// Nodes that every system has.
    private static let everywhere = [
        "loop", "ram", "zram", "root", "shm", "pts", "fd/", "mqueue", "hugepages", "null", "zero", "fuse",
    ]

    /// Nodes that are made of what volumes hold.
    private static let layers = [
        ("bcache", "bcache"), ("drbd", "drbd"), ("zvol/", "zfs_member"), ("zd", "zfs_member"),
    ]

    /// An encrypted container with such a UUID is on the disks.
    private func holdsContainer(_ matches: (String) -> Bool) -> Bool {
        volumes.contains { $0.identity.kind == .luks && matches($0.identity.uuid?.lowercased() ?? "") }
    }
}

extension String {
    /// What follows a prefix; nil where the text does not begin with it.
    func suffix(behind prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
