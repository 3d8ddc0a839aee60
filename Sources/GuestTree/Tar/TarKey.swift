internal import Storage

/// Names of extended attributes in the keys of pax records. A key ends at the first "=", so GNU tar writes "=" as %3D and
/// "%" as %25; without that a hostile name would choose the attribute that its value is given to.
package enum TarKey {
    /// The key under which tar programs look for the text of an ACL; nil unless the attribute holds one.
    package static func list(_ name: [UInt8]) -> String? {
        switch name {
        case AccessControl.AttributeName.access: "SCHILY.acl.access"
        case AccessControl.AttributeName.inherited: "SCHILY.acl.default"
        default: nil
        }
    }

    package static func escaped(_ name: [UInt8]) -> [UInt8] {
        name.flatMap { byte in
            switch byte {
            case UInt8(ascii: "="): Array("%3D".utf8)
            case UInt8(ascii: "%"): Array("%25".utf8)
            default: [byte]
            }
        }
    }

    package static func unescaped(_ key: some Collection<UInt8>) -> [UInt8] {
        var name: [UInt8] = []
        var rest = key[...]
        while let byte = rest.first {
            if rest.starts(with: "%3D".utf8) {
                name.append(UInt8(ascii: "="))
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "%25".utf8) {
                name.append(UInt8(ascii: "%"))
                rest = rest.dropFirst(3)
            } else {
                name.append(byte)
                rest = rest.dropFirst()
            }
        }
        return name
    }
}
