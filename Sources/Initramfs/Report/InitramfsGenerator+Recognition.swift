internal import Storage

extension InitramfsGenerator {
    /// Where dracut keeps its own files, newest first: distributions differ in the name of the library directory.
    static let dracutDirectories = ["usr/lib/dracut", "lib/dracut", "usr/lib64/dracut", "lib64/dracut"]

    /// What made an image, by the files that it alone writes.
    init(_ contents: InitramfsContents) {
        func has(_ path: String, _ type: FileType = .regular) -> Bool {
            contents.file(at: path)?.type == type
        }
        let starter = contents.bytes(of: "init") ?? contents.bytes(of: "linuxrc") ?? []
        let firstLine = starter.prefix { $0 != UInt8(ascii: "\n") }

        if has("etc/booster.init.yaml") {
            self = .booster
        } else if has("conf/initramfs.conf")
            || has("scripts/init-top", .directory) && has("scripts/functions")
        {
            self = .initramfsTools
        } else if let version = Self.dracutVersion(contents) {
            self = .dracut(version: version.isEmpty ? nil : version)
        } else if has("init_functions") && has("config") || has("buildconfig") && has("hooks", .directory) {
            self = .mkinitcpio
        } else if firstLine.contains(Array("nash".utf8)) {
            self = .nash
        } else if has("run_all.sh") || has("config", .directory) && has("bin/run-init") {
            self = .suseMkinitrd
        } else if has("sbin/nlplug-findfs") || has("usr/sbin/nlplug-findfs") {
            self = .mkinitfs
        } else if Self.hasSystemd(contents) {
            self = .systemd
        } else {
            self = .unknown
        }
    }

    static func hasSystemd(_ contents: InitramfsContents) -> Bool {
        ["usr/lib/systemd/systemd", "lib/systemd/systemd"].contains { contents.file(at: $0) != nil }
    }

    /// The version that dracut wrote down, empty where it did not; nil for what is none of it.
    private static func dracutVersion(_ contents: InitramfsContents) -> String? {
        var isDracut = false
        for directory in dracutDirectories {
            guard let place = contents.file(at: directory), place.type == .directory else { continue }
            isDracut = true
            // "dracut-059-4" is a file of that name, and with it as its text.
            let prefix = place.path + Array("/dracut-".utf8)
            for path in contents.tree.nodes.keys.sorted(by: { $0.lexicographicallyPrecedes($1) })
            where path.starts(with: prefix) {
                let version = path.dropFirst(prefix.count)
                if version.first.map({ 48...57 ~= $0 }) == true, !version.contains(UInt8(ascii: "/")) {
                    return Array(version).displayText
                }
            }
        }
        for release in ["etc/initrd-release", "usr/lib/initrd-release"] {
            let lines = (contents.bytes(of: release) ?? []).split(separator: UInt8(ascii: "\n"))
            let name = Array("DRACUT_VERSION=".utf8)
            if let line = lines.first(where: { $0.starts(with: name) }) {
                return Array(line.dropFirst(name.count).filter { $0 != UInt8(ascii: "\"") }).displayText
            }
        }
        // That of RHEL 6 has its hooks in the root.
        let hooks = ["pre-udev", "pre-trigger", "cmdline", "initqueue"]
        if hooks.allSatisfy({ contents.file(at: $0)?.type == .directory }) { isDracut = true }
        return isDracut ? "" : nil
    }
}
