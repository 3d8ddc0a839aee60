internal import Storage

/// A directory kept in its inode (struct xfs_dir2_sf_hdr): counts, the parent, entries without "." and "..".
struct ShortDirectory: Sendable {
    struct Entry: Sendable {
        var entry: RawDirectoryEntry
        /// Where the entry will lie when the directory becomes a block.
        var offset: UInt16
    }

    var parent: InodeNumber
    var entries: [Entry]
    /// Inode numbers that need eight bytes, as it was read: with one of them all take eight, otherwise four.
    private var wideCount: Int

    /// A directory without files.
    init(parent: InodeNumber) {
        self.parent = parent
        entries = []
        wideCount = 0
    }

    /// As it is kept. Numbers take eight bytes where one of them needs them; how many do is counted.
    func bytes(hasFileTypes: Bool) -> [UInt8] {
        let numbers = entries.map(\.entry.inode.rawValue) + [parent.rawValue]
        let wideCount = numbers.count { $0 > UInt64(UInt32.max) }
        func number(_ value: InodeNumber) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 8)
            bytes.storeBig(value.rawValue, at: 0)
            return wideCount > 0 ? bytes : Array(bytes[4...])
        }
        var result = [UInt8(truncatingIfNeeded: entries.count), UInt8(truncatingIfNeeded: wideCount)]
        result += number(parent)
        for entry in entries {
            let name = entry.entry.name
            result += [UInt8(name.count), UInt8(entry.offset >> 8), UInt8(entry.offset & 0xff)] + name
            if hasFileTypes { result.append(entry.entry.type.map(RawDirectoryEntry.number) ?? 0) }
            result += number(entry.entry.inode)
        }
        return result
    }

    /// Adds an entry behind the others; false where it would have no place in a block.
    mutating func append(_ entry: RawDirectoryEntry, _ layout: DirectoryLayout) -> Bool {
        guard entries.count < 255 else { return false }
        var offset = entries.last.map { Int($0.offset) + layout.entrySize($0.entry.name.count) }
        var end = (offset ?? layout.firstOffset) + layout.entrySize(entry.name.count)
        let limit = layout.blockSize - (entries.count + 4) * 8
        if end > limit {
            // Gaps that removed entries left are closed.
            var next = layout.firstOffset
            for index in entries.indices {
                entries[index].offset = UInt16(truncatingIfNeeded: next)
                next += layout.entrySize(entries[index].entry.name.count)
            }
            offset = next
            end = next + layout.entrySize(entry.name.count)
        }
        guard end <= limit else { return false }
        entries.append(
            Entry(entry: entry, offset: UInt16(truncatingIfNeeded: offset ?? layout.firstOffset)))
        return true
    }

    /// Whether places rise and leave room for all hashes in a block, and numbers are as wide as they have to be
    /// (xfs_dir2_sf_verify): the kernel refuses a directory in which it is not so.
    func isSound(_ layout: DirectoryLayout) -> Bool {
        var next = layout.firstOffset
        for entry in entries {
            guard Int(entry.offset) >= next else { return false }
            next = Int(entry.offset) + layout.entrySize(entry.entry.name.count)
        }
        let numbers = entries.map(\.entry.inode.rawValue) + [parent.rawValue]
        return numbers.count { $0 > UInt64(UInt32.max) } == wideCount
            && next + (entries.count + 2) * 8 + 8 <= layout.blockSize
    }

    /// Nil where the bytes end early or claim more than they hold.
    init?(_ bytes: [UInt8], hasFileTypes: Bool) {
        guard bytes.count >= 6 else { return nil }
        let count = Int(bytes[0])
        wideCount = Int(bytes[1])
        let wide = wideCount != 0
        let width = wide ? 8 : 4
        guard bytes.count >= 2 + width else { return nil }
        func number(_ offset: Int) -> InodeNumber {
            wide
                ? InodeNumber(bytes.big(offset)) : InodeNumber(UInt64(bytes.big(offset, as: UInt32.self)))
        }
        parent =
            wide ? InodeNumber(bytes.big(2)) : InodeNumber(UInt64(bytes.big(2, as: UInt32.self)))
        entries = []
        var offset = 2 + width
        for _ in 0..<count {
            guard bytes.count - offset >= 3 else { return nil }
            let length = Int(bytes[offset])
            let size = 3 + length + (hasFileTypes ? 1 : 0) + width
            guard length > 0, bytes.count - offset >= size else { return nil }
            let name = Array(bytes[offset + 3..<offset + 3 + length])
            entries.append(
                Entry(
                    entry: RawDirectoryEntry(
                        name: name, inode: number(offset + size - width),
                        type: hasFileTypes ? RawDirectoryEntry.type(bytes[offset + 3 + length]) : nil),
                    offset: bytes.big(offset + 1)))
            offset += size
        }
        guard offset == bytes.count else { return nil }
    }
}

extension VolumeView {
    /// The entries of a directory kept in its inode.
    func shortDirectory(_ directory: Inode) throws(StorageError) -> ShortDirectory {
        let range = directory.range(.data)
        // The size was checked against the fork.
        let bytes = Array(directory.bytes[range.lowerBound..<range.lowerBound + Int(directory.size)])
        guard let list = ShortDirectory(bytes, hasFileTypes: geometry.hasFileTypes),
            list.entries.allSatisfy({ geometry.contains($0.entry.inode) })
        else { throw badDirectory(directory, directory.position) }
        return list
    }
}
