/// systemd-boot's loader.conf.
package struct SystemdBootConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("systemd-boot")
    package static let places: [ConfigurationPlace] = [
        .path("/boot/loader/loader.conf"), .path("/efi/loader/loader.conf"),
        .path("/boot/efi/loader/loader.conf"),
    ]
    package static var isBootLoader: Bool { true }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    /// The pattern that `default` gives, and where it stands.
    package var defaultPattern: (range: Range<Int>, text: String)? {
        rows.first { $0.words[0] == "default" && $0.words.count > 1 }.map { ($0.ranges[1], $0.words[1]) }
    }

    /// systemd-boot's patterns: with or without ".conf", "*" for anything.
    static func matches(_ identifier: String, pattern: String) -> Bool {
        let pattern = pattern.hasSuffix(".conf") ? String(pattern.dropLast(5)) : pattern
        guard let star = pattern.firstIndex(of: "*") else { return identifier == pattern }
        return identifier.hasPrefix(pattern[..<star])
    }
}
