/// GRUB legacy's menu.lst or grub.conf: a command a line, its argument behind blanks or "=". A `title` begins an
/// entry. Debian's update-grub keeps its own settings in comments (`# kopt=…`), and so do Red Hat's tools
/// (`#boot=…`): those are settings, not comments.
package struct GRUBLegacy: Sendable, Equatable {
    /// The entries in order.
    package var entries: [BootEntry] = []
    /// The argument of `default`, where it stands.
    package var defaultRange: Range<Int>?
    /// The argument of `default`: a number or "saved".
    package var defaultText: String?
    /// The numbers behind `fallback`.
    private var fallbacks: [Int] = []
    /// update-grub's kernel options: each a command line that its next run writes into every entry.
    package var kernelOptions: [KernelCommandLine] = []
    /// A menu that is shown in place of this one: the file of a `configfile` before all entries.
    package var replacement: String?
    /// What the commands before all entries say of where files lie.
    private var rootSettings: [GRUBRootSetting] = []
    /// The value of `#boot=`: the device that Red Hat's tools reinstall the loader to.
    package var bootDeviceRange: Range<Int>?

    /// Which words of update-grub's settings hold kernel arguments.
    private static func isKernelOptionsName(_ name: String) -> Bool {
        ["kopt", "xenkopt", "defoptions"].contains(name) || name.hasPrefix("kopt_")
    }

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var current: BootEntry?
        // A title without a command behind it is no entry, and is not counted.
        var hasCommand = false
        func entry() -> BootEntry? { hasCommand ? current : nil }
        for line in TextLine.all(in: bytes) {
            let text = bytes.trimmed(line.content)
            guard let first = bytes[text].first else { continue }
            if first == .hash {
                readSetting(bytes, text)
                continue
            }
            let command = bytes[text].prefix { !$0.isBlank && $0 != .equals }
            let word = String(decoding: command, as: UTF8.self).lowercased()
            let argument = Self.argument(bytes, command.endIndex..<text.upperBound)
            if word == "title" {
                if let done = entry() { entries.append(done) }
                hasCommand = false
                var entry = BootEntry(
                    title: bytes.text(argument), index: entries.count, range: line.whole)
                entry.rootSettings = rootSettings
                current = entry
                continue
            }
            if var entry = current {
                Self.read(word, bytes, argument, into: &entry)
                entry.range = entry.range.lowerBound..<line.whole.upperBound
                current = entry
                hasCommand = true
            } else {
                readGlobal(word, bytes, argument)
            }
        }
        if let done = entry() { entries.append(done) }
    }

    /// The number of the entry that boots by itself; nil when it was saved elsewhere.
    package var defaultIndex: Int? {
        guard let defaultText else { return 0 }
        return DiskName.smallNumber(defaultText)
    }

    private mutating func readGlobal(_ word: String, _ bytes: [UInt8], _ argument: Range<Int>) {
        let first = bytes.fields(in: argument).first
        switch word {
        case "default":
            defaultRange = first
            defaultText = first.map { bytes.text($0) }
        case "fallback":
            fallbacks = bytes.fields(in: argument).compactMap { DiskName.smallNumber(bytes.text($0)) }
        case "configfile": replacement = first.map { bytes.text($0) }
        default:
            if var setting = Self.root(word, first.map { bytes.text($0) }) {
                // Outside of entries a failure is shown, and the menu comes.
                setting.mustHold = false
                rootSettings.append(setting)
            }
        }
    }

    /// What a command says of where files lie. `uuid` and `find --set-root` are Debian's.
    private static func root(_ word: String, _ argument: String?) -> GRUBRootSetting? {
        let place: GRUBRootSetting.Place? =
            switch word {
            case "root", "rootnoverify": argument.map { .device($0) }
            case "uuid": argument.map { .uuid($0) }
            case "find": argument == "--set-root" ? .unknown : nil
            default: nil
            }
        return place.map {
            GRUBRootSetting(place: $0, isConditional: false, mustHold: ["root", "uuid"].contains(word))
        }
    }

    private static func read(
        _ word: String, _ bytes: [UInt8], _ argument: Range<Int>, into entry: inout BootEntry
    ) {
        var words = bytes.fields(in: argument)[...]
        switch word {
        case "kernel":
            while let option = words.first, bytes.has("--", at: option.lowerBound, in: option) {
                words = words.dropFirst()
            }
            guard let path = words.popFirst() else { return }
            let name = bytes.text(path)
            entry.kernel = name
            entry.rootSettingCounts = [entry.rootSettings.count]
            if isXenHypervisor(name) {
                entry.isXenMultiboot = true
                return
            }
            setArguments(bytes, path.upperBound..<argument.upperBound, into: &entry)
        case "module" where entry.isXenMultiboot:
            guard let path = words.popFirst() else { return }
            if entry.argumentsRange == nil {
                entry.kernel = bytes.text(path)
                setArguments(bytes, path.upperBound..<argument.upperBound, into: &entry)
            } else {
                entry.addInitrd(bytes.text(path), path)
            }
        case "initrd":
            guard let path = words.first else { return }
            entry.addInitrd(bytes.text(path), path)
        case "configfile": entry.menuFile = words.first.map { bytes.text($0) }
        case "chainloader":
            entry.chainLoader = words.last.map { bytes.text($0) }
        default:
            if let setting = root(word, words.first.map { bytes.text($0) }) {
                entry.rootSettings.append(setting)
            }
        }
    }

    private static func setArguments(_ bytes: [UInt8], _ range: Range<Int>, into entry: inout BootEntry) {
        let range = bytes.trimmed(range)
        entry.commandLine = KernelCommandLine(bytes, in: range)
        entry.argumentsRange = range
    }

    /// "/boot/xen.gz", "/xen-3.4.gz", "/xen.gz-2.6.18-194.el5".
    static func isXenHypervisor(_ path: String) -> Bool {
        guard let name = path.split(separator: "/").last else { return false }
        return name.hasPrefix("xen") && (name.contains(".gz") || name.hasSuffix(".efi") || name == "xen")
    }

    /// `# name=value` with a single hash: a setting of update-grub, or Red Hat's `#boot=`.
    private mutating func readSetting(_ bytes: [UInt8], _ text: Range<Int>) {
        let body = bytes.trimmed(text.lowerBound + 1..<text.upperBound)
        guard let equals = bytes[body].firstIndex(of: .equals) else { return }
        let name = bytes.text(body.lowerBound..<equals)
        let value = equals + 1..<body.upperBound
        if name == "altoptions" {
            // "(recovery mode) single": a title and its options.
            let options = bytes[value].firstIndex(of: UInt8(ascii: ")")).map { $0 + 1..<value.upperBound }
            kernelOptions.append(KernelCommandLine(bytes, in: options ?? value))
        } else if Self.isKernelOptionsName(name) {
            kernelOptions.append(KernelCommandLine(bytes, in: value))
        } else if name == "boot", entries.isEmpty, !value.isEmpty {
            bootDeviceRange = value
        }
    }

    /// What follows a command: blanks and at most one "=" are passed over.
    private static func argument(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var start = bytes.trimmed(range).lowerBound
        if start < range.upperBound, bytes[start] == .equals { start += 1 }
        return bytes.trimmed(start..<max(start, range.upperBound))
    }
}

extension GRUBLegacy: BootMenu {
    package static let kind = ConfigurationKind("grub-legacy")
    package static var bootCode: BootCode? { .grubLegacy }
    package static var start: LoaderStart { .ownVolume }
    package static var takesSeveralInitrds: Bool { false }
    package static let places: [ConfigurationPlace] = [
        .path("/boot/grub/menu.lst"), .path("/boot/grub/grub.conf"), .path("/etc/grub.conf"),
        .path("/boot/boot/grub/menu.lst"), .vendor("grub.conf"),
    ]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        entries.flatMap { $0.deviceSites(in: bytes) }
            + kernelOptions.flatMap { $0.sharedDeviceSites(in: bytes) }
            + [bootDeviceRange].compactMap { $0 }.map { .loaderDisk(bytes, $0) }
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        kernelOptions.map { SharedCommandLine(line: $0) }
    }

    /// `# kopt=` and its like for one version. `defoptions` come besides, and `xenkopt` is Xen's.
    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        kernelOptions.filter { line in
            guard let start = line.arguments.first?.range.lowerBound else { return false }
            let head = bytes[..<start].split(separator: .newline, omittingEmptySubsequences: false).last ?? []
            let name = String(decoding: head.drop { $0 == .hash || $0.isBlank }, as: UTF8.self)
            return name.hasPrefix("kopt=") || name.hasPrefix("kopt_")
        }.map { SharedCommandLine(line: $0) }
    }

    /// A default past the last entry gives way to the first `fallback` that there is, else to the first entry (stage2's main
    /// loop).
    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? {
        let index = defaultIndex ?? guest.files(GRUBLegacySaved.self).first?.syntax.index ?? 0
        let others = fallbacks.filter(entries.indices.contains)
        return entries.first { $0.index == index } ?? others.first.map { entries[$0] } ?? entries.first
    }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        let index = entry.entry.index
        if let defaultRange {
            return DefaultChoice(changes: [.init(file: file, range: defaultRange, text: "\(index)")])
        }
        let start = entries.first?.range.lowerBound ?? 0
        return DefaultChoice(changes: [.init(file: file, range: start..<start, text: "default \(index)\n")])
    }
}
