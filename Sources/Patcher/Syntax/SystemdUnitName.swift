/// The name of a unit that stands for a device: "/" is written as "-", and what a name cannot hold as `\x2d`
/// (systemd.unit(5), "String escaping for inclusion in unit names").
enum SystemdUnitName {
    /// What a unit is to a device: the device, or what is swapped to.
    enum Kind: String, CaseIterable { case device = ".device", swap = ".swap" }

    /// The path of "dev-sdb2.device" and of "dev-sdb3.swap"; nil where the name stands for no device.
    static func device(of unit: String) -> String? {
        guard unit.hasPrefix("dev-"), let kind = kind(of: unit) else { return nil }
        return path(ofEscaped: unit.dropLast(kind.rawValue.count))
    }

    /// What such a unit is.
    static func kind(of unit: String) -> Kind? { Kind.allCases.first { unit.hasSuffix($0.rawValue) } }

    /// The unit of a device's path.
    static func unit(ofDevice path: String, _ kind: Kind = .device) -> String {
        let name = path.utf8.drop { $0 == UInt8(ascii: "/") }.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "/"): text += "-"
            case UInt8(ascii: "."), .colon: text.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where byte.isNameCharacter: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return name + kind.rawValue
    }

    /// Where a mount unit mounts, by its own name: "srv-data.mount" is /srv/data.
    static func mountPoint(ofUnit unit: some StringProtocol) -> String? {
        guard unit.hasSuffix(".mount") else { return nil }
        let name = unit.dropLast(".mount".count)
        return name == "-" ? "/" : path(ofEscaped: name)
    }

    private static func path(ofEscaped name: some StringProtocol) -> String? {
        var bytes: [UInt8] = [UInt8(ascii: "/")]
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "-"): bytes.append(UInt8(ascii: "/"))
            case .backslash:
                guard rest.first == UInt8(ascii: "x"), rest.count >= 3,
                    let value = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(3)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
