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

    /// The list that a file holds; nil when it names no module. `isByBlacklist`: what reads the file has modprobe heed
    /// blacklists.
    init?(path: [UInt8], bytes: [UInt8], form: Form, isByBlacklist: Bool = false) {
        let text = String(decoding: bytes, as: UTF8.self)
        let own: Way =
            switch form {
            case .yaml: .insertion
            case .lines, .parameters, .commands, .assignments:
                isByBlacklist ? .modprobeByBlacklist : .modprobe
            }
        var names: [Module] = []
        var isListed = false
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            func add(_ found: [String]) { names += found.map { Module(name: $0, way: own) } }
            switch form {
            case .lines: add([String(first)])
            case .parameters: add(words.flatMap(Self.parameter))
            case .commands:
                if let command = Self.command(words, own) { names.append(command) }
            case .assignments(let variables): add(Self.assignment(line, variables))
            case .yaml:
                if isListed, first == "-" { add(words.dropFirst().map(String.init)) }
                if first != "-" { isListed = first == "modulesforceload:" }
            }
        }
        guard !names.isEmpty else { return nil }
        self.path = path
        modules = names.map { Module(name: PackedModule.name($0.name), way: $0.way) }
    }

    /// Whether what reads the list at `path` has modprobe heed blacklists: initramfs-tools' init says so once for every
    /// modprobe (`MODPROBE_OPTIONS="-qb"`), mkinitcpio's where it loads them (`modprobe -qab`), and systemd always does.
    static func isByBlacklist(
        _ path: [UInt8], _ generator: InitramfsGenerator, _ contents: InitramfsContents
    ) -> Bool {
        let name = String(decoding: path, as: UTF8.self)
        if name.contains("modules-load.d/") { return true }
        guard generator == .initramfsTools || generator == .mkinitcpio else { return false }
        let script = String(decoding: contents.bytes(of: "init") ?? [], as: UTF8.self)
        for line in script.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split { $0.isWhitespace || $0 == "\"" || $0 == "'" }
            let options: Substring?
            switch generator {
            case .initramfsTools:
                guard let place = words.firstIndex(where: { $0.hasPrefix("MODPROBE_OPTIONS=") }) else {
                    continue
                }
                let value = words[place].dropFirst("MODPROBE_OPTIONS=".count)
                options = value.isEmpty ? words[(place + 1)...].first : value
            default:
                guard line.contains("MODULES"),
                    let place = words.firstIndex(where: { $0.hasSuffix("modprobe") })
                else { continue }
                options = words[(place + 1)...].first
            }
            if let options, options.hasPrefix("-"), options.contains("b") { return true }
        }
        return false
    }

    /// The names of a list in a kernel's parameter: "a,b".
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

    private static func command(_ words: [Substring], _ way: Way) -> Module? {
        let programs: [Substring] = ["insmod", "modprobe"]
        guard
            let place = words.firstIndex(where: { word in
                programs.contains { word == $0 || word.hasSuffix("/" + $0) }
            })
        else { return nil }
        let isInsertion = words[place].hasSuffix("insmod")
        var isByBlacklist = false
        for word in words[(place + 1)...] {
            guard !word.hasPrefix("-") else {
                isByBlacklist =
                    isByBlacklist || word == "--use-blacklist" || !word.hasPrefix("--") && word.contains("b")
                continue
            }
            // A module, not a variable that holds its name.
            guard !word.contains("$"), !word.contains("\""),
                let last = word.split(whereSeparator: { $0 == "/" }).last
            else {
                return nil
            }
            let name = last.prefix { $0 != "." }
            if isInsertion {
                return last.contains(".ko") ? Module(name: String(name), way: .insertion) : nil
            }
            return Module(name: String(name), way: isByBlacklist ? .modprobeByBlacklist : way)
        }
        return nil
    }

    private static func assignment(_ line: Substring, _ variables: [String]) -> [String] {
        for variable in variables where line.hasPrefix(variable + "=") {
            let value = line.dropFirst(variable.count + 1)
            return value.split { " \t\"'()".contains($0) }.map(String.init)
        }
        return []
    }
}
