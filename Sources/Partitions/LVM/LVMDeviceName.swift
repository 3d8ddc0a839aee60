/// The names that a running Linux gives a logical volume.
package enum LVMDeviceName {
    /// The name in /dev/mapper: group and volume with their dashes doubled, joined by one.
    package static func mapperName(group: String, volume: String) -> String {
        group.replacing("-", with: "--") + "-" + volume.replacing("-", with: "--")
    }

    /// Both usual paths.
    package static func paths(group: String, volume: String) -> [String] {
        ["/dev/\(group)/\(volume)", "/dev/mapper/\(mapperName(group: group, volume: volume))"]
    }

    /// The group and volume that /dev/VG/LV, /dev/mapper/VG-LV or a bare VG/LV stands for; nil when the path has
    /// another form. Whether they exist is for the caller to see.
    package static func parse(_ path: String) -> (group: String, volume: String)? {
        if path.hasPrefix("/dev/mapper/") { return split(path.dropFirst("/dev/mapper/".count)) }
        let rest = path.hasPrefix("/dev/") ? path.dropFirst("/dev/".count) : Substring(path)
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// Splits at the one dash that is not doubled.
    private static func split(_ name: Substring) -> (group: String, volume: String)? {
        var parts: [String] = [""]
        var rest = name
        while let character = rest.popFirst() {
            if character == "-" {
                if rest.first == "-" {
                    rest.removeFirst()
                    parts[parts.count - 1].append("-")
                } else {
                    parts.append("")
                }
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (parts[0], parts[1])
    }
}
