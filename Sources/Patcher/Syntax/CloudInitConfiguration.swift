/// cloud-init's configuration, as far as its sources go: `datasource_list: [ Azure, None ]`, over one line or several, or the same a name a line.
package struct CloudInitConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("cloud-init")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/cloud/cloud.cfg"), .directory("/etc/cloud/cloud.cfg.d", suffix: ".cfg"),
    ]
    package static var isNeededToBoot: Bool { false }

    /// The sources that the file lists; nil where it lists none.
    package private(set) var sources: [String]?

    package init(_ bytes: [UInt8], path: String) {
        for line in TextLine.all(in: bytes) {
            let content = bytes.trimmed(line.content)
            guard bytes.has(Self.key, at: content.lowerBound, in: content) else { continue }
            sources = Self.list(bytes, from: content.lowerBound + Self.key.utf8.count)
        }
    }

    private static let key = "datasource_list:"

    /// The words of the value that begins behind a place: in brackets over any number of lines, a word a line behind dashes, or a
    /// word. Nil where none is there, or its brackets never end.
    private static func list(_ bytes: [UInt8], from start: Int) -> [String]? {
        var position = start
        var isBelow = false
        while position < bytes.count {
            if bytes[position] == .hash {
                position = bytes[position...].firstIndex(of: .newline) ?? bytes.count
                continue
            }
            if bytes[position] == .newline { isBelow = true }
            guard bytes[position].isBlank || [.newline, .carriageReturn].contains(bytes[position]) else {
                break
            }
            position += 1
        }
        guard position < bytes.count else { return nil }
        if bytes[position] == UInt8(ascii: "[") { return flow(bytes, from: position + 1) }
        let lines = TextLine.all(in: bytes, within: position..<bytes.count).map {
            bytes.text(bytes.trimmed($0.content))
        }
        guard isBelow else { return lines.first.map { words($0[...]) } }
        var found: [String]?
        for line in lines where !line.isEmpty && !line.hasPrefix("#") {
            guard line.hasPrefix("- ") else { break }
            found = (found ?? []) + words(line.dropFirst(2))
        }
        return found
    }

    /// What stands before the bracket that ends a list, without comments.
    private static func flow(_ bytes: [UInt8], from start: Int) -> [String]? {
        var text: [UInt8] = []
        var position = start
        while position < bytes.count, bytes[position] != UInt8(ascii: "]") {
            let isComment = bytes[position] == .hash && (text.last?.isBlank ?? true)
            if isComment {
                position = bytes[position...].firstIndex(of: .newline) ?? bytes.count
            } else {
                let isEnd = [.newline, .carriageReturn].contains(bytes[position])
                text.append(isEnd ? .space : bytes[position])
                position += 1
            }
        }
        return position < bytes.count ? words(String(decoding: text, as: UTF8.self)[...]) : nil
    }

    /// What `mounts:` and `fs_setup:` name; the file is never changed.
    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { NamedDevices.reportedSites(in: bytes) }

    private static func words(_ text: Substring) -> [String] {
        text.prefix { $0 != "#" }.split { " ,[]\"'\t".contains($0) }.map(String.init)
    }
}
