internal import Storage

/// ext4 keeps POSIX access control lists shorter than getxattr(2) returns them: entries that name nobody have no number.
extension AccessControl {
    private static let diskVersion: UInt32 = 1

    /// From ext4's form; nil when it is not one.
    init?(ext4 disk: [UInt8]) {
        guard disk.count >= 4, disk.little(0) == Self.diskVersion else { return nil }
        var entries: [Entry] = []
        var offset = 4
        while offset < disk.count {
            guard disk.count - offset >= 4, let tag = Tag(rawValue: disk.little(offset)),
                disk.count - offset >= (tag.isNamed ? 8 : 4)
            else { return nil }
            entries.append(
                Entry(
                    tag: tag, id: tag.isNamed ? disk.little(offset + 4) : nil,
                    permissions: disk.little(offset + 2)))
            offset += tag.isNamed ? 8 : 4
        }
        self.init(entries: entries)
    }

    /// In ext4's form; nil for a list that the kernel would not take.
    var ext4Form: [UInt8]? {
        guard isValid else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4)
        bytes.storeLittle(Self.diskVersion, at: 0)
        for entry in entries {
            var encoded = [UInt8](repeating: 0, count: entry.tag.isNamed ? 8 : 4)
            encoded.storeLittle(entry.tag.rawValue, at: 0)
            encoded.storeLittle(entry.permissions, at: 2)
            if let id = entry.id, entry.tag.isNamed { encoded.storeLittle(id, at: 4) }
            bytes += encoded
        }
        return bytes
    }
}
