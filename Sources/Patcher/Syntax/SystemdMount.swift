/// A unit of systemd that mounts a device, or swaps to one (systemd.mount(5), systemd.swap(5)).
package struct SystemdMount: ConfigurationSyntax {
    package static let kind = ConfigurationKind("systemd-mount")
    package static let places: [ConfigurationPlace] = [
        "/etc/systemd/system", "/usr/local/lib/systemd/system",
    ]
    .flatMap { directory in
        [".mount", ".swap"].map { ConfigurationPlace.directory(directory, suffix: $0) }
    }
    /// systemd makes a unit of the path that it waits for.
    package static var wantsPaths: Bool { true }

    /// The device, where the unit says it.
    package let device: (range: Range<Int>, text: String)?
    /// Where it is mounted; nil for what is swapped to.
    package let mountPoint: String?

    package init(_ bytes: [UInt8], path: String) {
        let file = INIFile(bytes)
        let isSwap = path.hasSuffix(".swap")
        device = file.last(isSwap ? "Swap" : "Mount", "What").map { ($0.range, $0.text) }
        mountPoint = isSwap ? nil : file.last("Mount", "Where")?.text ?? "?"
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        guard let device else { return [] }
        // A swap unit bears its device's name, so that the one cannot change without the other.
        let use: DeviceSite.Use =
            mountPoint.map { .unit(mountPoint: $0) } ?? .reported("device of a swap unit")
        return [
            DeviceSite(
                range: device.range, text: device.text, use: use, isOpaque: device.text.contains("%"))
        ]
    }
}
