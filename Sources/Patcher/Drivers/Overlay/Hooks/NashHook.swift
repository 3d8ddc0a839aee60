internal import Initramfs
internal import KernelModules
internal import Storage

/// The mkinitrd of Red Hat up to RHEL 5: /init is a list of commands for nash, which has no includes, so that the file is
/// replaced by one with further commands. Device nodes are made where "mkblkdevs" or "udevstart" stands; a driver that is
/// loaded before the last of them has its nodes.
enum NashHook: LoadHook {
    static let reads = ["init"]

    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool {
        report.generator == .nash
    }

    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError) {
        guard overlay.placement != .before, let script = request.contents.bytes(of: "init") else {
            throw .overlay(.noPlaceInScript, "its /init cannot be replaced")
        }
        let lines = script.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(
            Array.init)
        let loaded = Set(lines.compactMap(loadedModule))
        let modules = try PrivateModules(request)
        try modules.add(to: &overlay.archive, request.tree)
        let commands = zip(modules.names, modules.paths).filter { !loaded.contains($0.0) }
            .map { Array("insmod \($0.1)".utf8) }
        guard let place = place(in: lines) else {
            throw .overlay(.noPlaceInScript, "its /init has no command that makes the root device")
        }
        var result = lines
        result.insert(contentsOf: commands, at: place)
        // Longer than the old one, as Linux before 2.6.19 needs it: it does not cut the file that it replaces.
        try overlay.archive.addFile(
            Array("init".utf8), Array(result.joined(separator: [UInt8(ascii: "\n")])), permissions: 0o755)
        overlay.loaded = modules.names
    }

    /// Before the last making of nodes that stands before the root is looked for, else before that.
    private static func place(in lines: [[UInt8]]) -> Int? {
        let commands = lines.map { line in
            line.split(separator: UInt8(ascii: " ")).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        let seekers: Set<String> = [
            "mkrootdev", "lvm", "vgscan", "/sbin/lvm", "resume", "dm", "mdadm", "raidautorun",
        ]
        guard let end = commands.firstIndex(where: seekers.contains) else { return nil }
        let makers: Set<String> = ["mkblkdevs", "/sbin/udevstart", "udevstart", "stabilized", "mkdevices"]
        guard let maker = commands[..<end].lastIndex(where: makers.contains) else { return end }
        // Disks are waited for before nodes are made, where they are.
        let first = commands[..<maker].lastIndex { !makers.contains($0) && $0 != "echo" }.map { $0 + 1 }
        return first ?? maker
    }

    private static func loadedModule(_ line: [UInt8]) -> String? {
        let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.count > 1, words[0] == "insmod" || words[0] == "/sbin/insmod" else { return nil }
        return ModuleName.ofFile(words[1])
    }
}
