/// Files that name devices for tools which no boot waits for, each in a language of its own: they are reported, never changed.
package struct NamedDevices: ConfigurationSyntax {
    package static let kind = ConfigurationKind("named-devices")
    package static var isNeededToBoot: Bool { false }
    package static let places: [ConfigurationPlace] = [
        .path("/etc/kdump.conf"), .path("/etc/sysconfig/kdump"), .path("/etc/default/kdump-tools"),
        .path("/etc/sysconfig/rawdevices"), .path("/etc/rc.local"), .path("/etc/rc.d/rc.local"),
        .path("/etc/overlayroot.conf"), .path("/etc/veritytab"), .path("/etc/integritytab"),
        .path("/etc/conf.d/dmcrypt"), .path("/etc/sysconfig/docker-storage-setup"),
        .directory("/etc", prefix: "auto."), .directory("/etc/auto.master.d"),
        .directory("/etc/drbd.d", suffix: ".res"),
    ]

    package init(_ bytes: [UInt8], path: String) {}

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { Self.reportedSites(in: bytes) }
}

extension NamedDevices {
    /// Every path below /dev outside of comments, for what is never changed.
    static func reportedSites(in bytes: [UInt8]) -> [DeviceSite] {
        TextLine.all(in: bytes).flatMap { line -> [DeviceSite] in
            let content = bytes.trimmed(line.content)
            guard let first = bytes[content].first, first != .hash, first != UInt8(ascii: ";") else {
                return []
            }
            return paths(in: bytes, content).map {
                DeviceSite(range: $0, text: bytes.text($0), use: .reported("device of a tool's settings"))
            }
        }
    }

    /// The paths below /dev in a piece of text, whatever stands around them.
    static func paths(in bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes.has("/dev/", at: index, in: range),
                index == range.lowerBound || !isOfPath(bytes[index - 1])
            else {
                index += 1
                continue
            }
            // Only a place on a bus has colons in its name.
            let takesColons = bytes.has("/dev/disk/by-path/", at: index, in: range)
            let end =
                bytes[index..<range.upperBound].firstIndex { !isOfPath($0) && !($0 == .colon && takesColons) }
                ?? range.upperBound
            found.append(index..<end)
            index = end
        }
        return found
    }

    private static func isOfPath(_ byte: UInt8) -> Bool {
        byte.isNameCharacter
            || [UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."), .backslash].contains(byte)
    }
}
