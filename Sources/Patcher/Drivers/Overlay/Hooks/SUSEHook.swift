internal import Initramfs
internal import Storage

/// The mkinitrd of SUSE up to SLES 11: /init reads run_all.sh, which reads boot/NN-NAME.sh one after the other, with the
/// settings of each copied in front of it, so that no file beside them is read. /proc, /sys and /dev are mounted by
/// "start"; disks are asked for from "udev" on, or from "block". The file is replaced by one with further commands there.
enum SUSEHook: LoadHook {
    private static let script = "run_all.sh"
    static let reads = [script]

    static func knows(_ report: InitramfsReport, _ contents: InitramfsContents) -> Bool {
        report.generator == .suseMkinitrd && contents.file(at: script) != nil
    }

    static func add(_ request: OverlayRequest, to overlay: inout DriverOverlay) throws(StorageError) {
        guard overlay.placement != .before, let bytes = request.contents.bytes(of: script) else {
            throw .overlay(.noPlaceInScript, "its \(script) cannot be replaced")
        }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(
            Array.init)
        guard let place = place(in: lines.map { String(decoding: $0, as: UTF8.self) }) else {
            throw .overlay(.noPlaceInScript, "its \(script) has no place before disks are looked for")
        }
        let modules = try PrivateModules(request)
        try modules.add(to: &overlay.archive, request.tree)
        lines.insert(Array(modules.commands.utf8), at: place)
        // Longer than the old one, as Linux before 2.6.19 needs it: it does not cut the file that it replaces.
        try overlay.archive.addFile(
            Array(script.utf8), Array(lines.joined(separator: [UInt8(ascii: "\n")])), permissions: 0o755)
        overlay.loaded = modules.names
    }

    /// Before the first script that asks for disks, outside of what may be left out.
    private static func place(in lines: [String]) -> Int? {
        for stage in ["udev", "block", "mount"] {
            guard
                let line = lines.firstIndex(where: {
                    $0.hasPrefix("source boot/") && $0.hasSuffix("-\(stage).sh")
                }),
                lines[..<line].contains(where: { $0.hasSuffix("-start.sh") && $0.hasPrefix("source boot/") })
            else { continue }
            // `if [ … ]; then` stands in front of one that has a condition, `modules=` between them.
            let head = lines[..<line].lastIndex { !$0.hasPrefix("modules=") && !$0.isEmpty }
            if let head, lines[head].hasPrefix("if ") { return head }
            return line
        }
        return nil
    }
}
