/// A unit of systemd that mounts a device, or swaps to one (systemd.mount(5), systemd.swap(5)), or a drop-in of one.
package struct SystemdMount: ConfigurationSyntax {
    package static let kind = ConfigurationKind("systemd-mount")
    /// What a target requires comes first: a file that several names lead to is read under the first.
    package static let places: [ConfigurationPlace] =
        [.directory(required, suffix: ".mount")] + SystemdUnit.files(ofSuffixes: [".mount", ".swap"])
    /// systemd makes a unit of the path that it waits for.
    package static var wantsPaths: Bool { true }
    package static var namesAreRemarkedOn: Bool { false }

    /// The device, where the unit says it.
    package let device: (range: Range<Int>, text: String)?
    /// Where it is mounted; nil for what is swapped to.
    package let mountPoint: String?
    /// The boot stops in systemd's emergency shell where it cannot be mounted: local-fs.target requires it.
    package let isRequired: Bool
    /// It is a part of a unit, beside it.
    let isDropIn: Bool
    /// The unit's own name, of a drop-in too.
    package let name: String
    private let settings: INIFile

    package init(_ bytes: [UInt8], path: String) {
        settings = INIFile(bytes)
        isRequired = path.hasPrefix(Self.required + "/")
        isDropIn = path.hasSuffix(".conf")
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
        let types = MountTypes(settings.last("Mount", "Type")?.text ?? "")
        let options = settings.last("Mount", "Options").map { Fstab.deviceOptions(bytes, $0.range) } ?? []
        return SystemdUnit.dependencies(of: name, settings, bytes)
            + (device.map { [site($0, .unit(mountPoint: mountPoint, types))] } ?? [])
            + options.map { site(($0.range, $0.device), .unit(mountPoint: mountPoint, nil)) }
    }

    private static let required = "/etc/systemd/system/local-fs.target.requires"

    private func site(_ device: (range: Range<Int>, text: String), _ use: DeviceSite.Use) -> DeviceSite {
        DeviceSite(range: device.range, text: device.text, use: use, isOpaque: device.text.contains("%"))
    }
}
