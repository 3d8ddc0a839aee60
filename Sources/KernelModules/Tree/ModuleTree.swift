package import Storage

/// The modules of one kernel: /lib/modules/RELEASE with its indexes, and the kernel's configuration. Indexes are read
/// when they are first needed. One owner uses it at a time.
///
/// The text of an index is taken where there is one, else kmod's binary form of it, else what the modules' own `.modinfo`
/// says.
package final class ModuleTree {
    /// The kernel's release, as `uname -r` prints it.
    package let release: String
    /// Where its modules lie: "/lib/modules/RELEASE" or, where /lib is no link, "/usr/lib/modules/RELEASE". Nil when
    /// there are none.
    package let directory: String?
    let store: any ModuleStore
    private let configurationPath: String

    private var dependencyCache: DependencyIndex??
    private var aliasCache: AliasIndex?
    private var softCache: SoftDependencies?
    private var builtinCache: BuiltinModules??
    private var configurationCache: KernelConfiguration??
    private var fileCache: [String: KernelModule]?
    private var infoCache: [String: ModuleInfo] = [:]
    private var scanned: [(module: KernelModule, info: ModuleInfo)]?
    /// Modules that a scan could not read, the first few of them.
    package private(set) var unreadableModules: [StorageError] = []

    static let indexLimit = 32 << 20
    private static let configurationLimit = 4 << 20

    /// The modules of `release` in `store`. `configuration` is the path of the kernel's configuration, by default
    /// /boot/config-RELEASE. A tree without modules is one all the same: everything may be built in. Throws `corrupt` for
    /// a release that is no name.
    package init(
        release: String, in store: any ModuleStore, configuration: String? = nil
    ) throws(StorageError) {
        guard !release.isEmpty, !release.utf8.contains(UInt8(ascii: "/")), !release.utf8.contains(0),
            release != ".", release != ".."
        else { throw .modules(.corrupt, .badRelease, "\"\(release)\" is no kernel's release") }
        self.release = release
        self.store = store
        configurationPath = configuration ?? "/boot/config-\(release)"
        var found: String?
        for candidate in ["/lib/modules/\(release)", "/usr/lib/modules/\(release)"] where found == nil {
            if try store.entries(of: candidate) != nil { found = candidate }
        }
        directory = found
    }

    /// The path in the store of a module or index.
    package func path(of relative: String) -> String? {
        if relative.hasPrefix("/") { return relative }
        return directory.map { "\($0)/\(relative)" }
    }

    /// An index's bytes; nil when the tree has none.
    func index(_ name: String) throws(StorageError) -> [UInt8]? {
        guard let path = path(of: name) else { return nil }
        return try store.contents(of: path, limit: Self.indexLimit)
    }

    /// A binary index; nil when the tree has none. depmod leaves an empty file for what it has nothing to say of.
    func binaryIndex(_ name: String) throws(StorageError) -> BinaryIndex? {
        guard let bytes = try index(name), !bytes.isEmpty else { return nil }
        do {
            return try BinaryIndex(bytes)
        } catch {
            throw error.inFile(path(of: name) ?? name)
        }
    }

    /// modules.dep; nil when the tree has none.
    package func dependencyIndex() throws(StorageError) -> DependencyIndex? {
        if let dependencyCache { return dependencyCache }
        var result: DependencyIndex?
        if let text = try index("modules.dep"), !text.isEmpty {
            result = DependencyIndex(text: text, release: release)
        } else if let binary = try binaryIndex("modules.dep.bin") {
            result = try DependencyIndex(binary, release: release)
        }
        if let found = result, found.lines.isEmpty { result = nil }
        dependencyCache = .some(result)
        return result
    }

    /// The modules' aliases.
    package func aliasIndex() throws(StorageError) -> AliasIndex {
        if let aliasCache { return aliasCache }
        var result: AliasIndex?
        if let text = try index("modules.alias"), !text.isEmpty {
            result = AliasIndex(text: text)
        } else if let binary = try binaryIndex("modules.alias.bin") {
            result = try AliasIndex(binary)
        }
        if let found = result, found.count == 0 { result = nil }
        // The table of before says PCI alone, and so do modules.
        if result == nil, let text = try index("modules.pcimap") { result = AliasIndex(pciMap: text) }
        if let found = result, found.count == 0 { result = nil }
        let index: AliasIndex
        if let result { index = result } else { index = try aliasesOfModules() }
        aliasCache = index
        return index
    }

    /// modules.softdep, or what the modules say where modules.dep is missing as well: modules.softdep came with Linux 3.9.
    package func softDependencies() throws(StorageError) -> SoftDependencies {
        if let softCache { return softCache }
        var result = SoftDependencies()
        if let text = try index("modules.softdep") {
            result = SoftDependencies(text: text)
        } else if try dependencyIndex() == nil {
            for (module, info) in try allModuleInfo() {
                for text in info.softDependencies { result.append(.init(module: module.name, text: text)) }
            }
        }
        softCache = result
        return result
    }

    /// What is built in; nil where nothing tells, as before Linux 2.6.33.
    package func builtinModules() throws(StorageError) -> BuiltinModules? {
        if let builtinCache { return builtinCache }
        var result: BuiltinModules?
        if let text = try index("modules.builtin") {
            result = BuiltinModules(text: text)
        } else if let binary = try binaryIndex("modules.builtin.bin") {
            result = try BuiltinModules(binary)
        }
        if var found = result {
            if let bytes = try index("modules.builtin.modinfo") {
                found.addInformation(bytes)
            } else if let binary = try binaryIndex("modules.builtin.alias.bin") {
                try found.addAliases(binary)
            }
            result = found
        }
        builtinCache = .some(result)
        return result
    }

    /// The kernel's configuration; nil when there is none.
    package func configuration() throws(StorageError) -> KernelConfiguration? {
        if let configurationCache { return configurationCache }
        let bytes = try store.contents(of: configurationPath, limit: Self.configurationLimit)
        var result = bytes.map { KernelConfiguration(text: $0) }
        if let found = result, found.isEmpty { result = nil }
        configurationCache = .some(result)
        return result
    }

    /// modules.devname.
    package func deviceNodes() throws(StorageError) -> DeviceNodes {
        guard let text = try index("modules.devname") else { return DeviceNodes() }
        return DeviceNodes(text: text)
    }

    /// modules.symbols: what `symbol:NAME` leads to.
    package func symbolIndex() throws(StorageError) -> AliasIndex {
        if let text = try index("modules.symbols"), !text.isEmpty { return AliasIndex(text: text) }
        guard let binary = try binaryIndex("modules.symbols.bin") else { return AliasIndex() }
        return try AliasIndex(binary)
    }

    /// modules.order: paths in the order of the kernel's build, which decides among modules for one device.
    package func buildOrder() throws(StorageError) -> [String] {
        guard let text = try index("modules.order") else { return [] }
        let lines = IndexLines(bytes: text)
        var result: [String] = []
        lines.forEach { words, _ in result.append(lines.text(words[0])) }
        return result
    }

    /// What a module says of itself. Throws what reading it throws, and `corrupt` when its file is not there.
    package func info(of module: KernelModule) throws(StorageError) -> ModuleInfo {
        if let known = infoCache[module.path] { return known }
        guard let path = path(of: module.path), let info = try ModuleInfo(path, in: store) else {
            throw absent(module)
        }
        infoCache[module.path] = info
        return info
    }

    /// Every module's file by canonical name, found by walking the directory.
    func files() throws(StorageError) -> [String: KernelModule] {
        if let fileCache { return fileCache }
        let result = try walk()
        fileCache = result
        return result
    }

    /// All modules with what they say, those that cannot be read left out and noted: for trees without indexes.
    func allModuleInfo() throws(StorageError) -> [(module: KernelModule, info: ModuleInfo)] {
        if let scanned { return scanned }
        let order = try buildOrder()
        var rank: [String: Int] = [:]
        for (index, path) in order.enumerated() {
            if let name = ModuleName.ofFile(path) { rank[name] = index }
        }
        let modules = try files().values.sorted {
            (rank[$0.name] ?? .max, $0.path) < (rank[$1.name] ?? .max, $1.path)
        }
        var result: [(module: KernelModule, info: ModuleInfo)] = []
        for module in modules {
            do {
                try Cancellation.check()
                result.append((module, try info(of: module)))
            } catch {
                guard error.isAboutImage else { throw error }
                if unreadableModules.count < 16 { unreadableModules.append(error) }
            }
        }
        scanned = result
        return result
    }

    private func aliasesOfModules() throws(StorageError) -> AliasIndex {
        var index = AliasIndex()
        for (module, info) in try allModuleInfo() {
            for alias in info.aliases { index.append(alias: alias.hostBytes, module: module.name.utf8) }
        }
        return index
    }
}
