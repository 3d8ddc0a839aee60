package import Storage

extension Ext4Transaction {
    /// Makes a regular file with its contents and extended attributes.
    package func createFile(
        _ name: [UInt8], in directory: FileID, contents: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        try create(name, .regular, in: directory, attributes) { (inode) throws(StorageError) in
            self.beginMap(of: &inode)
            try self.replaceBlocks(contents, in: &inode)
            inode.setSize(UInt64(contents.count), self.geometry)
            try self.noteSize(UInt64(contents.count), of: inode)
        }
    }

    /// Makes an empty directory.
    package func createDirectory(
        _ name: [UInt8], in directory: FileID, attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let parent = try inode(directory)
        return try create(name, .directory, in: directory, attributes) { (inode) throws(StorageError) in
            self.beginMap(of: &inode)
            inode.linkCount = 2
            let (_, number) = try self.appendBlock(to: &inode)
            let block = self.firstBlock(of: inode, parent: parent.number)
            try self.store(block.bytes, ofDirectory: inode, at: number, role: .directory)
        }
    }

    /// Makes a symbolic link: up to 59 bytes in the inode, more in a block.
    package func createSymbolicLink(
        _ name: [UInt8], in directory: FileID, target: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        guard !target.isEmpty, target.count < min(geometry.blockSize, 4096), !target.contains(0) else {
            throw .ext4(
                .misuse, .badName,
                "a symbolic link's target has 1 to 4095 bytes, less than a block, without NUL")
        }
        return try create(name, .symbolicLink, in: directory, attributes) { (inode) throws(StorageError) in
            if target.count < Inode.mapRange.count {
                inode.bytes.replaceSubrange(
                    Inode.Offset.map..<Inode.Offset.map + target.count, with: target)
            } else {
                self.beginMap(of: &inode)
                try self.replaceBlocks(target, in: &inode)
            }
            inode.setSize(UInt64(target.count), self.geometry)
        }
    }

    /// Makes a device node, FIFO or socket.
    package func createNode(
        _ name: [UInt8], in directory: FileID, type: FileType, device: FileAttributes.DeviceNumber?,
        attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        let isDevice = type == .characterDevice || type == .blockDevice
        guard isDevice == (device != nil), isDevice || type == .fifo || type == .socket else {
            throw .ext4(.misuse, .badNode, "a device node has a device number; a FIFO or socket has none")
        }
        guard device.map({ $0.major < 4096 && $0.minor < 1 << 20 }) ?? true else {
            throw .ext4(.misuse, .badNode, "a device number has 12 bits of major and 20 of minor")
        }
        return try create(name, type, in: directory, attributes) { (inode) throws(StorageError) in
            if let device { inode.setDeviceNumber(device) }
        }
    }

    private func create(
        _ name: [UInt8], _ type: FileType, in directory: FileID, _ attributes: NewFileAttributes,
        _ fill: (inout Inode) throws(StorageError) -> Void
    ) throws(StorageError) -> FileID {
        try perform { () throws(StorageError) in
            var parent = try inode(directory)
            try requireWritableDirectory(parent)
            try requireName(name)
            try requireNoEntry(name, in: parent)
            try makeRoom(for: name, in: &parent)
            beginAddingName(to: parent.number)
            if type == .directory { try countLink(from: &parent, isSubdirectory: true) }
            var inode = try allocateInode(near: parent, isDirectory: type == .directory)
            inode.mode = type.modeBits | attributes.permissions & 0xfff
            inode.owner = attributes.owner
            inode.group = attributes.group
            inode.linkCount = 1
            inode.inherit(from: parent)
            inode.setAllTimes(attributes.time ?? now)
            try fill(&inode)
            for attribute in attributes.extendedAttributes {
                try setAttribute(attribute.name, of: &inode, to: attribute.value)
            }
            try store(inode)
            try insert(name, inode.number, typeCode: type.directoryCode, into: &parent)
            try store(parent)
            if type == .directory { noteNewDirectory(inode.number) }
            return FileID(UInt64(inode.number.rawValue))
        }
    }

    /// Gives a new inode an empty map: an extent tree where the volume has them.
    private func beginMap(of inode: inout Inode) {
        guard geometry.incompatible.contains(.extents) else { return }
        inode.flags.insert(.extents)
        inode.bytes.storeLittle(ExtentNode.magic, at: Inode.Offset.map)
        inode.bytes.storeLittle(UInt16(4), at: Inode.Offset.map + 4)
    }

    /// The most links that a file may have: ext4's, or the older drivers'.
    private var maximumLinkCount: UInt16 { superblock.kind == .ext4 ? 65000 : 32000 }

    /// Counts one more link to an inode. A directory with dir_nlink may have more than can be counted and says 1.
    func countLink(from inode: inout Inode, isSubdirectory: Bool = false) throws(StorageError) {
        // EXT4_DIR_LINK_MAX: the kernel goes past the count only where an index makes that bearable.
        if isSubdirectory, geometry.readOnly.contains(.manyLinks),
            inode.flags.contains(.indexed) || inode.linkCount < maximumLinkCount
        {
            if inode.linkCount == 1 { return }
            inode.linkCount = inode.linkCount >= maximumLinkCount ? 1 : inode.linkCount + 1
            return
        }
        guard inode.linkCount < maximumLinkCount else {
            throw .ext4(.refused, .tooManyLinks, "\(inode.name) has as many links as it can have")
        }
        inode.linkCount += 1
    }
}

extension Inode {
    /// Flags that new files take from their directory: the kernel's EXT4_FL_INHERITED, without compression.
    mutating func inherit(from parent: Inode) {
        let general: UInt32 = 0x1 | 0x2 | 0x8 | 0x40 | 0x80 | 0x400 | 0x4000 | 0x8000 | 0x10000 | 0x200_0000
        let project = Flags.projectInherit.rawValue
        let mask: UInt32 =
            switch type {
            case .directory: general | project
            case .regular: general & ~0x10000
            default: 0x40 | 0x80
            }
        flags = Flags(rawValue: parent.flags.rawValue & mask)
        if parent.flags.contains(.projectInherit), hasField(Offset.project), parent.hasField(Offset.project) {
            bytes.storeLittle(parent.word(Offset.project), at: Offset.project)
        }
    }

    /// Sets access, change, modification and creation time.
    mutating func setAllTimes(_ time: Timestamp) {
        setTime(time, at: Offset.accessTime, extra: Offset.accessTimeExtra)
        setTime(time, at: Offset.changeTime, extra: Offset.changeTimeExtra)
        setTime(time, at: Offset.modificationTime, extra: Offset.modificationTimeExtra)
        if hasField(Offset.creationTime) {
            setTime(time, at: Offset.creationTime, extra: Offset.creationTimeExtra)
        }
    }

    /// Stores a device number: the old form where it fits, as the kernel does.
    mutating func setDeviceNumber(_ number: FileAttributes.DeviceNumber) {
        if number.major < 256, number.minor < 256 {
            bytes.storeLittle(number.major << 8 | number.minor, at: Offset.map)
        } else {
            let value = number.minor & 0xff | number.major << 8 | (number.minor & ~0xff) << 12
            bytes.storeLittle(value, at: Offset.map + 4)
        }
    }
}
