internal import Initramfs
internal import KernelModules
internal import Storage

/// Modules in a directory of their own, with indexes of their own: nothing that the image holds is replaced, and the image
/// replaces nothing of them, so that it does not matter which of the two is unpacked first.
struct PrivateModules {
    /// The directory, from the root of the initramfs.
    static let root = "diskgraft"

    /// All that is loaded: what is missing, and what that depends on although the image has it, in order.
    let modules: [KernelModule]
    private let release: String

    /// What `request` misses, with all that it needs.
    init(_ request: OverlayRequest) throws(StorageError) {
        release = request.tree.release
        var modules: [KernelModule] = []
        for module in request.modules {
            for target in try request.tree.loadOrder(of: module) {
                if case .module(let needed) = target, !modules.contains(needed) { modules.append(needed) }
            }
        }
        guard !modules.isEmpty else {
            throw .overlay(.nothingToAdd, "no module is missing", path: request.tree.directory)
        }
        self.modules = modules
    }

    /// Names in the order of loading.
    var names: [String] { modules.map(\.name) }
    /// Where the modules lie in the initramfs, in the order of loading.
    var paths: [String] { modules.map { "/\(directory)/\(PackedPath.of($0))" } }
    private var directory: String { "\(Self.root)/lib/modules/\(release)" }

    /// Adds the modules, uncompressed: a signature is part of the object, and not every initramfs can decompress.
    func add(to files: inout InitramfsOverlay, _ tree: ModuleTree) throws(StorageError) {
        for module in modules {
            let path = "\(directory)/\(PackedPath.of(module))"
            try files.addFile(Array(path.utf8), try tree.decodedBytes(of: module))
        }
        for index in try tree.indexes(of: modules).renamed(PackedPath.of).files() {
            try files.addFile(Array("\(directory)/\(index.name)".utf8), index.bytes)
        }
        // Where kmod was built to look below /usr/lib.
        try files.addLink(Array("\(Self.root)/usr/lib".utf8), to: Array("../lib".utf8))
    }

    /// Shell commands that load them, for scripts of any shell that are read by others: they leave no variable behind, and
    /// do not fail. Without modprobe, or with one that knows no other root, the modules are loaded one by one. They are
    /// wanted whatever blacklists and `install` lines say: initramfs-tools' init has every modprobe heed the former.
    var commands: String {
        """
        # Drivers of the machine that this system was moved to. What is loaded already is passed over.
        MODPROBE_OPTIONS= modprobe -d /\(Self.root) -q -i -a \(names.joined(separator: " ")) >/dev/null 2>&1 || {
        \(paths.map { "insmod \($0) >/dev/null 2>&1" }.joined(separator: "\n"))
        true
        }

        """
    }
}

/// Where a module lies in an overlay: as in the kernel's directory, without the suffix of a compression.
enum PackedPath {
    static func of(_ module: KernelModule) -> String { of(module.path) }

    static func of(_ path: String) -> String {
        // Before module-init-tools 3.4 the index has paths from the root.
        var steps = path.split(separator: "/").map(String.init)
        if path.hasPrefix("/"), let place = steps.firstIndex(of: "modules") {
            steps.removeFirst(min(place + 2, steps.count - 1))
        }
        let plain = steps.joined(separator: "/")
        guard let compression = ModuleName.compression(ofFile: plain) else { return plain }
        return String(plain.dropLast(compression.rawValue.utf8.count + 1))
    }
}
