internal import Storage

extension ModuleList {
    /// How the modules stand in a file.
    enum Form {
        /// A name and options a line; "#" begins a comment.
        case lines
        /// `rd.driver.pre=a,b` and its like among kernel parameters.
        case parameters
        /// `insmod /lib/a.ko` and `modprobe a` among other commands.
        case commands
        /// `MODULES="a b"` among other assignments of a shell.
        case assignments([String])
        /// `modulesforceload:`, and a name a line below it (booster).
        case yaml
    }

    private static let files: [String: Form] = [
        "conf/modules": .lines, "etc/modules": .lines,
        "init": .commands, "linuxrc": .commands,
        "config": .assignments(["MODULES", "EARLYMODULES", "earlymodules"]),
        "etc/cmdline": .parameters, "etc/booster.init.yaml": .yaml,
    ]

    private static let directories: [(directory: String, suffix: String, form: Form)] = [
        ("etc/modules-load.d/", ".conf", .lines), ("usr/lib/modules-load.d/", ".conf", .lines),
        ("lib/modules-load.d/", ".conf", .lines), ("etc/cmdline.d/", ".conf", .parameters),
        (
            "config/", ".sh",
            .assignments(["RESOLVED_INITRD_MODULES", "INITRD_MODULES", "rootfsmod", "modules"])
        ),
    ]

    /// How the file at `path` names modules; nil for one that names none.
    static func form(of path: [UInt8]) -> Form? {
        if let form = files[String(decoding: path, as: UTF8.self)] { return form }
        return directories.first { place in
            path.starts(with: Array(place.directory.utf8))
                && path.suffix(place.suffix.utf8.count).elementsEqual(place.suffix.utf8)
        }?.form
    }

    /// The list that a file holds; nil when it names no module.
    init?(path: [UInt8], bytes: [UInt8], form: Form) {
        let text = String(decoding: bytes, as: UTF8.self)
        var names: [String] = []
        var isListed = false
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            switch form {
            case .lines: names.append(String(first))
            case .parameters: names += words.flatMap(Self.parameter)
            case .commands: names += Self.command(words)
            case .assignments(let variables): names += Self.assignment(line, variables)
            case .yaml:
                if isListed, first == "-" { names += words.dropFirst().map(String.init) }
                if first != "-" { isListed = first == "modulesforceload:" }
            }
        }
        guard !names.isEmpty else { return nil }
        self.path = path
        self.names = names.map { PackedModule.name($0) }
    }

    private static func list(_ text: Substring) -> [String] {
        text.split { $0 == "," }.map { String($0) }
    }

    private static func parameter(_ word: Substring) -> [String] {
        for name in [
            "rd.driver.pre=", "rd.driver.post=", "rdloaddriver=", "modules-load=", "rd.modules-load=",
        ]
        where word.hasPrefix(name) {
            return list(word.dropFirst(name.count))
        }
        return []
    }

    private static func command(_ words: [Substring]) -> [String] {
        let programs: [Substring] = ["insmod", "modprobe"]
        guard
            let place = words.firstIndex(where: { word in
                programs.contains { word == $0 || word.hasSuffix("/" + $0) }
            })
        else { return [] }
        for word in words[(place + 1)...] where !word.hasPrefix("-") {
            // A module, not a variable that holds its name.
            guard !word.contains("$"), !word.contains("\""),
                let last = word.split(whereSeparator: { $0 == "/" }).last
            else {
                return []
            }
            let name = last.prefix { $0 != "." }
            return words[place].hasSuffix("insmod") && !last.contains(".ko") ? [] : [String(name)]
        }
        return []
    }

    private static func assignment(_ line: Substring, _ variables: [String]) -> [String] {
        for variable in variables where line.hasPrefix(variable + "=") {
            let value = line.dropFirst(variable.count + 1)
            return value.split { " \t\"'()".contains($0) }.map(String.init)
        }
        return []
    }
}
