internal import Storage

extension VolumeView {
    /// A small directory inside its inode: the parent's number, entries in what is left of i_block, more entries
    /// in the value of system.data. "." and ".." are not stored; ".." is made up here.
    func forEachInlineEntry(
        of directory: Inode, _ body: (DirectoryBlock, RawDirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let map = Array(directory.bytes[Inode.mapRange])
        let position = geometry.byteOffset(of: directory.block) + UInt64(directory.offset)
        let parent = InodeNumber(map.little(0))
        guard parent.rawValue > 0, parent.rawValue <= geometry.inodeCount else {
            throw .ext4(
                .corrupt, .badInlineData, "the inline directory \(directory.name) has no valid parent",
                structure: "inode", field: "i_block", offset: position)
        }
        guard try body(inlineParent(parent), inlineParentEntry(parent)) else { return }
        let first = DirectoryBlock(bytes: map, range: 4..<map.count, hasFileTypes: hasFileTypes)
        guard try forEachEntry(in: first, at: position + UInt64(Inode.Offset.map), of: directory, body) else {
            return
        }
        guard let rest = try inlineOverflow(of: directory), !rest.isEmpty else { return }
        let second = DirectoryBlock(bytes: rest, range: 0..<rest.count, hasFileTypes: hasFileTypes)
        _ = try forEachEntry(in: second, at: position, of: directory, body)
    }

    private func inlineParent(_ parent: InodeNumber) -> DirectoryBlock {
        var bytes = [UInt8](repeating: 0, count: 12)
        bytes.storeLittle(parent.rawValue, at: 0)
        bytes[4] = 12
        bytes[6] = 2
        bytes[8] = UInt8(ascii: ".")
        bytes[9] = UInt8(ascii: ".")
        return DirectoryBlock(bytes: bytes, range: 0..<12, hasFileTypes: hasFileTypes)
    }

    private func inlineParentEntry(_ parent: InodeNumber) -> RawDirectoryEntry {
        RawDirectoryEntry(
            offset: 0, recordLength: 12, inode: parent.rawValue, nameRange: 8..<10, typeCode: 2)
    }
}
