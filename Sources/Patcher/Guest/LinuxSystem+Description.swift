internal import GuestTree

extension LinuxSystem {
    /// What is known of the guest, a line each: for people.
    package var description: [String] {
        var lines: [String] = []
        let system = [inspection.architecture, inspection.hasMergedUsr ? "merged /usr" : nil].compactMap {
            $0
        }
        if !system.isEmpty { lines.append("system: " + system.joined(separator: ", ")) }
        let loaders = files.filter { !$0.bootEntries.isEmpty || type(of: $0.syntax).showsUEFILoader }
            .map { "\($0.kind.rawValue) (\($0.file.displayPath))" }
        lines.append("boot loader: " + (loaders.isEmpty ? "none found" : loaders.joined(separator: ", ")))
        lines.append("firmware: " + firmware.summary)
        for path in bootPaths() { lines.append("\(path.firmware.rawValue) starts: \(path.sentence)") }
        for item in defaultEntries {
            let line = "default entry: \(item.entry.title) (\(item.file.file.displayPath))"
            // An entry with several kernels is there once for each.
            if lines.last != line { lines.append(line) }
        }
        if !inspection.kernels.isEmpty {
            lines.append("kernels: " + inspection.kernels.map(\.release).joined(separator: ", "))
        }
        for tool in inspection.tools { lines.append("guest tools: \(tool.name) (\(tool.path))") }
        let xenOnly = bootEntries.filter { $0.entry.looksXenOnly && !$0.entry.isXenMultiboot }.map(
            \.entry.title)
        if !xenOnly.isEmpty { lines.append("Xen-only kernels: " + xenOnly.joined(separator: ", ")) }
        let hypervisors = bootEntries.filter(\.entry.isXenMultiboot).map(\.entry.title)
        if !hypervisors.isEmpty {
            lines.append("entries that boot Xen first: " + hypervisors.joined(separator: ", "))
        }
        if !networkNames.isEmpty { lines.append("network cards: " + networkNames.joined(separator: ", ")) }
        if let selinux = inspection.selinux { lines.append("SELinux: \(selinux)") }
        if inspection.hasCloudInit { lines.append("cloud-init: installed") }
        return lines
    }
}
