/// A unit of systemd that mounts a device, or swaps to one (systemd.mount(5), systemd.swap(5)), or a drop-in of one.
package struct SystemdMount: ConfigurationSyntax {
    package static let kind = ConfigurationKind("systemd-mount")
    package static let places: [ConfigurationPlace] = SystemdUnit.files(ofSuffixes: [".mount", ".swap"])
    /// systemd makes a unit of the path that it waits for.
    package static var wantsPaths: Bool { true }

    /// The device, where the unit says it.
    package let device: (range: Range<Int>, text: String)?
    /// Where it is mounted; nil for what is swapped to.
    package let mountPoint: String?
    private let name: String
    private let settings: INIFile

    package init(_ bytes: [UInt8], path: String) {
        settings = INIFile(bytes)
        name = SystemdUnit.name(path)
        let isSwap = name.hasSuffix(".swap")
        device = settings.last(isSwap ? "Swap" : "Mount", "What").map { ($0.range, $0.text) }
        mountPoint =
            isSwap
            ? nil : settings.last("Mount", "Where")?.text ?? SystemdUnitName.mountPoint(ofUnit: name) ?? name
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        // A swap unit bears its device's name, so that the one cannot change without the other.
        guard let mountPoint else {
            return device.map { [site($0, .reported("device of a swap unit"))] } ?? []
        }
        return SystemdUnit.dependencies(of: name, settings, bytes)
            + (device.map { [site($0, .unit(mountPoint: mountPoint))] } ?? [])
    }

    private func site(_ device: (range: Range<Int>, text: String), _ use: DeviceSite.Use) -> DeviceSite {
        DeviceSite(range: device.range, text: device.text, use: use, isOpaque: device.text.contains("%"))
    }
}
