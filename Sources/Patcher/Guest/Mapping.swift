/// Device-mapper names that a guest's tables and kernel arguments give to encrypted devices.
enum Mapping {
    /// What each name is made of.
    static func all(in files: [ScannedFile]) -> [String: DeviceName] {
        var found: [String: DeviceName] = [:]
        for file in files {
            for site in file.sites {
                if case .crypttab(let row) = site.use { found[row.name] = DeviceName(site.text) }
            }
            let lines =
                file.bootEntries.map(\.commandLine)
                + file.syntax.sharedCommandLines(in: file.bytes).map(\.line)
            for argument in lines.flatMap(\.arguments) {
                guard let value = argument.valueRange, let pair = pair(argument.name, file.bytes.text(value))
                else { continue }
                found[pair.name] = found[pair.name] ?? DeviceName(pair.source)
            }
        }
        return found
    }

    /// `cryptdevice=SOURCE:NAME:…` of mkinitcpio, `rd.luks.name=UUID=NAME` of systemd and dracut.
    private static func pair(_ argument: String, _ value: String) -> (name: String, source: String)? {
        switch argument {
        case "cryptdevice":
            let parts = value.split(separator: ":")
            return parts.count > 1 ? (String(parts[1]), String(parts[0])) : nil
        case "rd.luks.name", "luks.name":
            let parts = value.split(separator: "=")
            return parts.count == 2 ? (String(parts[1]), "UUID=\(parts[0])") : nil
        default: return nil
        }
    }
}
