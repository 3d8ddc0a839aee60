/// How the names of extended attributes are stored: a number for the prefix, and the rest.
struct AttributeName: Hashable, Sendable {
    /// EXT4_XATTR_INDEX_*.
    var index: UInt8
    var suffix: [UInt8]

    private static let prefixes: [(index: UInt8, prefix: [UInt8])] = [
        (2, Array("system.posix_acl_access".utf8)), (3, Array("system.posix_acl_default".utf8)),
        (8, Array("system.richacl".utf8)), (1, Array("user.".utf8)), (4, Array("trusted.".utf8)),
        (5, Array("lustre.".utf8)), (6, Array("security.".utf8)), (7, Array("system.".utf8)),
        (10, Array("gnu.".utf8)),
    ]

    static let accessACL = AttributeName(index: 2, suffix: [])
    static let defaultACL = AttributeName(index: 3, suffix: [])
    /// What does not fit into i_block of a file with inline data.
    static let inlineData = AttributeName(index: 7, suffix: Array("data".utf8))
    /// Where fscrypt keeps a file's context; not an attribute for users.
    static let encryptionIndex: UInt8 = 9

    init(index: UInt8, suffix: [UInt8]) {
        self.index = index
        self.suffix = suffix
    }

    /// From a full name; nil when no prefix fits.
    init?(fullName: [UInt8]) {
        for (index, prefix) in Self.prefixes where fullName.starts(with: prefix) {
            let rest = Array(fullName[prefix.count...])
            // "system.posix_acl_access" and its like are whole names; the others need something behind the dot.
            guard rest.isEmpty == (prefix.last != UInt8(ascii: ".")) else { continue }
            self.init(index: index, suffix: rest)
            return
        }
        return nil
    }

    /// The full name; nil for an index that no prefix belongs to.
    var fullName: [UInt8]? {
        guard let prefix = Self.prefixes.first(where: { $0.index == index })?.prefix else { return nil }
        return prefix + suffix
    }

    var isUser: Bool { index == 1 }
    var isACL: Bool { self == .accessACL || self == .defaultACL }
}
