internal import Storage

/// Names that are made of what lies on the disks, by something else than a controller: what they are made of may be missing.
extension DeviceResolver {
    /// The physical volume with an identifier, which is given without dashes.
    func resolve(physicalVolume pvid: String) -> Resolution {
        let found = volumes.indices.filter {
            volumes[$0].identity.kind == .lvm2 && volumes[$0].identity.uuid?.filter { $0 != "-" } == pvid
        }
        switch found.count {
        case 0: return .unresolved(.noBearer(.physicalVolume(pvid)))
        case 1: return .volume(found[0])
        default:
            return .unresolved(.shared(.physicalVolume(pvid), volumes: found.map { volumes[$0].name }))
        }
    }

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

    /// An array, or a partition of one, by the UUID that mdadm.conf gives its node; nil where it has no row.
    func statedArray(_ name: String) -> Resolution? {
        var (node, suffix) = (name[...], "")
        if usage.arrays[name] == nil, let place = name.lastIndex(of: "p"),
            DiskName.smallNumber(name[name.index(after: place)...]) != nil
        {
            node = name[..<place]
            suffix = "-part" + name[name.index(after: place)...]
        }
        guard let uuid = usage.arrays[String(node)] else { return nil }
        let found = volumes.firstIndex { volume in
            volume.identifierLinks.contains { link in
                link.suffix(behind: "md-uuid-").map { $0.filter { $0 != ":" } == uuid + suffix } ?? false
            }
        }
        return found.map(Resolution.volume) ?? .unresolved(.noBearer(.array(name)))
    }

    /// Why what the boot waits for by a name will not be there, or may not; nil where nothing says so.
    func problem(ofAwaited name: DeviceName) -> UnresolvedReason? {
        let found = resolve(name)
        if case .unresolved(let reason) = found { return reason }
        return found == .stable || found == .notADisk ? sourceProblem(name) : nil
    }

    /// Why a name that no controller gives may be missing, as far as the guest tells what makes it; nil where it will be
    /// there, or nobody can tell.
    func sourceProblem(_ name: DeviceName) -> UnresolvedReason? {
        switch name {
        case .mapped, .logicalVolume:
            let isLogicalVolume = if case .logicalVolume = name { true } else { false }
            guard let name = name.mapperName else { return nil }
            if let source = usage.mappings[name] {
                if isCircle(from: name) { return .mappingCircle(name) }
                let base = base(of: source, from: name)
                let found = resolve(base)
                if case .unresolved(let reason) = found {
                    return reason.mayBeMissing || source.isPositional
                        ? .noMappingSource(name: name, reason) : nil
                }
                // A mapping that no table makes, or a node that nothing does.
                guard found == .stable || found == .notADisk else { return nil }
                return sourceProblem(base).map { .noMappingSource(name: name, $0) }
            }
            if isLogicalVolume { return nil }
            // What is not in the tables may be opened by an initramfs.
            let mayBeOpened = holdsContainer { _ in true }
            if name.hasPrefix("dm-") {
                return mayBeOpened || hasLogicalVolumes
                    ? .numberedMapping(name) : .unknownSource("/dev/" + name)
            }
            if mayBeOpened { return nil }
            return .unknownSource("/dev/mapper/" + name)
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

    /// Mappings that LVM makes.
    private var hasLogicalVolumes: Bool {
        volumes.contains { if case .logicalVolume = $0.location { true } else { false } }
    }

    /// What a mapping of mappings is made of in the end.
    private func base(of source: DeviceName, from name: String) -> DeviceName {
        var source = source
        var seen: Set<String> = [name]
        while let next = source.mapperName, let below = usage.mappings[next], seen.insert(next).inserted {
            source = below
        }
        return source
    }

    /// Following the tables from a mapping leads back to one that was met.
    private func isCircle(from name: String) -> Bool {
        var seen: Set<String> = []
        var name = name
        while seen.insert(name).inserted {
            guard let next = usage.mappings[name]?.mapperName, usage.mappings[next] != nil else {
                return false
            }
            name = next
        }
        return true
    }

    /// What a name means may lie in an encrypted container that the tables open, and whose contents no row takes as a whole.
    func mayBeEncrypted(_ reason: UnresolvedReason) -> Bool {
        switch reason {
        case .noBearer(.uuid), .noBearer(.label), .noBearer(.logicalVolume): break
        default: return false
        }
        return usage.mappings.contains { name, source in
            guard !usage.takenMappings.contains(name), case .volume(let volume) = resolve(source) else {
                return false
            }
            return volumes[volume].identity.kind == .luks
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

extension DeviceName {
    /// The name below /dev/mapper; nil where there is none.
    var mapperName: String? {
        switch self {
        case .mapped(let name): return name
        case .logicalVolume(let group, let name):
            return [group, name].map {
                $0.split(separator: "-", omittingEmptySubsequences: false).joined(separator: "--")
            }
            .joined(separator: "-")
        default: return nil
        }
    }
}

extension String {
    /// What follows a prefix; nil where the text does not begin with it.
    func suffix(behind prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
