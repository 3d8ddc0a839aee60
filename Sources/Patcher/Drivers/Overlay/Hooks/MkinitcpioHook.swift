internal import Initramfs
internal import Storage

/// Arch's: /config is read as shell commands once /proc, /sys and /dev are mounted, before its hooks run.
enum MkinitcpioHook: LoadHook {
    static let reads = ["config"]

    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool {
        report.generator == .mkinitcpio && contents.file(at: "config") != nil
    }

    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError) {
        guard overlay.placement != .before, var script = request.contents.bytes(of: "config") else {
            throw .overlay(.noPlaceInScript, "its /config cannot be replaced")
        }
        let modules = try PrivateModules(request)
        try modules.add(to: &overlay.archive, request.tree)
        if script.last != UInt8(ascii: "\n") { script.append(UInt8(ascii: "\n")) }
        try overlay.archive.addFile(Array("config".utf8), script + Array(modules.commands.utf8))
        overlay.loaded = modules.names
    }
}
