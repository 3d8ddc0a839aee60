/// rEFInd's refind.conf (rodsbooks.com/refind, "Creating Manual Boot Stanzas"): keywords in any case, `menuentry "title" {`
/// beginning an entry and `submenuentry` a variant of it.
package struct Refind: Sendable, Equatable {
    /// The entries in order, variants behind what they vary.
    package var entries: [BootEntry] = []
    /// What `default_selection` begins with: a title, a part of one, or a number.
    package var defaultText: String?

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var outer: BootEntry?
        var inner: BootEntry?
        var isDisabled = false
        var variants: [BootEntry] = []
        func take(_ entry: BootEntry?, _ line: TextLine) {
            guard var entry, !isDisabled else { return }
            entry.index = entries.count
            entry.range = entry.range.lowerBound..<line.whole.upperBound
            entries.append(entry)
        }
        for line in TextLine.all(in: bytes) {
            let tokens = RefindToken.all(in: bytes, line.content)
            guard let first = tokens.first else { continue }
            let value = tokens.dropFirst().first
            switch bytes.text(first.range).lowercased() {
            case "default_selection" where outer == nil: defaultText = value.map { bytes.text($0.range) }
            case "menuentry":
                isDisabled = false
                inner = nil
                outer = value.map { Self.entry(bytes.text($0.range), line) }
            case "submenuentry":
                // What it varies stands before it in the menu.
                guard var entry = outer, let value else { continue }
                entry.title += ">" + bytes.text(value.range)
                entry.identifiers = [entry.title]
                entry.range = line.whole
                inner = entry
            case "disabled": isDisabled = true
            case "}":
                if let entry = inner {
                    variants.append(entry)
                    inner = nil
                } else {
                    take(outer, line)
                    for variant in variants { take(variant, line) }
                    variants = []
                    outer = nil
                }
            case let keyword:
                guard let value, outer != nil else { continue }
                if let entry = inner {
                    inner = Self.reading(keyword, value, bytes, entry)
                } else if let entry = outer {
                    outer = Self.reading(keyword, value, bytes, entry)
                }
            }
        }
    }

    private static func entry(_ title: String, _ line: TextLine) -> BootEntry {
        BootEntry(title: title, index: 0, identifiers: [title], range: line.whole)
    }

    private static func reading(
        _ keyword: String, _ value: RefindToken, _ bytes: [UInt8], _ entry: BootEntry
    ) -> BootEntry {
        var entry = entry
        switch keyword {
        case "loader":
            let path = bytes.text(value.range).split(separator: "\\", omittingEmptySubsequences: false)
                .joined(separator: "/")
            let name = path.split(separator: "/").last?.lowercased() ?? ""
            // Programs that are no kernels: loaders of other systems.
            let isProgram = name.hasSuffix(".efi") && !name.contains("linu")
            entry.kernel = isProgram ? nil : path.hasPrefix("/") ? path : "/" + path
        case "initrd":
            entry.initrds = [
                bytes.text(value.range).split(separator: "\\", omittingEmptySubsequences: false)
                    .joined(separator: "/")
            ]
            entry.initrdRanges = [value.range]
        case "options":
            entry.commandLine = KernelCommandLine(bytes, in: value.range)
            entry.argumentsRange = value.range
        case "add_options":
            entry.commandLine.arguments += KernelCommandLine(bytes, in: value.range).arguments
        default: break
        }
        return entry
    }

    /// The entry that boots by itself.
    var defaultIndex: Int? {
        guard let wanted = defaultText?.lowercased(), wanted != "+" else { return entries.first?.index }
        if let number = DiskName.smallNumber(wanted[...]) {
            return entries.indices.contains(number - 1) ? number - 1 : entries.first?.index
        }
        return entries.first { $0.title.lowercased().contains(wanted) }?.index ?? entries.first?.index
    }
}

extension Refind: BootMenu {
    package static let kind = ConfigurationKind("refind")
    package static var uefiReader: MenuReader? { .refind }
    package static let places: [ConfigurationPlace] = [.vendor("refind.conf")]
    package static var takesSeveralInitrds: Bool { false }

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        var found: [DeviceSite] = []
        // A variant without options of its own has those of what it varies.
        for site in entries.flatMap({ $0.deviceSites(in: bytes) })
        where !found.contains(where: { $0.range == site.range }) {
            found.append(site)
        }
        return found
    }

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? {
        entries.first { $0.index == defaultIndex }
    }
}

/// A word of rEFInd's files: what stands between blanks, "=", "," and "#", or in double quotes.
struct RefindToken: Equatable {
    /// Without its quotes.
    var range: Range<Int>

    static func all(in bytes: [UInt8], _ line: Range<Int>) -> [RefindToken] {
        var tokens: [RefindToken] = []
        var place = line.lowerBound
        while place < line.upperBound {
            let byte = bytes[place]
            if byte == .hash { break }
            if byte == .doubleQuote {
                let end = bytes[(place + 1)..<line.upperBound].firstIndex(of: .doubleQuote) ?? line.upperBound
                tokens.append(RefindToken(range: place + 1..<end))
                place = min(end + 1, line.upperBound)
            } else if isSeparator(byte) {
                place += 1
            } else {
                let end =
                    bytes[place..<line.upperBound].firstIndex { isSeparator($0) || $0 == .doubleQuote }
                    ?? line.upperBound
                tokens.append(RefindToken(range: place..<end))
                place = end
            }
        }
        return tokens
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte.isBlank || byte == .equals || byte == .comma || byte == .hash
    }
}
