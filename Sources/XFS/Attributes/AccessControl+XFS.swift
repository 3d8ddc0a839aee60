internal import Storage

/// XFS keeps access control lists as attributes of root's (struct xfs_acl): a count, then tag 4, id 4, permissions 2 and
/// padding 2, big-endian. The kernel shows them under both names.
extension AccessControl {
    private static let names: [(kept: [UInt8], shown: [UInt8])] = [
        (Array("trusted.SGI_ACL_FILE".utf8), AttributeName.access),
        (Array("trusted.SGI_ACL_DEFAULT".utf8), AttributeName.inherited),
    ]

    /// The list that an attribute of XFS is, and the name under which it is shown; nil where it is none.
    static func kept(_ name: [UInt8], _ value: [UInt8]) -> (name: [UInt8], list: AccessControl)? {
        guard let shown = names.first(where: { $0.kept == name })?.shown, let list = AccessControl(xfs: value)
        else { return nil }
        return (shown, list)
    }

    /// The name under which a list is kept that is called as the kernel calls it; nil for other names.
    static func keptName(_ shown: [UInt8]) -> [UInt8]? { names.first { $0.shown == shown }?.kept }

    /// In XFS's form.
    var xfsForm: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4 + entries.count * 12)
        bytes.storeBig(UInt32(entries.count), at: 0)
        for (index, entry) in entries.enumerated() {
            bytes.storeBig(UInt32(entry.tag.rawValue), at: 4 + index * 12)
            // What names nobody has the number that the kernel gives it.
            bytes.storeBig(entry.id ?? 0, at: 8 + index * 12)
            bytes.storeBig(entry.permissions, at: 12 + index * 12)
        }
        return bytes
    }

    /// From XFS's form; nil when it is not one.
    init?(xfs disk: [UInt8]) {
        guard disk.count >= 4 else { return nil }
        let count = Int(disk.big(0, as: UInt32.self))
        guard count <= (disk.count - 4) / 12 else { return nil }
        var entries: [Entry] = []
        for offset in stride(from: 4, to: 4 + count * 12, by: 12) {
            guard let number = UInt16(exactly: disk.big(offset, as: UInt32.self)),
                let tag = Tag(rawValue: number)
            else { return nil }
            entries.append(
                Entry(
                    tag: tag, id: tag.isNamed ? disk.big(offset + 4) : nil, permissions: disk.big(offset + 8))
            )
        }
        self.init(entries: entries)
    }
}
