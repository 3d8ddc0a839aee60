public import Storage

/// POSIX access control lists as text.
public enum ACLText {
    /// The short text form of an ACL in getxattr(2)'s form, with numbers for names: "user::rw-,user:1000:r--,…"
    /// (acl(5); the binary form is Linux's `struct posix_acl_xattr_header`). Nil when it is not one.
    public static func short(_ value: [UInt8]) -> String? {
        guard value.count >= 4, (value.count - 4) % 8 == 0, value.little(0) as UInt32 == 2 else { return nil }
        var entries: [String] = []
        for offset in stride(from: 4, to: value.count, by: 8) {
            let permissions: UInt16 = value.little(offset + 2)
            let number: UInt32 = value.little(offset + 4)
            let who: String
            switch value.little(offset) as UInt16 {
            case 0x01: who = "user:"
            case 0x02: who = "user:\(number)"
            case 0x04: who = "group:"
            case 0x08: who = "group:\(number)"
            case 0x10: who = "mask:"
            case 0x20: who = "other:"
            default: return nil
            }
            let letters = [(4, "r"), (2, "w"), (1, "x")]
                .map { permissions & UInt16($0.0) != 0 ? $0.1 : "-" }.joined()
            entries.append("\(who):\(letters)")
        }
        return entries.joined(separator: ",")
    }

    /// The same for an extended attribute; nil unless it is an ACL.
    public static func short(_ attribute: ExtendedAttribute) -> String? {
        tarKey(attribute) == nil ? nil : short(attribute.value)
    }

    /// The pax key under which tar programs look for the ACL's text; nil unless the attribute is an ACL.
    static func tarKey(_ attribute: ExtendedAttribute) -> String? {
        switch String(decoding: attribute.name, as: UTF8.self) {
        case "system.posix_acl_access": "SCHILY.acl.access"
        case "system.posix_acl_default": "SCHILY.acl.default"
        default: nil
        }
    }
}
