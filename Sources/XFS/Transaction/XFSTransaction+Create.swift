package import Storage

extension XFSTransaction {
    /// Makes a regular file with its contents and extended attributes.
    package func createFile(
        _ name: [UInt8], in directory: FileID, contents: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        try create(name, .regular, in: directory, attributes) { (inode, _) throws(StorageError) in
            try self.putContents(contents, into: &inode)
        }
    }

    /// Makes an empty directory.
    package func createDirectory(
        _ name: [UInt8], in directory: FileID, attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        try create(name, .directory, in: directory, attributes) { (inode, parent) throws(StorageError) in
            inode.linkCount = 2
            let list = ShortDirectory(parent: parent.number)
            guard self.putShort(list, into: &inode) else {
                return try self.makeBlockDirectory(&inode, list)
            }
        }
    }

    /// Makes a symbolic link: in the inode where it fits, else in blocks.
    package func createSymbolicLink(
        _ name: [UInt8], in directory: FileID, target: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        guard !target.isEmpty, target.count < 1024, !target.contains(0) else {
            throw .xfs(
                .misuse, .badName, "a symbolic link's target has 1 to 1023 bytes on XFS, without NUL")
        }
        return try create(name, .symbolicLink, in: directory, attributes) { (inode, _) throws(StorageError) in
            inode.bytes.storeBig(UInt64(target.count), at: Inode.Offset.size)
            let range = inode.range(.data)
            guard target.count > range.count else {
                inode.bytes.replaceSubrange(range.lowerBound..<range.lowerBound + target.count, with: target)
                return inode.setFormat(.local, .data)
            }
            try self.putLink(target, into: &inode)
        }
    }

    /// Makes a device node, FIFO or socket.
    package func createNode(
        _ name: [UInt8], in directory: FileID, type: FileType, device: FileAttributes.DeviceNumber?,
        attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let isDevice = type == .characterDevice || type == .blockDevice
        guard isDevice == (device != nil), isDevice || type == .fifo || type == .socket else {
            throw .xfs(.misuse, .badNode, "a device node has a device number; a FIFO or socket has none")
        }
        // IRIX keeps 14 bits of major; Linux makes no node of more than 9 (xfs_generic_create).
        guard device.map({ $0.major < 1 << 9 && $0.minor < 1 << 18 }) ?? true else {
            throw .xfs(
                .misuse, .badNode,
                "a device number has 9 bits of major and 18 of minor on XFS (ext4 keeps 12 and 20)")
        }
        return try create(name, type, in: directory, attributes) { (inode, _) throws(StorageError) in
            inode.bytes.storeBig(
                device.map { $0.major << 18 | $0.minor } ?? 0, at: inode.range(.data).lowerBound)
            inode.setFormat(.device, .data)
        }
    }

    private func create(
        _ name: [UInt8], _ type: FileType, in directory: FileID, _ attributes: NewFileAttributes,
        _ fill: (inout Inode, Inode) throws(StorageError) -> Void
    ) throws(StorageError) -> FileID {
        try perform { () throws(StorageError) in
            var parent = try inode(directory)
            try requireNewName(name, in: parent)
            var inode = try takeInode(near: geometry.group(of: parent.number))
            inode.bytes.storeBig(type.modeBits | attributes.permissions & 0xfff, at: Inode.Offset.mode)
            inode.bytes.storeBig(attributes.owner, at: Inode.Offset.owner)
            inode.bytes.storeBig(attributes.group, at: Inode.Offset.group)
            inode.linkCount = 1
            inode.inherit(from: parent)
            for time in [
                Inode.Offset.accessTime, Inode.Offset.modificationTime, Inode.Offset.changeTime,
            ] { inode.setTime(attributes.time ?? now, at: time) }
            if inode.version == 3 {
                inode.setTime(attributes.time ?? now, at: Inode.Offset.creationTime)
            }
            // A device's number takes part of its inode.
            if type != .regular, type != .directory, type != .symbolicLink {
                inode.setFormat(.device, .data)
            }
            // Attributes first: they say how much of the inode is left.
            try setNewAttributes(attributes.extendedAttributes, of: &inode)
            try fill(&inode, parent)
            try store(inode)
            try addName(name, inode.number, type, to: &parent)
            if type == .directory { try parent.addLink() }
            touch(&parent, contents: true)
            try store(parent)
            return FileID(inode.number.rawValue)
        }
    }

    private func setNewAttributes(
        _ attributes: [ExtendedAttribute], of inode: inout Inode
    ) throws(StorageError) {
        var plain: [(name: [UInt8], value: [UInt8]?)] = []
        for attribute in attributes {
            if attribute.name == AccessControl.AttributeName.access,
                let list = AccessControl(attribute.value), list.isValid, list.mode.saysAll
            {
                continue
            }
            plain.append((attribute.name, attribute.value))
        }
        try setAttributes(plain, of: &inode)
    }

    // MARK: Links in blocks

    /// Puts a link's target into blocks of its own.
    func putLink(_ target: [UInt8], into inode: inout Inode) throws(StorageError) {
        let header = geometry.hasChecksums ? 56 : 0
        let count = UInt32(target.count.dividedRoundingUp(by: geometry.blockSize - header))
        let run = try takeBlocks(
            BlockRequest(count: count, minimum: count, isMetadata: true),
            near: geometry.group(of: inode.number))
        try addOwner(run, BlockOwner(inode.number, .data, fileBlock: 0))
        let first = geometry.block(AGBlock(run.start), in: run.group)
        var bytes = [UInt8](repeating: 0, count: Int(run.count) * geometry.blockSize)
        bytes.replaceSubrange(header..<header + target.count, with: target)
        let position = geometry.position(of: first)
        if header > 0 {
            bytes.replaceSubrange(0..<4, with: Array("XSLM".utf8))
            bytes.storeBig(UInt32(target.count), at: 8)
            stamp(&bytes, .remote, owner: inode.number.rawValue, at: position)
        }
        store(bytes, at: position, .symbolicLink)
        let record = ExtentRecord(isUnwritten: false, fileBlock: 0, block: first, count: UInt64(run.count))
        try setExtents([record], .data, of: &inode)
    }

    /// Moves a link's target out of its inode.
    func moveLinkOut(_ inode: inout Inode) throws(StorageError) {
        let target = try symbolicLinkTarget(of: inode)
        let range = inode.range(.data)
        inode.bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
        inode.setFormat(.extents, .data)
        try putLink(target, into: &inode)
    }
}

extension Inode {
    /// Project and flags that new files take from their directory.
    mutating func inherit(from parent: Inode) {
        guard parent.flags.contains(.inheritProject), version > 1 else { return }
        bytes.replaceSubrange(
            Offset.project..<Offset.project + 4, with: parent.bytes[Offset.project..<Offset.project + 4])
        if type == .directory { bytes.storeBig(Flags.inheritProject.rawValue, at: Offset.flags) }
    }

    /// Low and high half of the project's number.
    var project: [UInt8] { Array(bytes[Offset.project..<Offset.project + 4]) }

    /// Counts a link more.
    mutating func addLink() throws(StorageError) {
        // XFS_MAXLINK.
        guard linkCount < 0x7fff_ffff, version > 1 || linkCount < 0xffff else {
            throw .xfs(.refused, .tooManyLinks, "\(name) has as many links as it can have")
        }
        linkCount += 1
    }

    /// Counts a link less.
    mutating func dropLink() { if linkCount > 0 { linkCount -= 1 } }
}
