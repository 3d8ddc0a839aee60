/// mkinitcpio.conf of Arch (mkinitcpio.conf(5)): `MODULES=(a b)`, in older files `MODULES="a b"`.
package struct MkinitcpioConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("mkinitcpio")
    package static let places: [ConfigurationPlace] = [.path("/etc/mkinitcpio.conf")]

    /// The bytes between the brackets or quotes of the last `MODULES`; nil where there is none on one line.
    package let modulesRange: Range<Int>?
    /// The names there.
    package let modules: [String]

    package init(_ bytes: [UInt8], path: String) {
        var found: Range<Int>?
        for line in TextLine.all(in: bytes) {
            let text = bytes.trimmed(line.content)
            guard bytes.has("MODULES=", at: text.lowerBound, in: text) else { continue }
            let start = text.lowerBound + 8
            guard start < text.upperBound else { continue }
            let closing: UInt8
            switch bytes[start] {
            case UInt8(ascii: "("): closing = UInt8(ascii: ")")
            case .doubleQuote, .singleQuote: closing = bytes[start]
            default: continue
            }
            guard let end = bytes[(start + 1)..<text.upperBound].firstIndex(of: closing) else { continue }
            found = start + 1..<end
        }
        modulesRange = found
        modules = found.map { bytes.fields(in: $0).map { bytes.text($0) } } ?? []
    }
}
