public import Storage

extension GuestEdit {
    /// What stat tells of a file; nil when nothing is there.
    public func attributes(
        of path: GuestPath, followLast: Bool = true
    ) throws(StorageError) -> FileAttributes? {
        try find(path, followLast: followLast)?.attributes
    }

    /// Changes the mode of a file (links followed), or with `recursively` of everything below it too, links left
    /// alone. An access control list's entries for owner, mask and others change with it.
    public func setPermissions(
        _ path: GuestPath, recursively: Bool = false, _ change: (FileAttributes) -> UInt16
    ) throws(StorageError) {
        try forEach(path, recursively: recursively, followLast: true) {
            (key, attributes) throws(StorageError) in
            guard attributes.type != .symbolicLink else { return }
            let permissions = change(attributes)
            guard permissions != attributes.permissions else { return }
            try self.setAttributes(of: key, AttributeChange(permissions: permissions))
        }
    }

    /// Changes owner and group. As with chown(2), an executable loses set-user-ID, set-group-ID and capabilities.
    public func setOwner(
        _ path: GuestPath, owner: UInt32?, group: UInt32?, recursively: Bool = false, followLast: Bool = true
    ) throws(StorageError) {
        try forEach(path, recursively: recursively, followLast: followLast) {
            (key, attributes) throws(StorageError) in
            var change = AttributeChange(owner: owner, group: group)
            if attributes.type == .regular {
                var permissions = attributes.permissions & ~0o4000
                if permissions & 0o010 != 0 { permissions &= ~0o2000 }
                if permissions != attributes.permissions { change.permissions = permissions }
                let capability = Array("security.capability".utf8)
                if try self.tree.extendedAttributes(of: key).contains(where: { $0.name == capability }) {
                    try self.extendedAttributes(on: key.volume)
                        .setExtendedAttribute(capability, of: key.id, to: nil)
                }
            }
            try self.setAttributes(of: key, change)
        }
    }

    /// Sets access and modification time; nil leaves one as it is.
    public func setTimes(_ path: GuestPath, access: Timestamp?, modification: Timestamp?) throws(StorageError)
    {
        try naming(path) { () throws(StorageError) in
            let file = try require(path, followLast: true)
            try setAttributes(
                of: file.key, AttributeChange(accessTime: access, modificationTime: modification))
        }
    }

    /// All extended attributes of a file, ACLs as getxattr(2) returns them.
    public func extendedAttributes(_ path: GuestPath) throws(StorageError) -> [ExtendedAttribute] {
        try tree.extendedAttributes(of: require(path, followLast: true).key)
    }

    /// Sets an extended attribute by its full name; nil removes it. An access ACL changes the mode with it, as
    /// setxattr(2) does.
    public func setExtendedAttribute(
        _ name: [UInt8], of path: GuestPath, to value: [UInt8]?
    ) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let file = try require(path, followLast: true)
            try extendedAttributes(on: file.volume).setExtendedAttribute(name, of: file.id, to: value)
            labels[file.key] = nil
        }
    }

    /// Cuts a regular file or extends it with a hole.
    public func truncate(_ path: GuestPath, to size: UInt64) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let file = try require(path, followLast: true)
            try ranges(on: file.volume).truncate(file.id, to: size)
        }
    }

    /// Makes a range of a regular file a hole.
    public func punchHole(_ path: GuestPath, _ range: Range<UInt64>) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let file = try require(path, followLast: true)
            try holes(on: file.volume).punchHole(in: file.id, range)
        }
    }

    /// Sets the label of a volume, by its name; without one, of the volume that "/" is on. File systems and swap.
    public func setLabel(_ label: [UInt8], ofVolume name: String? = nil) throws(StorageError) {
        let root = mounts[.root] ?? 0
        try setLabel(
            label,
            of: name.map { (name) throws(StorageError) in try guest.volumeIndex(named: name) } ?? root)
    }

    /// Sets the label of a volume by its index.
    package func setLabel(_ label: [UInt8], of volume: Int) throws(StorageError) {
        do throws(StorageError) {
            if guest.volumes[volume].identity.kind == .swap {
                let bytes = try SwapLabel.bytes(label, for: guest.volumes[volume].identity)
                try addDeviceWrite(volume, offset: SwapLabel.offset, bytes: bytes)
            } else {
                try self.label(on: volume).setLabel(label)
            }
        } catch {
            throw error.inFile(guest.path(ofVolume: volume))
        }
    }

    /// The number of an account by the guest's own /etc/passwd or /etc/group; nil when there is none. `name` is in
    /// `String.init(hostBytes:)`'s form.
    public func accountID(_ name: String, in file: AccountFile) throws(StorageError) -> UInt32? {
        let path = GuestPath(file.rawValue)
        guard let found = try find(path, followLast: true), found.attributes.type == .regular else {
            return nil
        }
        let contents = try tree.contents(of: found.key, limit: 16 << 20)
        for line in contents.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            if fields.count > 2, Array(fields[0]) == name.hostBytes {
                return UInt32(String(decoding: fields[2], as: UTF8.self))
            }
        }
        return nil
    }

    /// An access control list from text, names looked up in the guest's own accounts.
    public func accessControl(_ text: String) throws(StorageError) -> AccessControl {
        try AccessControl(
            text: text,
            user: { (name) throws(StorageError) in try self.accountID(name, in: .users) },
            group: { (name) throws(StorageError) in try self.accountID(name, in: .groups) })
    }

    /// Where a guest keeps its accounts.
    public enum AccountFile: String, Sendable {
        /// Users.
        case users = "/etc/passwd"
        /// Groups.
        case groups = "/etc/group"
    }

    private func forEach(
        _ path: GuestPath, recursively: Bool, followLast: Bool,
        _ body: (FileKey, FileAttributes) throws(StorageError) -> Void
    ) throws(StorageError) {
        try naming(path) { () throws(StorageError) in
            let top = try require(path, followLast: followLast)
            if recursively { try requireNoObstacle(below: top.path) }
            try body(top.key, top.attributes)
            try splitIfLarge(top.volume)
            guard recursively, top.attributes.type == .directory else { return }
            // By number, not by path: a path has an end where a tree has none. One path for all, which only says where
            // volumes are mounted: each its own would take the square of the depth.
            var path = top.path == .root ? [] : top.path.bytes
            var pending = [(above: path.count, name: [UInt8](), key: top.key)]
            var seen: Set<FileKey> = [top.key]
            while let directory = pending.popLast() {
                path.removeLast(path.count - directory.above)
                if !directory.name.isEmpty { path += [GuestPath.slash] + directory.name }
                let length = path.count
                for entry in try tree.entries(of: directory.key) {
                    try Cancellation.check()
                    path.removeLast(path.count - length)
                    path += [GuestPath.slash] + entry.name
                    // A mounted volume's root stands for the directory below it.
                    let mounted = tree.mayBeMount(path) ? tree.mountedVolume(at: GuestPath(path)) : nil
                    let root = mounted.flatMap { tree.rootDirectory(ofVolume: $0) }
                    if mounted != nil, root == nil { continue }
                    let key =
                        if let mounted, let root {
                            FileKey(volume: mounted, id: root)
                        } else {
                            FileKey(volume: directory.key.volume, id: entry.file)
                        }
                    // A volume that is mounted twice is changed once.
                    if mounted != nil, seen.contains(key) { continue }
                    let attributes = try tree.attributes(of: key)
                    try body(key, attributes)
                    try splitIfLarge(key.volume)
                    if attributes.type == .directory {
                        guard seen.insert(key).inserted else {
                            throw error(
                                .corrupt, .directoryLoop,
                                "\(path.shellText) is in the tree twice; run \(guest.repairTool(ofVolume: key.volume))"
                            )
                        }
                        pending.append((length, entry.name, key))
                    }
                }
                path.removeLast(path.count - length)
            }
        }
    }
}
