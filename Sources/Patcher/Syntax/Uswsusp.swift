/// uswsusp.conf: `resume device = /dev/sda2`.
package struct Uswsusp: ConfigurationSyntax {
    package static let kind = ConfigurationKind("uswsusp")
    package static let places: [ConfigurationPlace] = [.path("/etc/uswsusp.conf")]
    /// s2disk opens what it is told.
    package static var wantsPaths: Bool { true }

    package init(_ bytes: [UInt8], path: String) {}

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        TextLine.all(in: bytes).compactMap { line in
            let text = bytes.trimmed(line.content)
            guard bytes.has("resume device", at: text.lowerBound, in: text),
                let equals = bytes[text].firstIndex(of: .equals)
            else { return nil }
            let value = bytes.trimmed(equals + 1..<text.upperBound)
            return DeviceSite(
                range: value, text: bytes.text(value), use: .sharedKernelArgument(name: "resume"))
        }
    }
}
