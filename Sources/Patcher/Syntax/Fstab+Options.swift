extension Fstab {
    /// Options whose value is a device: an external journal or log, a further member of the file system, and what systemd
    /// is to have ready (systemd.mount(5)).
    private static let deviceOptionNames: Set<String> = [
        "journal_path", "logdev", "rtdev", "device", "x-systemd.requires", "x-systemd.after",
        "x-systemd.before", "x-systemd.requires-mounts-for",
    ]

    /// The devices in an options field.
    static func deviceOptions(_ bytes: [UInt8], _ field: Range<Int>) -> [DeviceOption] {
        options(bytes, field, named: deviceOptionNames).compactMap { option in
            let value = bytes.text(option.range)
            let device = SystemdUnitName.device(of: value) ?? value
            return device.hasPrefix("/dev/")
                ? DeviceOption(name: option.name, range: option.range, device: device) : nil
        }
    }

    /// The options of these names, with the bytes of their values.
    static func options(
        _ bytes: [UInt8], _ field: Range<Int>, named names: Set<String>
    ) -> [(name: String, range: Range<Int>)] {
        bytes[field].split(separator: .comma).compactMap { option in
            guard let equals = option.firstIndex(of: .equals) else { return nil }
            let name = bytes.text(option.startIndex..<equals)
            return names.contains(name) ? (name, equals + 1..<option.endIndex) : nil
        }
    }
}
