internal import Storage

/// A block with entries that changes: entries stay where they are, what lies between them is marked free, the three
/// longest gaps are listed in the header.
struct EditedDataBlock {
    private(set) var bytes: [UInt8]
    let layout: DirectoryLayout
    /// Where entries end.
    private(set) var end: Int
    /// Entries by their offsets.
    private(set) var used: [(offset: Int, size: Int)]

    /// Nil where the block is damaged.
    init?(_ block: DirectoryDataBlock) {
        guard block.isSound else { return nil }
        bytes = block.bytes
        layout = block.layout
        end = block.end
        used = []
        var offset = layout.dataHeaderSize
        while offset < end {
            if end - offset >= 8, bytes.big(offset, as: UInt16.self) == DirectoryLayout.freeTag {
                let length = Int(bytes.big(offset + 2, as: UInt16.self))
                guard length >= 8, length % 8 == 0, length <= end - offset else { return nil }
                offset += length
                continue
            }
            guard let (_, size) = block.entry(at: offset) else { return nil }
            used.append((offset, size))
            offset += size
        }
    }

    /// A block without entries.
    init(empty layout: DirectoryLayout, magic: UInt32) {
        self.layout = layout
        bytes = [UInt8](repeating: 0, count: layout.blockSize)
        bytes.storeBig(magic, at: 0)
        end = layout.blockSize
        used = []
    }

    /// Free ranges when entries end at `end`; nil where one lies behind it.
    private func gaps(before end: Int) -> [Range<Int>]? {
        var gaps: [Range<Int>] = []
        var next = layout.dataHeaderSize
        for entry in used {
            if entry.offset > next { gaps.append(next..<entry.offset) }
            next = entry.offset + entry.size
        }
        guard next <= end else { return nil }
        if next < end { gaps.append(next..<end) }
        return gaps
    }

    /// The longest gap.
    var longestGap: Int { gaps(before: end)?.map(\.count).max() ?? 0 }

    /// Whether an entry of a name fits when entries end at `end`.
    func hasRoom(_ nameLength: Int, before end: Int) -> Bool {
        gaps(before: end)?.contains { $0.count >= layout.entrySize(nameLength) } ?? false
    }

    /// Puts an entry into the longest gap; returns its offset, nil where there is no room.
    mutating func insert(_ entry: RawDirectoryEntry) -> Int? {
        let size = layout.entrySize(entry.name.count)
        guard let gap = gaps(before: end)?.max(by: { $0.count < $1.count }), gap.count >= size else {
            return nil
        }
        write(entry, at: gap.lowerBound)
        let index = used.firstIndex { $0.offset > gap.lowerBound } ?? used.count
        used.insert((gap.lowerBound, size), at: index)
        return gap.lowerBound
    }

    private mutating func write(_ entry: RawDirectoryEntry, at offset: Int) {
        let size = layout.entrySize(entry.name.count)
        bytes.replaceSubrange(offset..<offset + size, with: [UInt8](repeating: 0, count: size))
        bytes.storeBig(entry.inode.rawValue, at: offset)
        bytes[offset + 8] = UInt8(entry.name.count)
        bytes.replaceSubrange(offset + 9..<offset + 9 + entry.name.count, with: entry.name)
        if layout.hasFileTypes {
            bytes[offset + 9 + entry.name.count] = entry.type.map(RawDirectoryEntry.number) ?? 0
        }
        bytes.storeBig(UInt16(offset), at: offset + size - 2)
    }

    /// Lets an entry name another file.
    mutating func setFile(_ inode: InodeNumber, _ type: FileType?, at offset: Int) {
        bytes.storeBig(inode.rawValue, at: offset)
        if layout.hasFileTypes {
            bytes[offset + 9 + Int(bytes[offset + 8])] = type.map(RawDirectoryEntry.number) ?? 0
        }
    }

    /// Takes an entry away; false where there is none.
    mutating func remove(at offset: Int) -> Bool {
        guard let index = used.firstIndex(where: { $0.offset == offset }) else { return false }
        used.remove(at: index)
        return true
    }

    /// Moves the end of entries.
    mutating func setEnd(_ end: Int) { self.end = end }

    mutating func setMagic(_ magic: UInt32) { bytes.storeBig(magic, at: 0) }

    /// Marks what is free and lists the longest gaps. False where an entry lies behind the end.
    mutating func settle() -> Bool {
        guard let gaps = gaps(before: end) else { return false }
        for gap in gaps {
            bytes.storeBig(DirectoryLayout.freeTag, at: gap.lowerBound)
            bytes.storeBig(UInt16(gap.count), at: gap.lowerBound + 2)
            bytes.storeBig(UInt16(gap.lowerBound), at: gap.upperBound - 2)
        }
        let list = layout.gapListOffset
        let longest = gaps.sorted { ($1.count, $0.lowerBound) < ($0.count, $1.lowerBound) }
        for index in 0..<3 {
            let gap = index < longest.count ? longest[index] : 0..<0
            bytes.storeBig(UInt16(gap.isEmpty ? 0 : gap.lowerBound), at: list + index * 4)
            bytes.storeBig(UInt16(gap.count), at: list + index * 4 + 2)
        }
        return true
    }

    /// Puts the hashes of a directory of one block behind its entries.
    mutating func setHashes(_ hashes: [NameAddress]) {
        end = layout.blockSize - 8 - hashes.count * 8
        for (index, hash) in hashes.enumerated() {
            bytes.storeBig(hash.hash, at: end + index * 8)
            bytes.storeBig(hash.address, at: end + index * 8 + 4)
        }
        bytes.storeBig(UInt32(hashes.count), at: layout.blockSize - 8)
        bytes.storeBig(UInt32(0), at: layout.blockSize - 4)
    }
}

/// A name's hash and where its entry lies, in units of eight bytes of the directory; 0 for one that is gone.
struct NameAddress: Sendable {
    var hash: UInt32
    var address: UInt32
}

extension [NameAddress] {
    /// Puts one in its place.
    mutating func insert(sorted new: NameAddress) {
        insert(new, at: indices.firstIndex(sortedBy: { self[$0].hash > new.hash }))
    }
}
