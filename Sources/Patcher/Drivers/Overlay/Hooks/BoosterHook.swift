internal import Initramfs
internal import KernelModules
internal import Storage

/// booster's: its init is one program that reads no scripts. It loads the modules that /etc/booster.init.yaml tells it to,
/// each behind those that the same file names for it, from usr/lib/modules/NAME.ko, uncompressed. The file is what its
/// generator writes: a key a line, lists and maps below it.
enum BoosterHook: LoadHook {
    private static let settings = "etc/booster.init.yaml"
    private static let directory = "usr/lib/modules"
    static let reads = [settings]

    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool {
        report.generator == .booster && contents.file(at: settings) != nil
    }

    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError) {
        guard overlay.placement != .before, let bytes = request.contents.bytes(of: settings),
            var list = BoosterSettings(bytes)
        else {
            throw .overlay(.noPlaceInScript, "its /\(settings) cannot be replaced")
        }
        let held = Set(request.report.modules.map(\.name))
        let modules = try PrivateModules(request).modules
        let added = modules.filter { !held.contains($0.name) }
        for module in added {
            try overlay.archive.addFile(
                Array("\(directory)/\(module.name).ko".utf8), try request.tree.decodedBytes(of: module))
            var needed: [String] = []
            for case .module(let other) in try request.tree.loadOrder(of: module) where other != module {
                needed.append(other.name)
            }
            list.add(needed, for: module.name)
        }
        list.force(modules.map(\.name))
        try overlay.archive.addFile(Array(settings.utf8), list.bytes)
        overlay.loaded = modules.map(\.name)
    }
}

/// booster.init.yaml as its generator writes it (gopkg.in/yaml.v3): names in small letters, block style, or `[]` and `{}`.
struct BoosterSettings {
    private var lines: [String]

    /// Nil for what is written in another way.
    init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self), !text.contains("\t") else { return nil }
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last == "" { lines.removeLast() }
        for key in [Self.dependencies, Self.forced] {
            guard let line = lines.first(where: { $0.hasPrefix(key + ":") }) else { continue }
            let value = line.dropFirst(key.count + 1).filter { $0 != " " }
            guard ["", "[]", "{}"].contains(value) else { return nil }
        }
    }

    private static let dependencies = "moduledependencies"
    private static let forced = "modulesforceload"

    var bytes: [UInt8] { Array((lines.joined(separator: "\n") + "\n").utf8) }

    /// The lines below a key.
    private func body(_ key: String) -> Range<Int>? {
        guard let head = lines.firstIndex(where: { $0.hasPrefix(key + ":") }) else { return nil }
        let end = lines[(head + 1)...].firstIndex { !$0.hasPrefix(" ") && !$0.hasPrefix("-") } ?? lines.count
        return head + 1..<end
    }

    /// Makes the key's value a block, and answers where its end is.
    private mutating func open(_ key: String) -> Int {
        if let body = body(key) {
            lines[body.lowerBound - 1] = key + ":"
            return body.upperBound
        }
        lines.append(key + ":")
        return lines.count
    }

    /// Names what a module is loaded behind, where nothing is named yet.
    mutating func add(_ needed: [String], for module: String) {
        guard !needed.isEmpty else { return }
        if let body = body(Self.dependencies),
            lines[body].contains(where: { $0.drop { $0 == " " } == "\(module):" && $0.hasPrefix(" ") })
        {
            return
        }
        let indent =
            body(Self.dependencies).flatMap { lines[$0].first }.map { $0.prefix { $0 == " " } } ?? "    "
        let end = open(Self.dependencies)
        lines.insert(
            contentsOf: ["\(indent)\(module):"] + needed.map { "\(indent)\(indent)- \($0)" }, at: end)
    }

    /// Has modules loaded whatever the machine shows.
    mutating func force(_ modules: [String]) {
        let listed = body(Self.forced).map { Array(lines[$0]) } ?? []
        let names = listed.map { $0.split(separator: " ").last.map(String.init) ?? "" }
        let indent = listed.first.map { $0.prefix { $0 == " " } } ?? "    "
        let missing = modules.filter { !names.contains($0) }
        guard !missing.isEmpty else { return }
        let end = open(Self.forced)
        lines.insert(contentsOf: missing.map { "\(indent)- \($0)" }, at: end)
    }
}
