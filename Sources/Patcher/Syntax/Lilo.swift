/// lilo.conf: `key=value` lines, `image=` beginning an entry. LILO's map file holds the root's device number and the
/// kernel's sectors, so that an edit of this file changes nothing until lilo is run: it is read for the report.
package struct Lilo: Sendable, Equatable {
    /// The entries in order.
    package var entries: [BootEntry] = []
    /// `default=`.
    package var defaultText: String?
    /// `boot=`: where the loader is installed.
    package var bootDevice: (range: Range<Int>, text: String)?
    /// The `root=` of each entry, or the one before all entries.
    package var roots: [(range: Range<Int>, text: String)] = []

    package static func == (left: Self, right: Self) -> Bool {
        left.entries == right.entries && left.defaultText == right.defaultText
    }

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var current: BootEntry?
        for line in TextLine.all(in: bytes) {
            let text = bytes.trimmed(line.content)
            guard let first = bytes[text].first, first != .hash else { continue }
            guard let equals = bytes[text].firstIndex(of: .equals) else { continue }
            let key = bytes.text(bytes.trimmed(text.lowerBound..<equals))
            var value = bytes.trimmed(equals + 1..<text.upperBound)
            if value.count >= 2, bytes[value.lowerBound] == .doubleQuote,
                bytes[value.upperBound - 1] == .doubleQuote
            {
                value = value.lowerBound + 1..<value.upperBound - 1
            }
            switch key {
            case "image", "other":
                if let done = current { entries.append(done) }
                current = BootEntry(
                    title: bytes.text(value), index: entries.count,
                    kernel: key == "image" ? bytes.text(value) : nil,
                    range: line.whole)
            case "label": current?.title = bytes.text(value)
            case "initrd": current?.initrds.append(bytes.text(value))
            case "default": defaultText = bytes.text(value)
            case "boot": bootDevice = (value, bytes.text(value))
            case "root": roots.append((value, bytes.text(value)))
            default: break
            }
        }
        if let done = current { entries.append(done) }
    }
}

extension Lilo: BootMenu {
    package static let kind = ConfigurationKind("lilo")
    package static var bootCode: BootCode? { .lilo }
    package static let places: [ConfigurationPlace] = [.path("/etc/lilo.conf")]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    package static var isReadAtBoot: Bool { false }
    package static var namesAreRemarkedOn: Bool { false }
    package static var takesSeveralInitrds: Bool { false }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        roots.map { DeviceSite(range: $0.range, text: $0.text, use: .reported("root= in LILO's map")) }
            + [bootDevice].compactMap { $0 }.map {
                DeviceSite(range: $0.range, text: $0.text, use: .reported("disk of the boot loader"))
            }
    }

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? {
        entries.first { $0.title == defaultText } ?? entries.first
    }
}
