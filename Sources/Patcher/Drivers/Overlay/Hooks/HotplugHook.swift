internal import Initramfs
internal import KernelModules
internal import Storage

/// What loads modules by the names that the kernel gives its devices, from its own directory of modules, and reads no
/// script: Alpine's mkinitfs (nlplug-findfs), and systemd alone (udev). The modules go into that directory, and its indexes
/// are replaced by ones that know the old and the new.
enum HotplugHook: LoadHook {
    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool {
        report.generator == .mkinitfs || report.generator == .systemd
    }

    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError) {
        guard overlay.placement != .before else {
            throw .overlay(.noPlaceInScript, "its indexes of modules cannot be replaced")
        }
        let release = request.tree.release
        var held: [String: String] = [:]
        let root = request.contents.placeOfNewFile(Array("lib/modules/\(release)".utf8))
        for module in request.report.modules where module.release == release {
            guard module.path.starts(with: root) else { continue }
            held[module.name] = String(hostBytes: module.path.dropFirst(root.count + 1))
        }
        let added = try PrivateModules(request).modules.filter { held[$0.name] == nil }
        let directory = String(hostBytes: root)
        var all: [KernelModule] = []
        for name in held.keys.sorted() {
            if let module = try request.tree.module(name) { all.append(module) }
        }
        for module in added {
            try overlay.archive.addFile(
                "\(directory)/\(PackedPath.of(module))".hostBytes, try request.tree.decodedBytes(of: module))
            if !all.contains(module) { all.append(module) }
        }
        let indexes = try request.tree.indexes(of: all).renamed { path in
            ModuleName.ofFile(path).flatMap { held[$0] } ?? PackedPath.of(path)
        }
        for index in try indexes.files() {
            try overlay.archive.addFile("\(directory)/\(index.name)".hostBytes, index.bytes)
        }
        overlay.loaded = added.map(\.name)
        if request.report.generator == .systemd {
            // The root's file system is mounted by name, and LVM and its like are asked for by nobody.
            let list = overlay.loaded.joined(separator: "\n") + "\n"
            try overlay.archive.addFile(
                request.contents.placeOfNewFile(Array("etc/modules-load.d/diskgraft.conf".utf8)),
                Array(list.utf8))
        }
    }
}
