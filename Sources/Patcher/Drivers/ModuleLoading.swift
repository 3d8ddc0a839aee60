internal import Initramfs
internal import KernelModules
internal import Storage

/// How an initramfs loads modules, and what of its own keeps it from loading some.
struct ModuleLoading: Sendable {
    /// Put into the kernel by insmod or its like: nothing but the kernel keeps them out.
    var inserted: Set<String> = []
    /// Asked for by their name, and what they depend on: `blacklist` lines do not count for them.
    var named: Set<String> = []
    /// What `blacklist` lines name, with the file that says so: nothing that a device asks for loads them.
    var blacklisted: [String: String] = [:]
    /// What `install` lines put nothing in the place of, with the file that says so: modprobe and udev do not load them.
    var disabled: [String: String] = [:]
    /// Arguments of the kernel that its scripts make `blacklist` lines of.
    var blacklistArguments: Set<String> = ["modprobe.blacklist"]
    /// Arguments that name modules to load.
    var loadingArguments: Set<String> = []
    /// Arguments that the image carries itself.
    var carried: [CarriedList] = []

    /// An argument in one of the image's own files.
    struct CarriedList: Sendable {
        var name: String
        var modules: [String]
        var by: String
    }

    /// Nothing is known.
    init() {}

    /// What an image's report tells. Arguments: dracut.cmdline(7), initramfs-tools(7), mkinitcpio(8).
    init(_ report: InitramfsReport) {
        switch report.generator {
        case .dracut:
            blacklistArguments.formUnion(["rd.driver.blacklist", "rdblacklist"])
            loadingArguments = ["rd.driver.pre", "rd.driver.post", "rdloaddriver"]
        case .initramfsTools: blacklistArguments.insert("blacklist")
        case .mkinitcpio: blacklistArguments.insert("disablemodules")
        case .suseMkinitrd, .nash, .mkinitfs, .booster, .systemd, .unknown: break
        }
        let root = Array("\(PrivateModules.root)/".utf8)
        inserted.formUnion(report.modules.filter { $0.path.starts(with: root) }.map(\.name))
        for module in report.loadedModules.flatMap(\.modules) {
            switch module.way {
            case .insertion: inserted.insert(module.name)
            case .modprobe: named.insert(module.name)
            case .modprobeByBlacklist: break
            }
        }
        for copy in Self.filesInForce(report.configuration.filter { $0.kind == .modprobe }) { read(copy) }
        for copy in report.configuration where copy.kind == .kernelParameters { readArguments(copy) }
    }

    /// A file of /etc hides one of the same name elsewhere (modprobe.d(5)).
    private static func filesInForce(_ files: [ConfigurationCopy]) -> [ConfigurationCopy] {
        let order = ["etc/", "run/", "usr/local/lib/", "usr/lib/", "lib/"]
        func rank(_ file: ConfigurationCopy) -> Int {
            order.firstIndex { file.path.starts(with: Array($0.utf8)) } ?? order.count
        }
        var names: Set<[UInt8]> = []
        return files.sorted { rank($0) < rank($1) }.filter { file in
            names.insert(Array(file.path.split(separator: UInt8(ascii: "/")).last ?? [])).inserted
        }
    }

    private mutating func read(_ copy: ConfigurationCopy) {
        let place = "/\(copy.path.displayText) of its initramfs"
        let text = String(decoding: copy.bytes, as: UTF8.self).replacing("\\\n", with: " ")
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1 else { continue }
            let name = ModuleName.canonical(String(words[1]))
            switch words[0] {
            case "blacklist": blacklisted[name] = place
            case "install" where Self.isNothing(words.dropFirst(2)): disabled[name] = place
            default: break
            }
        }
    }

    /// A command that loads no module.
    private static func isNothing(_ words: ArraySlice<Substring>) -> Bool {
        guard let program = words.first?.split(separator: "/").last else { return false }
        if program == ":" || program == "false" || program == "true" {
            return !words.dropFirst().contains { $0 == "||" || $0 == "&&" || $0 == ";" || $0.hasSuffix(";") }
        }
        return false
    }

    private mutating func readArguments(_ copy: ConfigurationCopy) {
        for word in String(decoding: copy.bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace) {
            guard let equals = word.firstIndex(of: "=") else { continue }
            let names = word[word.index(after: equals)...].split(separator: ",")
            carried.append(
                CarriedList(
                    name: String(word[..<equals]), modules: names.map { ModuleName.canonical(String($0)) },
                    by: "/\(copy.path.displayText) of its initramfs"))
        }
    }

    /// Takes what the loaded modules depend on: it is loaded with them.
    mutating func addDependencies(by tree: ModuleTree) throws(StorageError) {
        for name in named {
            do {
                guard let module = try tree.module(name) else { continue }
                for case .module(let other) in try tree.loadOrder(of: module) { named.insert(other.name) }
            } catch {
                guard error.isAboutImage else { throw error }
            }
        }
    }
}
