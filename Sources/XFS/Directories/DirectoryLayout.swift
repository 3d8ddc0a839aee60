internal import Storage

/// Sizes and magic numbers of directory blocks, which differ between the versions. Places are bytes of the directory:
/// entries from 0 on, hashes from 32 GiB on, the index of free space from 64 GiB on.
struct DirectoryLayout: Sendable {
    static let hashStart: UInt64 = 32 << 30
    static let freeStart: UInt64 = 64 << 30
    /// Of an entry that is not in use.
    static let freeTag: UInt16 = 0xffff
    /// In a list of gaps: a block that the directory has not.
    static let noBlock: UInt16 = 0xffff
    static let singleBlockMagics: [UInt32] = [0x5844_3242, 0x5844_4233]
    static let dataMagics: [UInt32] = [0x5844_3244, 0x5844_4433]

    let blockSize: Int
    let hasChecksums: Bool
    let hasFileTypes: Bool

    init(_ geometry: Geometry) {
        blockSize = geometry.directoryBlockSize
        hasChecksums = geometry.hasChecksums
        hasFileTypes = geometry.hasFileTypes
    }

    var dataHeaderSize: Int { hasChecksums ? 64 : 16 }
    /// Where a header lists the three longest gaps.
    var gapListOffset: Int { hasChecksums ? 48 : 4 }
    var singleBlockMagic: UInt32 { Self.singleBlockMagics[hasChecksums ? 1 : 0] }
    var dataMagic: UInt32 { Self.dataMagics[hasChecksums ? 1 : 0] }

    /// Of blocks that list the free space of others.
    var freeSpaceMagic: UInt32 { hasChecksums ? 0x5844_4633 : 0x5844_3246 }
    var freeSpaceHeaderSize: Int { hasChecksums ? 64 : 16 }
    /// Hashes behind a header: in leaves and nodes.
    var hashHeaderSize: Int { hasChecksums ? 64 : 16 }
    var leafCapacity: Int { (blockSize - hashHeaderSize) / 8 }
    /// Blocks whose free space one block lists.
    var freeSpaceCapacity: Int { (blockSize - freeSpaceHeaderSize) / 2 }
    /// The first entry of a block that "." and ".." begin.
    var firstOffset: Int { dataHeaderSize + entrySize(1) + entrySize(2) }

    /// Bytes of an entry: inode 8, length 1, name, type, then a tag in the last two of a multiple of eight.
    func entrySize(_ nameLength: Int) -> Int { (nameLength + (hasFileTypes ? 12 : 11) + 7) & ~7 }
}

/// An entry of a directory as it is kept.
struct RawDirectoryEntry: Sendable {
    let name: [UInt8]
    let inode: InodeNumber
    let type: FileType?

    /// The number of a type.
    static func number(_ type: FileType) -> UInt8 {
        switch type {
        case .regular: 1
        case .directory: 2
        case .characterDevice: 3
        case .blockDevice: 4
        case .fifo: 5
        case .socket: 6
        case .symbolicLink: 7
        }
    }

    /// xfs_dir3_get_dtype's numbers.
    static func type(_ number: UInt8) -> FileType? {
        switch number {
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

/// A block of a directory that holds entries, checked: everything in it lies where it says.
struct DirectoryDataBlock: Sendable {
    let bytes: [UInt8]
    let layout: DirectoryLayout
    /// Where entries end: at the block's end, or before the hashes that a directory of one block has there.
    let end: Int

    var isSingle: Bool { DirectoryLayout.singleBlockMagics.contains(bytes.big(0)) }
    /// Where the hashes of a single block begin, and how many there are.
    var hashes: (start: Int, count: Int) { (end, (bytes.count - 8 - end) / 8) }

    /// The longest gap that the header lists.
    var longestGap: Int { Int(bytes.big(layout.gapListOffset + 2, as: UInt16.self)) }

    /// Whether entries and gaps fill the block, each with its tag, no gap beside another, and the header lists the three longest
    /// (xfs_dir3_data_check): the kernel refuses a directory in which it is not so.
    var isSound: Bool {
        let listed = (0..<3).map { index in
            let place = layout.gapListOffset + index * 4
            return (
                offset: Int(bytes.big(place, as: UInt16.self)),
                length: Int(bytes.big(place + 2, as: UInt16.self))
            )
        }
        guard listed.allSatisfy({ $0.length > 0 || $0.offset == 0 }), listed[0].length >= listed[1].length,
            listed[1].length >= listed[2].length
        else { return false }
        var found: Set<Int> = []
        var offset = layout.dataHeaderSize
        var isBehindGap = false
        while offset < end {
            guard end - offset >= 8, bytes.big(offset, as: UInt16.self) == DirectoryLayout.freeTag else {
                guard let (_, size) = entry(at: offset) else { return false }
                offset += size
                isBehindGap = false
                continue
            }
            let length = Int(bytes.big(offset + 2, as: UInt16.self))
            guard !isBehindGap, length >= 8, length % 8 == 0, length <= end - offset,
                Int(bytes.big(offset + length - 2, as: UInt16.self)) == offset
            else { return false }
            if listed.contains(where: { $0 == (offset, length) }) {
                found.insert(offset)
            } else if length > listed[2].length {
                return false
            }
            offset += length
            isBehindGap = true
        }
        return found.count == listed.count { $0.length > 0 }
    }

    /// The entry at `offset`, which is not free; nil where it is damaged.
    func entry(at offset: Int) -> (entry: RawDirectoryEntry, size: Int)? {
        guard offset >= layout.dataHeaderSize, offset % 8 == 0, end - offset >= 16 else { return nil }
        let length = Int(bytes[offset + 8])
        let size = layout.entrySize(length)
        // The last two bytes say where it begins.
        guard length > 0, size <= end - offset, bytes.big(offset, as: UInt16.self) != DirectoryLayout.freeTag,
            Int(bytes.big(offset + size - 2, as: UInt16.self)) == offset
        else { return nil }
        let name = Array(bytes[offset + 9..<offset + 9 + length])
        let type = layout.hasFileTypes ? RawDirectoryEntry.type(bytes[offset + 9 + length]) : nil
        return (RawDirectoryEntry(name: name, inode: InodeNumber(bytes.big(offset)), type: type), size)
    }
}
