/// booster.yaml (booster(1)): `modules: a,b` at the beginning of a line.
package struct BoosterConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("booster")
    package static let places: [ConfigurationPlace] = [.path("/etc/booster.yaml")]

    /// The bytes of the value; nil where there is none, or one that is more than a plain word.
    package let modulesRange: Range<Int>?
    /// The names there.
    package let modules: [String]
    /// The key is not there.
    package let hasNoModules: Bool

    package init(_ bytes: [UInt8], path: String) {
        let key = "modules:"
        let line = TextLine.all(in: bytes).last { bytes.has(key, at: $0.content.lowerBound, in: $0.content) }
        hasNoModules = line == nil
        guard let line else {
            (modulesRange, modules) = (nil, [])
            return
        }
        let words = bytes.fields(in: line.content.lowerBound + key.utf8.count..<line.content.upperBound)
        // A comment may follow; quotes, anchors and blocks are left alone.
        guard let value = words.first, words.count == 1 || bytes[words[1].lowerBound] == UInt8(ascii: "#"),
            !"\"'|>&*![{#".utf8.contains(bytes[value.lowerBound])
        else {
            (modulesRange, modules) = (nil, [])
            return
        }
        modulesRange = value
        modules = bytes.text(value).split(separator: ",").map(String.init)
    }
}
