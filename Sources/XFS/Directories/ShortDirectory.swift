internal import Storage

/// A directory kept in its inode (struct xfs_dir2_sf_hdr): counts, the parent, entries without "." and "..".
struct ShortDirectory: Sendable {
    struct Entry: Sendable {
        let entry: RawDirectoryEntry
        /// Where the entry will lie when the directory becomes a block.
        let offset: UInt16
    }

    var parent: InodeNumber
    var entries: [Entry]
    /// Inode numbers take eight bytes, otherwise four.
    var isWide: Bool

    /// Nil where the bytes end early or claim more than they hold.
    init?(_ bytes: [UInt8], hasFileTypes: Bool) {
        guard bytes.count >= 6 else { return nil }
        let count = Int(bytes[0])
        isWide = bytes[1] != 0
        let width = isWide ? 8 : 4
        guard bytes.count >= 2 + width else { return nil }
        func number(_ offset: Int) -> InodeNumber {
            isWide
                ? InodeNumber(bytes.big(offset)) : InodeNumber(UInt64(bytes.big(offset, as: UInt32.self)))
        }
        let wide = isWide
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
