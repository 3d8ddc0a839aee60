/// A unit of systemd, or a drop-in of one, that waits for devices (systemd.unit(5)).
package struct SystemdUnit: ConfigurationSyntax {
    package static let kind = ConfigurationKind("systemd-unit")
    package static let places: [ConfigurationPlace] = SystemdUnit.files(ofSuffixes: [
        ".service", ".target", ".automount", ".path", ".socket", ".timer", ".device",
    ])

    private let name: String
    private let settings: INIFile

    package init(_ bytes: [UInt8], path: String) {
        name = Self.name(path)
        settings = INIFile(bytes)
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        Self.dependencies(of: name, settings, bytes) + commands(bytes)
    }

    /// Devices in what a service runs. A command is the administrator's own, and stays as it is.
    private func commands(_ bytes: [UInt8]) -> [DeviceSite] {
        settings.settings.filter { $0.key.hasPrefix("Exec") }.flatMap { setting in
            NamedDevices.paths(in: bytes, setting.range).map {
                DeviceSite(
                    range: $0, text: bytes.text($0), use: .reported("device in \(setting.key)= of \(name)"))
            }
        }
    }
}

extension SystemdUnit {
    /// Where units of these suffixes lie that an administrator made, and their drop-ins.
    static func files(ofSuffixes suffixes: [String]) -> [ConfigurationPlace] {
        ["/etc/systemd/system", "/usr/local/lib/systemd/system"].flatMap { directory in
            suffixes.flatMap {
                [
                    ConfigurationPlace.directory(directory, suffix: $0),
                    .dropIns(directory, suffix: $0),
                ]
            }
        }
    }

    /// The unit that a file is of: "data.mount" of …/data.mount and of …/data.mount.d/local.conf.
    static func name(_ path: String) -> String {
        let parts = path.split(separator: "/").suffix(2)
        let directory = parts.first ?? ""
        return String(
            parts.count == 2 && directory.hasSuffix(".d") ? directory.dropLast(2) : parts.last ?? "")
    }

    private static let dependencyKeys: Set<String> = [
        "Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "Conflicts", "Before", "After",
    ]

    /// The devices that a unit is tied to.
    static func dependencies(of unit: String, _ settings: INIFile, _ bytes: [UInt8]) -> [DeviceSite] {
        settings.settings.filter { $0.section == "Unit" && dependencyKeys.contains($0.key) }.flatMap {
            setting in
            bytes.fields(in: setting.range).compactMap { range in
                SystemdUnitName.device(of: bytes.text(range)).map {
                    DeviceSite(range: range, text: $0, use: .unitDependency(unit: unit))
                }
            }
        }
    }
}
