internal import Initramfs
internal import Storage

/// Debian's and Ubuntu's: its init reads every file of conf/conf.d as shell commands, once /proc, /sys and /dev are
/// mounted and before udev begins (initramfs-tools, `init`).
enum InitramfsToolsHook: LoadHook {
    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool {
        report.generator == .initramfsTools
    }

    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError) {
        let modules = try PrivateModules(request)
        try modules.add(to: &overlay.archive, request.tree)
        try overlay.archive.addFile(Array("conf/conf.d/zz-diskgraft".utf8), Array(modules.commands.utf8))
        overlay.loaded = modules.names
    }
}
