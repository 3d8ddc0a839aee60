/// cloud-init's configuration, as far as its sources go: `datasource_list: [ Azure, None ]`, or the same a name a line.
package struct CloudInitConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("cloud-init")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/cloud/cloud.cfg"), .directory("/etc/cloud/cloud.cfg.d", suffix: ".cfg"),
    ]
    package static var isNeededToBoot: Bool { false }

    /// The sources that the file lists; nil where it lists none.
    package private(set) var sources: [String]?

    package init(_ bytes: [UInt8], path: String) {
        var isOpen = false
        for line in TextLine.all(in: bytes) {
            let text = bytes.text(bytes.trimmed(line.content))
            if isOpen, text.hasPrefix("- ") {
                sources?.append(contentsOf: Self.words(text.dropFirst(2)))
            } else if text.hasPrefix("datasource_list:") {
                sources = Self.words(text.dropFirst("datasource_list:".count))
                isOpen = true
            } else if !text.isEmpty, !text.hasPrefix("#") {
                isOpen = false
            }
        }
    }

    /// What `mounts:` and `fs_setup:` name; the file is never changed.
    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { NamedDevices.reportedSites(in: bytes) }

    private static func words(_ text: Substring) -> [String] {
        text.prefix { $0 != "#" }.split { " ,[]\"'\t".contains($0) }.map(String.init)
    }
}
