/// syslinux.cfg and extlinux.conf (syslinux.org, SYSLINUX.CFG): keywords in any case, `LABEL` beginning an entry.
package struct Syslinux: Sendable, Equatable {
    /// The entries in order.
    package var entries: [BootEntry] = []
    /// The argument of `DEFAULT` or `ONTIMEOUT`: a label or a kernel.
    package var defaultText: String?
    /// Where the argument of `DEFAULT` stands.
    package var defaultRange: Range<Int>?
    /// Arguments outside every entry: an `APPEND` before the first label holds for entries without one of their own,
    /// and `DEFAULT` may be a kernel with its arguments.
    package var globalArguments: [KernelCommandLine] = []
    /// The label marked `MENU DEFAULT`.
    package var menuDefaultIndex: Int?

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var current: BootEntry?
        for line in TextLine.all(in: bytes) {
            let fields = bytes.fields(in: line.content)
            guard let key = fields.first else { continue }
            let rest =
                fields.count > 1
                ? bytes.trimmed(fields[1].lowerBound..<line.content.upperBound)
                : line.end.lowerBound..<line.end.lowerBound
            let keyword = bytes.text(key).lowercased()
            switch keyword {
            case "label":
                if let done = current { entries.append(done) }
                let label = bytes.text(rest)
                current = BootEntry(
                    title: label, index: entries.count, identifiers: [label], range: line.whole)
            case "default", "ontimeout":
                defaultText = bytes.text(rest)
                defaultRange = rest
                if fields.count > 2 { globalArguments.append(KernelCommandLine(bytes, in: rest)) }
            default:
                guard var entry = current else {
                    if keyword == "append" { globalArguments.append(KernelCommandLine(bytes, in: rest)) }
                    continue
                }
                if keyword == "menu" {
                    let words = fields.dropFirst().map { bytes.text($0).lowercased() }
                    if words.first == "default" { menuDefaultIndex = entry.index }
                    if words.first == "label", fields.count > 2 {
                        entry.title = bytes.text(
                            bytes.trimmed(fields[2].lowerBound..<line.content.upperBound))
                    }
                } else {
                    Self.read(keyword, bytes, rest, into: &entry)
                }
                entry.range = entry.range.lowerBound..<line.whole.upperBound
                current = entry
            }
        }
        if let done = current { entries.append(done) }
    }

    private static func read(
        _ keyword: String, _ bytes: [UInt8], _ rest: Range<Int>, into entry: inout BootEntry
    ) {
        switch keyword {
        case "linux", "kernel":
            let path = bytes.text(rest)
            // Modules of syslinux itself are programs, not kernels.
            if !path.hasSuffix(".c32") { entry.kernel = path }
        case "initrd": addInitrds(bytes, rest, into: &entry)
        case "append":
            entry.commandLine = KernelCommandLine(bytes, in: rest)
            entry.argumentsRange = rest
            if let range = entry.commandLine.last("initrd")?.valueRange {
                addInitrds(bytes, range, into: &entry)
            }
        default: break
        }
    }

    private static func addInitrds(_ bytes: [UInt8], _ range: Range<Int>, into entry: inout BootEntry) {
        for part in bytes[range].split(separator: .comma) {
            entry.initrds.append(String(decoding: part, as: UTF8.self))
            entry.initrdRanges.append(part.startIndex..<part.endIndex)
        }
    }

    /// The index of the entry that boots by itself.
    package var defaultIndex: Int? {
        if let menuDefaultIndex { return menuDefaultIndex }
        return entries.first { $0.identifiers.first == defaultText }?.index ?? entries.first?.index
    }
}

extension Syslinux: BootMenu {
    package static let kind = ConfigurationKind("syslinux")
    package static var initrdSeparator: String { "," }
    package static let places: [ConfigurationPlace] = [
        .path("/boot/extlinux.conf"), .path("/boot/syslinux.cfg"), .path("/extlinux.conf"),
        .path("/syslinux.cfg"), .path("/boot/efi/syslinux.cfg"), .path("/efi/syslinux.cfg"),
        .path("/boot/efi/syslinux/syslinux.cfg"), .path("/efi/syslinux/syslinux.cfg"),
        .directory("/boot/extlinux", suffix: ".conf"),
        .directory("/boot/extlinux", suffix: ".cfg"), .directory("/boot/syslinux", suffix: ".cfg"),
        .directory("/boot/syslinux", suffix: ".conf"), .vendor("syslinux.cfg"),
    ]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        entries.flatMap { $0.deviceSites(in: bytes) }
            + globalArguments.flatMap { $0.sharedDeviceSites(in: bytes) }
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        globalArguments.map { SharedCommandLine(line: $0) }
    }

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? {
        entries.first { $0.index == defaultIndex }
    }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        guard menuDefaultIndex == nil, let defaultRange, let label = entry.entry.identifiers.first else {
            return DefaultChoice()
        }
        return DefaultChoice(changes: [.init(file: file, range: defaultRange, text: label)])
    }
}
