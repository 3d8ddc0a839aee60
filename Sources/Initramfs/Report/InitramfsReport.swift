package import Storage

/// What an initramfs is, and what it holds that matters for booting on another machine.
package struct InitramfsReport: Sendable {
    /// What made it.
    package let generator: InitramfsGenerator
    /// Whether it was made for the one machine that made it; nil where nothing tells.
    package let isHostOnly: Bool?
    /// What it boots when that is a live system.
    package let liveSystem: LiveSystem?
    /// Whether /lib is a link to usr/lib, so that files go there.
    package let isUsrMerged: Bool
    /// Whether systemd is its init.
    package let hasSystemd: Bool
    /// The releases of the kernels whose modules it holds.
    package let releases: [String]
    /// Its modules, by path.
    package let modules: [PackedModule]
    /// Modules that it loads by name.
    package let loadedModules: [ModuleList]
    /// The copies of configuration that it carries, by path.
    package let configuration: [ConfigurationCopy]
    /// Where dracut looks for hooks: the directory that has "pre-udev" and its like in it. Nil for other generators, and
    /// where none is found; empty for the root.
    package let dracutHooks: [UInt8]?

    /// Longer files are no configuration.
    private static let fileLimit: UInt64 = 1 << 20

    /// Whether the file is one whose bytes a report is made from.
    package static func wants(_ path: [UInt8], _ size: UInt64) -> Bool {
        guard size <= fileLimit else { return false }
        if ConfigurationCopy.kind(of: path) != nil || ModuleList.form(of: path) != nil { return true }
        let text = String(decoding: path, as: UTF8.self)
        return ["usr/lib/initrd-release", "etc/initrd-release"].contains(text)
            || InitramfsGenerator.dracutDirectories.contains { text == $0 + "/build-parameter.txt" }
    }

    /// Reads all that a report needs, in one pass, and with it what `isWanted` asks for. An image that is a file system is
    /// looked into where `open` can open it.
    package static func read(
        _ image: InitramfsImage,
        alsoWhere isWanted: (_ path: [UInt8], _ size: UInt64) -> Bool = { _, _ in false },
        opening open: OldRootOpener? = nil
    ) throws(StorageError) -> (contents: InitramfsContents, report: InitramfsReport) {
        var contents = try image.contents { path, size in wants(path, size) || isWanted(path, size) }
        if let kind = contents.fileSystem, let open, let tree = try open(image.fileSystemDevice()) {
            contents = try image.contents(of: tree, kind) { path, size in
                wants(path, size) || isWanted(path, size)
            }
        }
        return (contents, InitramfsReport(contents))
    }

    /// What `contents` tell, which were read with `wants`. Of an image that Linux unpacks in part, that part.
    package init(_ contents: InitramfsContents) {
        generator = InitramfsGenerator(contents)
        isHostOnly = Self.isHostOnly(contents)
        liveSystem = Self.liveSystem(contents)
        isUsrMerged = contents.unresolvedFile(at: "lib")?.type == .symbolicLink
        hasSystemd = InitramfsGenerator.hasSystemd(contents)
        let files = contents.files
        modules = files.compactMap { PackedModule($0) }
        var releases = Set(modules.compactMap(\.release))
        for file in files where file.type == .directory {
            // A directory of that kind, itself: what lies deeper is of the same release.
            let parent = EntryName.split(file.path).parent
            if parent == Array("lib/modules".utf8) || parent == Array("usr/lib/modules".utf8),
                let release = PackedModule.release(file.path)
            {
                releases.insert(release)
            }
        }
        self.releases = releases.sorted()
        var configuration: [ConfigurationCopy] = []
        var lists: [ModuleList] = []
        for file in files where file.type == .regular {
            guard let bytes = contents.bytes(of: file.path) else { continue }
            if let kind = ConfigurationCopy.kind(of: file.path) {
                configuration.append(ConfigurationCopy(path: file.path, bytes: bytes, kind: kind))
            }
            if let form = ModuleList.form(of: file.path),
                let list = ModuleList(
                    path: file.path, bytes: bytes, form: form,
                    isByBlacklist: ModuleList.isByBlacklist(file.path, generator, contents))
            {
                lists.append(list)
            }
        }
        self.configuration = configuration
        loadedModules = lists
        dracutHooks = Self.dracutHooks(contents, generator)
    }

    private static func isHostOnly(_ contents: InitramfsContents) -> Bool? {
        for directory in InitramfsGenerator.dracutDirectories {
            for name in ["hostonly-kernel-modules.txt", "hostonly-files"]
            where contents.file(at: "\(directory)/\(name)") != nil {
                return true
            }
            let words = String(
                decoding: contents.bytes(of: "\(directory)/build-parameter.txt") ?? [], as: UTF8.self
            )
            .split { " \n'".contains($0) }
            // dracut takes the last one.
            let word = words.last { ["-H", "--hostonly", "-N", "--no-hostonly"].contains($0) }
            if let word { return ["-H", "--hostonly"].contains(word) }
        }
        // initramfs-tools' MODULES=dep packs what this machine has; the files of conf.d come after, by name.
        var policy: Bool?
        for file in contents.files {
            let isSetting = file.path.starts(with: Array("conf/conf.d/".utf8))
            guard isSetting || file.path == Array("conf/initramfs.conf".utf8) else { continue }
            let text = String(decoding: contents.bytes(of: file.path) ?? [], as: UTF8.self)
            for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("MODULES=") {
                let value = line.dropFirst(8).filter { $0 != "\"" } == "dep"
                // Sorted by path, conf.d comes before the file that it overrides.
                if isSetting || policy == nil { policy = value }
            }
        }
        return policy
    }

    private static func liveSystem(_ contents: InitramfsContents) -> LiveSystem? {
        if contents.file(at: "scripts/casper") != nil { return .casper }
        if contents.file(at: "scripts/live") != nil || contents.file(at: "lib/live/boot") != nil {
            return .liveBoot
        }
        let dmsquash = ["sbin/dmsquash-live-root", "usr/sbin/dmsquash-live-root"]
        return dmsquash.contains { contents.file(at: $0) != nil } ? .dmsquash : nil
    }

    private static func dracutHooks(_ contents: InitramfsContents, _ generator: InitramfsGenerator)
        -> [UInt8]?
    {
        guard case .dracut = generator else { return nil }
        let places = InitramfsGenerator.dracutDirectories.map { $0 + "/hooks" } + ["var/lib/dracut/hooks"]
        for place in places {
            if let file = contents.file(at: place), file.type == .directory { return file.path }
        }
        return contents.file(at: "pre-udev")?.type == .directory ? [] : nil
    }
}
