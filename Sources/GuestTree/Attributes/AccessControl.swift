public import Storage

/// A POSIX access control list: as the extended attribute's value that getxattr(2) returns, and as text
/// (`u::rw-,u:1000:rwx,g::r--,m::rwx,o::r--`, acl_from_text(3)).
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

        var isNamed: Bool { self == .user || self == .group }
    }

    /// One entry.
    public struct Entry: Equatable, Sendable {
        /// Whom it is about.
        public var tag: Tag
        /// Number of the user or group, where the tag names one.
        public var id: UInt32?
        /// r 4, w 2, x 1.
        public var permissions: UInt16
    }

    /// In the order of tags and numbers, as the kernel wants them.
    public var entries: [Entry]

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

    /// From text: entries divided by commas or line ends; `lookUp` turns a name into a number (users, then groups).
    /// Throws `misuse` naming what is wrong. A missing mask is made where named entries need one.
    public init(
        text: String, user: (String) -> UInt32?, group: (String) -> UInt32?
    ) throws(StorageError) {
        func bad(_ what: String) -> StorageError {
            StorageError(
                .misuse, layer: "acl", code: "bad-acl",
                "\(what); an access control list reads like u::rw-,u:1000:rwx,g::r--,m::rwx,o::r--")
        }
        entries = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == "\n" }) {
            let line = part.prefix { $0 != "#" }.filter { $0 != " " && $0 != "\t" }
            if line.isEmpty { continue }
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { throw bad("\"\(line)\" is not an entry") }
            let named = !fields[1].isEmpty
            let tag: Tag
            switch fields[0] {
            case "u", "user": tag = named ? .user : .owner
            case "g", "group": tag = named ? .group : .owningGroup
            case "m", "mask": tag = .mask
            case "o", "other": tag = .other
            default: throw bad("\"\(fields[0])\" is none of u, g, m, o")
            }
            var id: UInt32?
            if named {
                guard tag.isNamed, let number = UInt32(fields[1]) ?? (tag == .user ? user : group)(fields[1])
                else { throw bad("there is no \(fields[0]) \"\(fields[1])\"") }
                id = number
            }
            var permissions: UInt16 = 0
            for letter in fields[2] {
                switch letter {
                case "r": permissions |= 4
                case "w": permissions |= 2
                case "x": permissions |= 1
                case "-": break
                default: throw bad("\"\(fields[2])\" are not permissions")
                }
            }
            entries.append(Entry(tag: tag, id: id, permissions: permissions))
        }
        for tag in [Tag.owner, .owningGroup, .other] where entries.count(where: { $0.tag == tag }) != 1 {
            throw bad("u::, g:: and o:: must be there once each")
        }
        guard entries.count(where: { $0.tag == .mask }) <= 1 else { throw bad("there is more than one mask") }
        if entries.contains(where: { $0.tag.isNamed }), !entries.contains(where: { $0.tag == .mask }) {
            let union = entries.filter { $0.tag.isNamed || $0.tag == .owningGroup }
                .reduce(UInt16(0)) { $0 | $1.permissions }
            entries.append(Entry(tag: .mask, id: nil, permissions: union))
        }
        entries.sort { ($0.tag.rawValue, $0.id ?? 0) < ($1.tag.rawValue, $1.id ?? 0) }
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

    /// As text, one line.
    public var text: String {
        entries.map { entry in
            let letter =
                switch entry.tag {
                case .owner, .user: "u"
                case .owningGroup, .group: "g"
                case .mask: "m"
                case .other: "o"
                }
            let bits = [(4, "r"), (2, "w"), (1, "x")].map {
                entry.permissions & $0.0 != 0 ? $0.1 : "-"
            }.joined()
            return "\(letter):\(entry.id.map(String.init) ?? ""):\(bits)"
        }.joined(separator: ",")
    }

    /// What a new file with `permissions` makes of its directory's default list: posix_acl_create(). The list is nil
    /// where the mode says as much.
    package func inherited(_ permissions: UInt16) -> (permissions: UInt16, list: AccessControl?) {
        var copy = self
        let hasMask = entries.contains { $0.tag == .mask }
        var mode = permissions & 0o7000
        for index in copy.entries.indices {
            switch copy.entries[index].tag {
            case .owner:
                copy.entries[index].permissions &= permissions >> 6 & 7
                mode |= copy.entries[index].permissions << 6
            case .mask:
                copy.entries[index].permissions &= permissions >> 3 & 7
                mode |= copy.entries[index].permissions << 3
            case .owningGroup where !hasMask:
                copy.entries[index].permissions &= permissions >> 3 & 7
                mode |= copy.entries[index].permissions << 3
            case .other:
                copy.entries[index].permissions &= permissions & 7
                mode |= copy.entries[index].permissions
            default: break
            }
        }
        let saysMore = entries.contains { $0.tag.isNamed || $0.tag == .mask }
        return (mode, saysMore ? copy : nil)
    }
}
