package import GuestTree
internal import Storage

/// Where a GRUB for UEFI goes for its menu: one configuration file after the other, each on the volume that the one before
/// names.
package struct GRUBTrail: Sendable, Equatable {
    /// A configuration that it reads.
    package struct Step: Sendable, Equatable {
        /// The volume; nil where it cannot be told.
        package var volume: Int?
        /// The path on that volume.
        package var path: String
        /// The file is there; nil where nobody can look.
        package var isThere: Bool?
        /// Which file it is.
        package var file: FileKey?
    }

    /// Where a trail ends.
    package enum End: Sendable, Equatable {
        /// At a menu, or at a text that hands over to no other.
        case menu
        /// Where nobody can tell how it goes on.
        case unknown
        /// At a file that is not there: "p1:/EFI/debian/grub.cfg".
        case fileMissing(String)
        /// At a text that offers nothing and hands over to no other: "p1:/EFI/debian/grub.cfg".
        case empty(String)
        /// At a volume, by what its UUID or label should be, that is none of the disks'.
        case volumeMissing(String)
    }

    /// The configurations in the order in which they are read.
    package var steps: [Step] = []
    /// Where it ends.
    package var end = End.unknown
}

/// Follows the configurations of a GRUB.
struct GRUBTrailFinder {
    let volumes: [Volume]
    let fileSystems: [Int: any FileSystem]
    /// The volume that the program is started from.
    let home: Int
    /// What cannot be read is noted there.
    let damage: TreeDamage

    /// More files lead no GRUB to its menu.
    private static let stepLimit = 5

    /// The trail of a program in the directory `folder` ("/EFI/debian") of its partition.
    func trail(of core: GRUBCore?, folder: String) throws(StorageError) -> GRUBTrail {
        var trail = GRUBTrail()
        guard let core, var next = try start(core, folder) else { return trail }
        var isCertain = next.isCertain
        while trail.steps.count < Self.stepLimit {
            isCertain = isCertain && next.isCertain
            guard let volume = next.volume, let fileSystem = fileSystems[volume] else {
                trail.steps.append(.init(volume: next.volume, path: next.path, isThere: nil))
                if isCertain, !hidesVolumes, let name = next.missingVolume {
                    trail.end = .volumeMissing(name)
                }
                return trail
            }
            let tree = FileSystemTree(volume: volume, fileSystem, noting: damage)
            let file = try tree.regularFile(GuestPath(next.path))
            // Debian's signed GRUB, and others, look beside the program where nothing is in the built-in place.
            if file == nil, trail.steps.isEmpty, next.path != folder + "/grub.cfg",
                try tree.regularFile(GuestPath(folder + "/grub.cfg")) != nil, volume == home
            {
                next.path = folder + "/grub.cfg"
                continue
            }
            trail.steps.append(
                .init(volume: volume, path: next.path, isThere: file != nil, file: file?.key))
            guard let file else {
                if isCertain { trail.end = .fileMissing("\(volumes[volume].name):\(next.path)") }
                return trail
            }
            guard let text = try tree.configuration(file.path), tree.damage(of: file) == nil else {
                return trail
            }
            let further = try further(text, from: next)
            // A text that leads to one of those before it goes round for ever.
            if let further,
                trail.steps.contains(where: { $0.volume == further.volume && $0.path == further.path })
            {
                if isCertain, further.isCertain { trail.end = .empty("\(volumes[volume].name):\(next.path)") }
                return trail
            }
            guard let further else {
                trail.end =
                    offersNothing(text) && isCertain ? .empty("\(volumes[volume].name):\(next.path)") : .menu
                return trail
            }
            next = further
        }
        return trail
    }

    /// A place that a GRUB goes to.
    struct Place {
        var volume: Int?
        var path: String
        /// No condition decides whether it goes there.
        var isCertain = true
        /// What the volume should be, where a search found none.
        var missingVolume: String?
    }

    /// A volume may bear a UUID or a label that is not known here: what has none that is known, or is nothing that is.
    private var hidesVolumes: Bool {
        volumes.contains { volume in
            switch volume.identity.kind {
            case .unknown: volume.device.byteCount > Self.ignoredByteCount
            case .swap, .lvm2, .mdRAID: false
            default: volume.identity.uuid == nil
            }
        }
    }

    /// What holds a loader's own code, and what Windows keeps free, is smaller.
    private static let ignoredByteCount: UInt64 = 256 << 20

    private func start(_ core: GRUBCore, _ folder: String) throws(StorageError) -> Place? {
        var isCertain = true
        // What a script with conditions does, as that of Debian's signed GRUB, ends at the prefix where that is there.
        if let script = core.script {
            // What Debian's and Ubuntu's memory disks hold goes to the prefix, then beside the program.
            if !script.contains("if "), !script.contains("(memdisk)"),
                let place = try further(Array(script.utf8), from: Place(volume: home, path: folder))
            {
                return place
            }
            isCertain = !script.contains("if ")
        }
        guard let prefix = core.prefix else { return nil }
        if prefix.isEmpty { return Place(volume: home, path: folder + "/grub.cfg", isCertain: isCertain) }
        var place = place(prefix + "/grub.cfg", root: home)
        place.isCertain = isCertain
        return place
    }

    /// A path of GRUB's: "(,gpt2)/boot/grub", "/EFI/debian".
    private func place(_ path: String, root: Int?) -> Place {
        guard path.first == "(", let end = path.firstIndex(of: ")") else {
            return Place(volume: root, path: path)
        }
        let rest = String(path[path.index(after: end)...])
        let device = path[path.index(after: path.startIndex)..<end]
        if device.hasPrefix("lvm/") {
            let names = volumes.map { volume -> String? in
                guard case .logicalVolume(let group, let name) = volume.location else { return nil }
                // GRUB doubles hyphens as the mapper does.
                let parts = [group, name].map { $0.split(separator: "-", omittingEmptySubsequences: false) }
                return parts.map { $0.joined(separator: "--") }.joined(separator: "-")
            }
            return Place(volume: names.firstIndex(of: String(device.dropFirst(4))), path: rest)
        }
        guard let part = device.split(separator: ",").last,
            let number = Int(part.drop { !$0.isNumber }), part.contains(where: \.isNumber),
            device.contains(",")
        else { return Place(volume: nil, path: rest) }
        guard case .partition(let disk, _) = volumes[home].location else {
            return Place(volume: nil, path: rest)
        }
        // The disk that it was started from is the first; which of several others is the second only firmware knows.
        if device.hasPrefix("hd"), let order = Int(device.dropFirst(2).prefix(while: \.isNumber)), order > 0 {
            let isAlone = volumes.allSatisfy { [disk, nil].contains(LinuxSystem.disk(of: $0)) }
            return Place(volume: nil, path: rest, missingVolume: isAlone ? String(device) : nil)
        }
        let found = volumes.firstIndex { $0.location == .partition(disk: disk, number: number) }
        return Place(volume: found, path: rest, missingVolume: found == nil ? String(device) : nil)
    }

    /// A text without a word that offers or runs anything: GRUB's prompt is what comes behind it.
    private func offersNothing(_ bytes: [UInt8]) -> Bool {
        !TextLine.all(in: bytes).contains { line in
            let words = bytes.text(line.content).split { " \t;&|{}()".contains($0) }
            return words.first?.hasPrefix("#") != true && words.contains { Self.bearing.contains(String($0)) }
        }
    }

    private static let bearing: Set<String> = [
        "menuentry", "submenu", "hiddenentry", "blscfg", "linux", "linux16", "linuxefi", "kernel",
        "multiboot",
        "multiboot2", "chainloader", "configfile", "source", ".", "normal", "legacy_configfile",
        "extract_entries_source",
        "syslinux_configfile", "function", "eval", "exit", "fwsetup", "if", "for", "while", "until",
    ]

    /// The configuration that a text hands over to; nil where it is a menu itself.
    private func further(_ bytes: [UInt8], from place: Place) throws(StorageError) -> Place? {
        var reading = GRUBStub(start: place.volume, path: place.path)
        for line in TextLine.all(in: bytes) {
            let words = bytes.fields(in: line.content).map { bytes.text($0) }
            guard let command = words.first, !command.hasPrefix("#") else { continue }
            switch command {
            case "menuentry", "submenu", "blscfg", "linux", "linuxefi", "chainloader": return nil
            case "if", "elif", "else", "while", "until", "for", "function", "cryptomount":
                reading.isCertain = false
            case "search", "search.fs_uuid", "search.fs_label", "search.file":
                guard let (name, found, wanted) = try search(words) else { continue }
                reading.set(name, found, wanted)
            case "set", "export":
                guard words.count > 1, let equals = words[1].firstIndex(of: "=") else { continue }
                let (name, value) = (words[1][..<equals], words[1][words[1].index(after: equals)...])
                if name == "prefix" { reading.prefix = expand(String(value), reading) }
                if name == "root" {
                    let text = value.filter { !"'\"".contains($0) }
                    let bare = text.hasPrefix("(") ? text : "(\(text))"
                    reading.set("root", to: self.place(bare + "/", root: nil))
                }
            case "configfile", "source", ".", "normal":
                if words.count > 1 {
                    reading.result = expand(words[1], reading)
                } else if let prefix = reading.prefix, command == "normal" {
                    reading.result = prefix
                    reading.result?.path += "/grub.cfg"
                }
            default: break
            }
            if line.content.contains(where: { bytes[$0] == UInt8(ascii: "|") }) { reading.isCertain = false }
        }
        if reading.result == nil, let prefix = reading.prefix, !place.path.hasSuffix(".cfg") {
            // A script that is built in: GRUB goes on with the configuration of the prefix that it leaves.
            reading.result = prefix
            reading.result?.path += "/grub.cfg"
        }
        reading.result?.isCertain = reading.isCertain
        return reading.result
    }

    private func expand(_ word: String, _ reading: GRUBStub) -> Place {
        var text = word.filter { !"'\"".contains($0) }
        if text.hasPrefix("($"), let end = text.firstIndex(of: ")") {
            let name = String(
                text[text.index(text.startIndex, offsetBy: 2)..<end].filter { !"{}".contains($0) })
            return Place(
                volume: reading.devices[name] ?? nil, path: String(text[text.index(after: end)...]),
                missingVolume: reading.missing[name])
        }
        for name in ["prefix", "fw_path", "cmdpath", "config_directory"] {
            for form in ["${\(name)}", "$\(name)"] where text.hasPrefix(form) {
                text = String(text.dropFirst(form.count))
                if name == "prefix" {
                    guard var known = reading.prefix else { return Place(volume: nil, path: text) }
                    known.path += text
                    return known
                }
                let folder =
                    reading.path.hasSuffix("/grub.cfg") ? reading.path.dropLast(9) : reading.path[...]
                return Place(volume: reading.start, path: folder + text)
            }
        }
        var place = self.place(text, root: reading.devices["root"] ?? nil)
        if place.volume == nil, text.first != "(" { place.missingVolume = reading.missing["root"] }
        return place
    }

    /// The variable that a search sets, and the volume that it finds; nil for one that is none of these, or cannot be
    /// told. `wanted` is what a search by UUID or label looks for.
    private func search(
        _ words: [String]
    ) throws(StorageError) -> (variable: String, volume: Int?, wanted: String?)? {
        func plain(_ word: String) -> String { word.filter { !"'\"".contains($0) } }
        let search = GRUBSearch(words[0], words.dropFirst().map(plain))
        guard let wanted = search.name else { return nil }
        let variable = search.variable ?? "root"
        if search.kind == .file {
            for (index, fileSystem) in fileSystems.sorted(by: { $0.key < $1.key })
            where try FileSystemTree(volume: index, fileSystem, noting: damage).exists(GuestPath(wanted)) {
                return (variable, index, nil)
            }
            return (variable, nil, nil)
        }
        let byLabel = search.kind == .label
        let found = volumes.firstIndex { volume in
            byLabel
                ? volume.identity.label == Array(wanted.utf8)
                : volume.identity.uuid?.lowercased() == wanted.lowercased()
        }
        return (variable, found, wanted.contains("$") ? nil : wanted)
    }
}
