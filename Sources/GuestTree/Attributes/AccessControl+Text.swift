public import Storage

/// Lists as text: `u::rw-,u:1000:rwx,g::r--,m::rwx,o::r--`, acl_from_text(3).
extension AccessControl {
    /// From text: entries divided by commas or line ends; `lookUp` turns a name into a number (users, then groups).
    /// Throws `misuse` naming what is wrong, and what `user` and `group` throw. A missing mask is made where named entries need one.
    public init(
        text: String, user: (String) throws(StorageError) -> UInt32?,
        group: (String) throws(StorageError) -> UInt32?
    ) throws(StorageError) {
        func bad(_ what: String) -> StorageError {
            StorageError(
                .misuse, AccessControlCode.badAcl,
                "\(what); an access control list reads like u::rw-,u:1000:rwx,g::r--,m::rwx,o::r--")
        }
        var entries: [Entry] = []
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
                id = UInt32(fields[1])
                if id == nil, tag == .user { id = try user(fields[1]) }
                if id == nil, tag == .group { id = try group(fields[1]) }
                guard tag.isNamed, id != nil else { throw bad("there is no \(fields[0]) \"\(fields[1])\"") }
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
        self.init(
            entries: entries.sorted { ($0.tag.rawValue, $0.id ?? 0) < ($1.tag.rawValue, $1.id ?? 0) })
    }

    /// As text, one line, with numbers for names: "u::rw-,u:1000:r--,…", or with the tags' `longNames`, as tar programs
    /// look for it, "user::rw-,user:1000:r--,…".
    public func text(longNames: Bool = false) -> String {
        entries.map { entry in
            let name =
                switch entry.tag {
                case .owner, .user: "user"
                case .owningGroup, .group: "group"
                case .mask: "mask"
                case .other: "other"
                }
            let bits = [(4, "r"), (2, "w"), (1, "x")].map {
                entry.permissions & $0.0 != 0 ? $0.1 : "-"
            }.joined()
            return "\(longNames ? name[...] : name.prefix(1)):\(entry.id.map(String.init) ?? ""):\(bits)"
        }.joined(separator: ",")
    }

    /// The list that an extended attribute holds; nil when it holds none.
    public init?(_ attribute: ExtendedAttribute) {
        guard attribute.name == AttributeName.access || attribute.name == AttributeName.inherited else {
            return nil
        }
        self.init(attribute.value)
    }
}
