/// Sections of `key=value` lines: systemd's units, NetworkManager's key files.
struct INIFile: Sendable {
    /// One setting.
    struct Setting: Sendable {
        /// The section that it stands in.
        var section: String
        /// How many sections began before; two of one name are two.
        var sectionIndex: Int
        /// The key.
        var key: String
        /// The value's bytes, without blanks around them.
        var range: Range<Int>
        /// The value.
        var text: String
    }

    /// The settings in order.
    var settings: [Setting] = []

    init(_ bytes: [UInt8]) {
        var section = ""
        var index = 0
        for line in TextLine.all(in: bytes) {
            let content = bytes.trimmed(line.content)
            guard let first = bytes[content].first, first != .hash, first != UInt8(ascii: ";") else {
                continue
            }
            if first == UInt8(ascii: "["), bytes[content].last == UInt8(ascii: "]"), content.count > 2 {
                section = bytes.text(content.lowerBound + 1..<content.upperBound - 1)
                index += 1
            } else if let equals = bytes[content].firstIndex(of: .equals) {
                let value = bytes.trimmed(equals + 1..<content.upperBound)
                settings.append(
                    Setting(
                        section: section, sectionIndex: index,
                        key: bytes.text(bytes.trimmed(content.lowerBound..<equals)), range: value,
                        text: bytes.text(value)))
            }
        }
    }

    /// The last value of a key.
    func last(_ section: String, _ key: String) -> Setting? {
        settings.last { $0.section == section && $0.key == key }
    }

    /// The words of every value of a key, with their bytes.
    func words(_ section: String, _ key: String, in bytes: [UInt8]) -> [(text: String, range: Range<Int>)] {
        settings.filter { $0.section == section && $0.key == key }.flatMap { setting in
            bytes.fields(in: setting.range).map { (bytes.text($0), $0) }
        }
    }

    /// A section of that name is there, with a setting at least.
    func has(_ section: String) -> Bool { settings.contains { $0.section == section } }
}
