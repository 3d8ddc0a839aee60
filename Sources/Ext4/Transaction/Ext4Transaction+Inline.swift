internal import Storage

extension Ext4Transaction {
    /// Puts contents into the inode of a file that has them there, when they fit; moves the file to blocks when
    /// they do not. False when the contents still have to be put into blocks.
    func replaceInline(_ contents: [UInt8], in inode: inout Inode) throws(StorageError) -> Bool {
        guard inode.flags.contains(.inlineData) else { return false }
        guard let area = inodeAttributeArea(inode) else {
            throw .ext4(
                .corrupt, .badInlineData, "\(inode.name) has inline data and no system.data; run e2fsck",
                structure: "inode")
        }
        var list = try entries(of: area, inode)
        guard let index = list.firstIndex(where: { $0.name == .inlineData }) else {
            throw .ext4(
                .corrupt, .badInlineData, "\(inode.name) has inline data and no system.data; run e2fsck",
                structure: "inode")
        }
        let head = contents.prefix(Inode.mapRange.count)
        list[index].value = Array(contents.dropFirst(head.count))
        list[index].valueLength = list[index].value.count
        if let bytes = area.replacingEntries(list) {
            inode.bytes = bytes
            let padding = [UInt8](repeating: 0, count: Inode.mapRange.count - head.count)
            inode.bytes.replaceSubrange(Inode.mapRange, with: head + padding)
            return true
        }
        list.remove(at: index)
        try leaveInline(&inode, area: area, entries: list)
        return false
    }

    /// Turns an inode with inline data into one with an empty map; `entries` are its attributes without
    /// system.data.
    func leaveInline(
        _ inode: inout Inode, area: AttributeArea, entries: [AttributeEntry]
    ) throws(StorageError) {
        guard let bytes = area.replacingEntries(entries) else {
            throw .ext4(
                .corrupt, .badAttributes,
                "the attributes of \(inode.name) do not fit where they are; run e2fsck")
        }
        inode.bytes = bytes
        inode.flags.remove(.inlineData)
        var map = [UInt8](repeating: 0, count: Inode.mapRange.count)
        if geometry.incompatible.contains(.extents) {
            inode.flags.insert(.extents)
            map.storeLittle(ExtentNode.magic, at: 0)
            map.storeLittle(UInt16(4), at: 4)
        }
        inode.bytes.replaceSubrange(Inode.mapRange, with: map)
    }
}
