internal import Initramfs
internal import Storage

/// dracut's, of every version: the scripts of its hook "pre-udev" are read once /proc, /sys and /dev are mounted, by its
/// init or by dracut-pre-udev.service, which runs when the directory is not empty.
enum DracutHook: LoadHook {
    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool {
        report.dracutHooks != nil
    }

    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError) {
        guard let hooks = request.report.dracutHooks else { return }
        let modules = try PrivateModules(request)
        try modules.add(to: &overlay.archive, request.tree)
        let script = Array("pre-udev/99-diskgraft.sh".utf8)
        // Version 004 of RHEL 6 has its hooks in the root.
        let path = hooks.isEmpty ? script : hooks + [UInt8(ascii: "/")] + script
        try overlay.archive.addFile(
            request.contents.placeOfNewFile(path), Array(modules.commands.utf8), permissions: 0o755)
        overlay.loaded = modules.names
    }
}
