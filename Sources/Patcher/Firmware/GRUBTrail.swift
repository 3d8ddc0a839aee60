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
        /// The file is there.
        package var isThere: Bool
        /// Which file it is.
        package var file: FileKey?
    }

    /// The configurations in the order in which they are read.
    package var steps: [Step] = []

    /// All of them are there.
    package var isWhole: Bool { !steps.isEmpty && steps.allSatisfy(\.isThere) }
    /// Nothing is known of where it goes.
    package var isUnknown: Bool { steps.isEmpty || steps.contains { $0.volume == nil } }
}

/// Follows the configurations of a GRUB.
struct GRUBTrailFinder {
    let volumes: [Volume]
    let fileSystems: [Int: any FileSystem]
    /// The volume that the program is started from.
    let home: Int

    /// More files lead no GRUB to its menu.
    private static let stepLimit = 5

    /// The trail of a program in the directory `folder` ("/EFI/debian") of its partition.
    func trail(of core: GRUBCore?, folder: String) throws(StorageError) -> GRUBTrail {
        var trail = GRUBTrail()
        guard let core, var next = start(core, folder) else { return trail }
        while trail.steps.count < Self.stepLimit {
            guard let volume = next.volume, let fileSystem = fileSystems[volume] else {
                trail.steps.append(.init(volume: next.volume, path: next.path, isThere: false))
                return trail
            }
            let tree = FileSystemTree(volume: volume, fileSystem)
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
            guard let file, let text = try tree.configuration(file.path),
                let further = further(text, from: next)
            else { return trail }
            next = further
        }
        return trail
    }

    private typealias Place = (volume: Int?, path: String)

    private func start(_ core: GRUBCore, _ folder: String) -> Place? {
        // What a script with conditions does, as that of Debian's signed GRUB, ends at the prefix where that is there.
        if let script = core.script, !script.contains("if "),
            let place = further(Array(script.utf8), from: (home, folder))
        {
            return place
        }
        guard let prefix = core.prefix else { return nil }
        if prefix.isEmpty { return (home, folder + "/grub.cfg") }
        return place(prefix + "/grub.cfg", root: home)
    }

    /// A path of GRUB's: "(,gpt2)/boot/grub", "/EFI/debian".
    private func place(_ path: String, root: Int?) -> Place {
        guard path.first == "(", let end = path.firstIndex(of: ")") else { return (root, path) }
        let rest = String(path[path.index(after: end)...])
        let device = path[path.index(after: path.startIndex)..<end]
        guard let part = device.split(separator: ",").last,
            let number = Int(part.drop { !$0.isNumber }), part.contains(where: \.isNumber),
            device.contains(",")
        else { return (nil, rest) }
        guard case .partition(let disk, _) = volumes[home].location else { return (nil, rest) }
        return (volumes.firstIndex { $0.location == .partition(disk: disk, number: number) }, rest)
    }

    /// The configuration that a text hands over to; nil where it is a menu itself.
    private func further(_ bytes: [UInt8], from place: Place) -> Place? {
        // Variables that hold a device: `root`, and what a search is told to set.
        var devices: [String: Int?] = ["root": place.volume]
        var variables: [String: Place] = [:]
        var result: Place?
        func expand(_ word: String) -> Place {
            var text = word.filter { !"'\"".contains($0) }
            if text.hasPrefix("($"), let end = text.firstIndex(of: ")") {
                let name = text[text.index(text.startIndex, offsetBy: 2)..<end].filter { !"{}".contains($0) }
                return (devices[String(name)] ?? nil, String(text[text.index(after: end)...]))
            }
            for name in ["prefix", "fw_path", "cmdpath", "config_directory"] {
                for form in ["${\(name)}", "$\(name)"] where text.hasPrefix(form) {
                    text = String(text.dropFirst(form.count))
                    if let known = variables[name] { return (known.volume, known.path + text) }
                    guard name != "prefix" else { return (nil, text) }
                    let folder = place.path.hasSuffix("/grub.cfg") ? place.path.dropLast(9) : place.path[...]
                    return (place.volume, folder + text)
                }
            }
            return self.place(text, root: devices["root"] ?? nil)
        }
        for line in TextLine.all(in: bytes) {
            let words = bytes.fields(in: line.content).map { bytes.text($0) }
            guard let command = words.first, !command.hasPrefix("#") else { continue }
            switch command {
            case "menuentry", "submenu", "blscfg": return nil
            case "search", "search.fs_uuid", "search.fs_label", "search.file":
                if let (name, found) = search(words) { devices[name] = .some(found) }
            case "set", "export":
                guard words.count > 1, let equals = words[1].firstIndex(of: "=") else { continue }
                let (name, value) = (words[1][..<equals], words[1][words[1].index(after: equals)...])
                if name == "prefix" { variables["prefix"] = expand(String(value)) }
                if name == "root" {
                    devices["root"] = .some(
                        self.place(value.filter { !"'\"".contains($0) } + "/", root: nil).volume)
                }
            case "configfile", "normal":
                if words.count > 1 {
                    result = expand(words[1])
                } else if let prefix = variables["prefix"] {
                    result = (prefix.volume, prefix.path + "/grub.cfg")
                }
            default: break
            }
        }
        if result == nil, let prefix = variables["prefix"], !place.path.hasSuffix(".cfg") {
            // A script that is built in: GRUB goes on with the configuration of the prefix that it leaves.
            result = (prefix.volume, prefix.path + "/grub.cfg")
        }
        return result
    }

    /// The variable that a search sets, and the volume that it finds; nil for one that is none of these, or cannot be told.
    private func search(_ words: [String]) -> (variable: String, volume: Int?)? {
        let kinds = words.filter { ["-l", "-f"].contains($0) || $0.hasPrefix("--") } + [words[0]]
        let names = words.dropFirst().filter { !$0.hasPrefix("-") }
        let isShort = words[0] != "search"
        guard let wanted = (isShort ? names.first : names.last)?.filter({ !"'\"".contains($0) }) else {
            return nil
        }
        let set = words.first { $0.hasPrefix("--set=") }.map { String($0.dropFirst(6)) }
        let variable = isShort ? names.dropFirst().first ?? "root" : set ?? "root"
        if kinds.contains(where: { ["--file", "-f", "search.file"].contains($0) }) { return (variable, nil) }
        let byLabel = kinds.contains { ["--label", "-l", "search.fs_label"].contains($0) }
        let found = volumes.firstIndex { volume in
            byLabel
                ? volume.identity.label == Array(wanted.utf8)
                : volume.identity.uuid?.lowercased() == wanted.lowercased()
        }
        return (variable, found)
    }
}
