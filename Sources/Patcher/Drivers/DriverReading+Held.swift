internal import GuestTree
internal import Initramfs
internal import KernelModules
internal import Storage

/// Which of an initramfs's modules its kernel gets to load.
extension DriverReading {
    /// Those of the kernel's own release, which what loads them finds, and which are modules for it. Only those that some
    /// controller or layer of the root needs are read: of the others the names count.
    func heldModules(_ evidence: Evidence) throws(StorageError) -> HeldModules {
        guard let contents = evidence.contents, let report = evidence.report else { return HeldModules() }
        let packed = try PackedModules(contents, report, evidence.release, evidence.tree)
        guard let tree = evidence.tree, let source = try evidence.source?() else {
            return HeldModules(packed.modules.keys)
        }
        var held = HeldModules(packed.modules.keys)
        var read: Set<String> = []
        // One that is none gives way to another driver, which is read then.
        for _ in 0..<Self.roundLimit {
            let names = try needed(tree, held).subtracting(read)
            guard !names.isEmpty else { break }
            read.formUnion(names)
            let bad = try useless(names, of: packed, in: source, for: tree)
            for name in bad { held.remove(name) }
            if bad.isEmpty { break }
        }
        return held
    }

    private static let roundLimit = 4
    /// Bytes of one module's file, and of all that are read.
    private static let moduleLimit: UInt64 = 32 << 20
    private static let totalLimit: UInt64 = 256 << 20

    /// What is counted on, with what it depends on.
    private func needed(_ tree: ModuleTree, _ held: HeldModules) throws(StorageError) -> Set<String> {
        let controllers = (candidates + [.storvsc, .xenBlkfront]).compactMap { device($0) }
        var names: Set<String> = []
        for device in controllers + rootLayers {
            do {
                for driver in try tree.need(device, holding: held).drivers where driver.origin != .builtin {
                    names.insert(driver.name)
                    guard let module = try tree.module(driver.name) else { continue }
                    names.formUnion(try tree.closure(of: module).map(\.name))
                }
            } catch {
                guard error.isAboutImage else { throw error }
            }
        }
        return names.filter(held.contains)
    }

    /// What the kernel's own modules are for.
    private func machineOfModules(
        _ tree: ModuleTree, _ names: Set<String>
    ) throws(StorageError) -> UInt16? {
        for name in names.sorted() {
            do {
                if let module = try tree.module(name) { return try tree.info(of: module).machine }
            } catch {
                guard error.isAboutImage else { throw error }
            }
        }
        return nil
    }

    /// Those of which no file is a module for that kernel.
    private func useless(
        _ names: Set<String>, of packed: PackedModules, in source: ByteSource, for tree: ModuleTree
    ) throws(StorageError) -> [String] {
        var paths: Set<[UInt8]> = []
        for name in names { paths.formUnion(packed.modules[name] ?? []) }
        guard !paths.isEmpty else { return [] }
        var rest = Self.totalLimit
        var unread = paths
        let contents: InitramfsContents
        do {
            contents = try InitramfsImage(source).contents { path, size in
                guard paths.contains(path), size <= Self.moduleLimit, size <= rest else { return false }
                rest -= size
                unread.remove(path)
                return true
            }
        } catch {
            guard error.isAboutImage || error.isOfBounds else { throw error }
            return []
        }
        var bad: [String] = []
        var machine = machine
        if machine == nil { machine = try machineOfModules(tree, names) }
        for name in names.sorted() {
            var isOfUse = false
            for path in packed.modules[name] ?? [] where !isOfUse {
                guard let bytes = contents.bytes(of: path), !contents.omitted.contains(path) else {
                    // Too long to be looked at, which is no reason to doubt it.
                    isOfUse = unread.contains(path) || contents.omitted.contains(path)
                    continue
                }
                isOfUse =
                    try tree.fault(ofFile: bytes, name, path: path.displayText, machine: machine) == nil
            }
            if !isOfUse { bad.append(name) }
        }
        return bad
    }
}

/// The modules of an initramfs that a kernel of one release gets at, with the places of their files.
struct PackedModules {
    private(set) var modules: [String: [[UInt8]]] = [:]

    /// `release`: nil where it is not known, and all count.
    init(
        _ contents: InitramfsContents, _ report: InitramfsReport, _ release: String?, _ tree: ModuleTree?
    ) throws(StorageError) {
        var loading = ModuleLoading(report)
        if let tree { try loading.addDependencies(by: tree) }
        let directories = release.map { release in
            ["lib/modules/", "usr/lib/modules/"].compactMap { contents.file(at: $0 + release)?.path }
        }
        let ways = Dictionary(
            (directories ?? []).map { ($0, IndexesOfImage(contents, $0, report.generator)) },
            uniquingKeysWith: { first, _ in first })
        for module in report.modules {
            guard let file = contents.file(at: module.path), file.type == .regular, file.size > 0 else {
                continue
            }
            if let directory = ways.first(where: { module.path.starts(with: $0.key + Array("/".utf8)) }) {
                guard directory.value.leads(to: module.name, loading) else { continue }
            } else if let own = module.release, let release, own != release {
                // The kernel looks in the directory of its own release alone.
                continue
            }
            modules[module.name, default: []].append(file.path)
        }
    }
}

/// What modprobe finds modules by in a directory of an initramfs.
private struct IndexesOfImage {
    /// Names lead to files and to what these depend on.
    private let hasDependencies: Bool
    /// What a device shows leads to names.
    private let hasAliases: Bool

    init(_ contents: InitramfsContents, _ directory: [UInt8], _ generator: InitramfsGenerator) {
        func has(_ name: String) -> Bool {
            ["", ".bin"].contains { suffix in
                let file = contents.file(at: directory + Array("/\(name)\(suffix)".utf8))
                return file?.type == .regular && file.map { $0.size > 0 } ?? false
            }
        }
        switch generator {
        case .initramfsTools, .dracut, .mkinitcpio, .mkinitfs, .systemd:
            hasDependencies = has("modules.dep")
            hasAliases = has("modules.alias")
        // These load by insmod, or by lists of their own.
        case .suseMkinitrd, .nash, .booster, .unknown: (hasDependencies, hasAliases) = (true, true)
        }
    }

    func leads(to name: String, _ loading: ModuleLoading) -> Bool {
        if loading.inserted.contains(name) { return true }
        return hasDependencies && (hasAliases || loading.named.contains(name))
    }
}
