/// A POSIX access control list, in the form that getxattr(2) returns and setxattr(2) takes (linux/posix_acl_xattr.h). How a
/// file system keeps it is that file system's affair.
public struct AccessControl: Equatable, Sendable {
    /// Whom an entry is about: linux/posix_acl_xattr.h, e_tag.
    public enum Tag: UInt16, Sendable {
        /// The file's owner.
        case owner = 0x01
        /// A named user.
        case user = 0x02
        /// The file's group.
        case owningGroup = 0x04
        /// A named group.
        case group = 0x08
        /// The most that named users and all groups may do.
        case mask = 0x10
        /// Everybody else.
        case other = 0x20

        /// It names somebody by number.
        public var isNamed: Bool { self == .user || self == .group }
    }

    /// One entry.
    public struct Entry: Equatable, Sendable {
        /// Whom it is about.
        public var tag: Tag
        /// Number of the user or group, where the tag names one.
        public var id: UInt32?
        /// r 4, w 2, x 1.
        public var permissions: UInt16

        /// Makes an entry.
        public init(tag: Tag, id: UInt32? = nil, permissions: UInt16) {
            self.tag = tag
            self.id = id
            self.permissions = permissions
        }
    }

    /// In the order of tags and numbers, as the kernel wants them.
    public var entries: [Entry]

    /// The extended attributes that hold lists.
    public enum AttributeName {
        /// What may be done with a file.
        public static let access = Array("system.posix_acl_access".utf8)
        /// What new files in a directory get.
        public static let inherited = Array("system.posix_acl_default".utf8)
    }

    /// A list of entries, in the order of tags and numbers.
    public init(entries: [Entry]) { self.entries = entries }

    /// From an attribute's value; nil when it is not a list (version 2, entries of 8 bytes).
    public init?(_ value: [UInt8]) {
        guard value.count >= 4, (value.count - 4) % 8 == 0, value.little(0) as UInt32 == 2 else { return nil }
        entries = []
        for offset in stride(from: 4, to: value.count, by: 8) {
            guard let tag = Tag(rawValue: value.little(offset)) else { return nil }
            let id: UInt32 = value.little(offset + 4)
            entries.append(Entry(tag: tag, id: tag.isNamed ? id : nil, permissions: value.little(offset + 2)))
        }
    }

    /// As the value of system.posix_acl_access or system.posix_acl_default.
    public var value: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4 + entries.count * 8)
        bytes.storeLittle(UInt32(2), at: 0)
        for (index, entry) in entries.enumerated() {
            bytes.storeLittle(entry.tag.rawValue, at: 4 + index * 8)
            bytes.storeLittle(entry.permissions, at: 6 + index * 8)
            bytes.storeLittle(entry.id ?? .max, at: 8 + index * 8)
        }
        return bytes
    }
}
