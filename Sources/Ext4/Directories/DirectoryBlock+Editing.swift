internal import Storage

extension DirectoryBlock {
    /// A block without entries: one free record, and the checksum's tail where there is one.
    init(emptyOf blockSize: Int, hasFileTypes: Bool, hasChecksum: Bool) {
        bytes = [UInt8](repeating: 0, count: blockSize)
        let end = blockSize - (hasChecksum ? DirectoryChecksum.tailLength : 0)
        range = 0..<end
        self.hasFileTypes = hasFileTypes
        setRecordLength(end, at: 0)
        if hasChecksum {
            setRecordLength(DirectoryChecksum.tailLength, at: end)
            bytes[end + 7] = 0xde
        }
    }

    mutating func setRecordLength(_ length: Int, at offset: Int) {
        bytes.storeLittle(Self.rawRecordLength(length, blockSize: bytes.count), at: offset + 4)
    }

    mutating func setInode(_ inode: InodeNumber, typeCode: UInt8, at offset: Int) {
        bytes.storeLittle(inode.rawValue, at: offset)
        if hasFileTypes { bytes[offset + 7] = typeCode }
    }

    /// Writes an entry over the record at `offset`, whose length stays.
    private mutating func setEntry(_ name: [UInt8], _ inode: InodeNumber, typeCode: UInt8, at offset: Int) {
        bytes.storeLittle(inode.rawValue, at: offset)
        if hasFileTypes {
            bytes[offset + 6] = UInt8(truncatingIfNeeded: name.count)
            bytes[offset + 7] = typeCode
        } else {
            bytes.storeLittle(UInt16(truncatingIfNeeded: name.count), at: offset + 6)
        }
        bytes.replaceSubrange(offset + 8..<offset + 8 + name.count, with: name)
    }

    /// Puts an entry where there is room for it. False when there is none, or the block is damaged.
    mutating func insert(_ name: [UInt8], _ inode: InodeNumber, typeCode: UInt8) -> Bool {
        let needed = RawDirectoryEntry.length(nameLength: name.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard let entry = entry(at: offset) else { return false }
            let taken = entry.isFree ? 0 : RawDirectoryEntry.length(nameLength: entry.nameRange.count)
            if entry.recordLength - taken >= needed {
                if taken > 0 {
                    setRecordLength(taken, at: offset)
                    setRecordLength(entry.recordLength - taken, at: offset + taken)
                }
                setEntry(name, inode, typeCode: typeCode, at: offset + taken)
                return true
            }
            offset += entry.recordLength
        }
        return false
    }

    /// Takes the entry at `target` out: its record joins the one before, or becomes free.
    mutating func remove(at target: Int) -> Bool {
        var offset = range.lowerBound
        var previous: RawDirectoryEntry?
        while offset <= target, let entry = entry(at: offset) {
            if offset == target {
                if let previous {
                    setRecordLength(previous.recordLength + entry.recordLength, at: previous.offset)
                } else {
                    bytes.storeLittle(UInt32(0), at: offset)
                }
                return true
            }
            previous = entry
            offset += entry.recordLength
        }
        return false
    }

    /// The entries in use; nil when the block is damaged.
    func usedEntries() -> [RawDirectoryEntry]? {
        var result: [RawDirectoryEntry] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard let entry = entry(at: offset) else { return nil }
            if !entry.isFree { result.append(entry) }
            offset += entry.recordLength
        }
        return result
    }
}

extension FileType {
    /// EXT4_FT_*: how a directory entry says what it names.
    var directoryCode: UInt8 {
        switch self {
        case .regular: 1
        case .directory: 2
        case .characterDevice: 3
        case .blockDevice: 4
        case .fifo: 5
        case .socket: 6
        case .symbolicLink: 7
        }
    }
}
