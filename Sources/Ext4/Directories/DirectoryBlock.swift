internal import Storage

/// An entry as it lies in a directory block: `struct ext4_dir_entry_2`.
struct RawDirectoryEntry: Sendable {
    /// Where it begins in its block.
    var offset: Int
    /// How far the next is.
    var recordLength: Int
    /// 0 where the space is free.
    var inode: UInt32
    /// Where its name lies in its block.
    var nameRange: Range<Int>
    /// EXT4_FT_*, 0 where the directory does not tell.
    var typeCode: UInt8

    var isFree: Bool { inode == 0 }

    /// The length that a record for a name of `count` bytes needs.
    static func length(nameLength count: Int) -> Int { (8 + count + 3) & ~3 }

    var type: FileType? {
        switch typeCode {
        case 1: .regular
        case 2: .directory
        case 3: .characterDevice
        case 4: .blockDevice
        case 5: .fifo
        case 6: .socket
        case 7: .symbolicLink
        default: nil
        }
    }
}

/// The bytes of a directory block (or of a piece of inline data with entries) and how entries lie in them.
struct DirectoryBlock: Sendable {
    var bytes: [UInt8]
    /// Which bytes hold entries: all but a checksum's tail.
    var range: Range<Int>
    let hasFileTypes: Bool

    /// s_rec_len: with 64 KiB blocks the length 65536 is written as 65535 or 0, and others keep bits 16 and 17 low.
    static func recordLength(_ raw: UInt16, blockSize: Int) -> Int {
        let length = Int(raw)
        guard blockSize >= 65536 else { return length }
        if raw == 0xffff || raw == 0 { return blockSize }
        return length & 0xfffc | (length & 3) << 16
    }

    /// How a length is written.
    static func rawRecordLength(_ length: Int, blockSize: Int) -> UInt16 {
        blockSize >= 65536 && length >= 65536 ? 0xffff : UInt16(truncatingIfNeeded: length)
    }

    /// The entry at `offset`, or nil when it cannot be one.
    func entry(at offset: Int) -> RawDirectoryEntry? {
        guard offset >= range.lowerBound, range.upperBound - offset >= 8 else { return nil }
        let length = Self.recordLength(bytes.little(offset + 4), blockSize: bytes.count)
        guard length >= 8, length % 4 == 0, length <= range.upperBound - offset else { return nil }
        let inode: UInt32 = bytes.little(offset)
        let nameLength = hasFileTypes ? Int(bytes[offset + 6]) : Int(bytes.little(offset + 6) as UInt16)
        let typeCode = hasFileTypes ? bytes[offset + 7] : 0
        guard inode == 0 || nameLength > 0 && nameLength <= 255 && 8 + nameLength <= length else {
            return nil
        }
        let end = offset + 8 + min(nameLength, length - 8)
        return RawDirectoryEntry(
            offset: offset, recordLength: length, inode: inode, nameRange: offset + 8..<end,
            typeCode: typeCode & 0x0f)
    }

    func name(of entry: RawDirectoryEntry) -> [UInt8] { Array(bytes[entry.nameRange]) }

    func hasName(_ entry: RawDirectoryEntry, _ name: [UInt8]) -> Bool {
        entry.nameRange.count == name.count && bytes[entry.nameRange].elementsEqual(name)
    }
}
