internal import Storage

/// What kind of text a configuration file is.
package enum ConfigurationKind: String, Sendable {
    /// /etc/fstab.
    case fstab
    /// GRUB legacy's menu.
    case grubLegacy = "grub-legacy"
    /// GRUB 2's grub.cfg.
    case grub2 = "grub2"
    /// /etc/default/grub and its parts.
    case grubDefaults = "grub-defaults"
}

/// A parsed file.
package enum ConfigurationSyntax: Sendable {
    /// fstab(5).
    case fstab(Fstab)
    /// menu.lst.
    case grubLegacy(GRUBLegacy)
    /// grub.cfg.
    case grub2(GRUB2Config)
    /// Shell assignments.
    case shell(ShellVariables)

    /// The kernels it offers.
    package var bootEntries: [BootEntry] {
        switch self {
        case .grubLegacy(let menu): menu.entries
        case .grub2(let menu): menu.entries
        default: []
        }
    }
}

/// A place in a file that names a device.
package struct DeviceSite: Sendable, Equatable {
    /// What the name is for.
    package enum Use: Sendable, Equatable {
        /// The device of an fstab row.
        case fstab(Fstab.Row)
        /// An argument of an entry's kernel.
        case kernelArgument(name: String, entry: BootEntry)
        /// An argument that settings hand to every kernel.
        case sharedKernelArgument(name: String)
        /// The disk that the boot loader is installed to.
        case loaderDisk

        /// Whether such names tell which disks the guest has.
        var countsDisks: Bool {
            switch self {
            case .fstab(let row): !row.isRemovableMedium
            case .kernelArgument, .sharedKernelArgument: true
            case .loaderDisk: false
            }
        }

        /// For people: "root=", "device of /data".
        package var summary: String {
            switch self {
            case .fstab(let row): row.isSwap ? "swap device" : "device of \(row.mountPoint)"
            case .kernelArgument(let name, let entry): "\(name)= of “\(entry.title)”"
            case .sharedKernelArgument(let name): "\(name)= for every kernel"
            case .loaderDisk: "disk of the boot loader"
            }
        }
    }

    /// The bytes of the name.
    package var range: Range<Int>
    /// The name.
    package var text: String
    /// What it is for.
    package var use: Use
    /// Its bytes are not the name itself: escapes or variables are in them.
    package var isOpaque: Bool
}

/// A configuration file with its bytes, its grammar and its device names.
package struct ScannedFile: Sendable {
    /// The path that it was looked for under.
    package var path: String
    /// The file behind it.
    package var file: GuestFile
    /// What kind of text it is.
    package var kind: ConfigurationKind
    /// Its bytes.
    package var bytes: [UInt8]
    /// The parsed text.
    package var syntax: ConfigurationSyntax
    /// The device names in it.
    package var sites: [DeviceSite]
}

/// Finds and reads a guest's configuration files.
enum GuestScan {
    static func files(of tree: some GuestTree) throws(StorageError) -> [ScannedFile] {
        var files: [ScannedFile] = []
        var seen: Set<FileKey> = []
        for (path, kind) in try candidates(tree) {
            guard let file = try tree.regularFile(path), file.attributes.size <= UInt64(configurationLimit),
                seen.insert(file.key).inserted
            else { continue }
            let bytes = try tree.contents(of: file, limit: configurationLimit)
            files.append(scanned(path, kind, file, bytes))
        }
        return files
    }

    /// Where the files may be; one that several names lead to is read under the first.
    private static func candidates(_ tree: some GuestTree) throws(StorageError) -> [(
        String, ConfigurationKind
    )] {
        var list: [(String, ConfigurationKind)] = [
            ("/etc/fstab", .fstab),
            ("/boot/grub/menu.lst", .grubLegacy), ("/boot/grub/grub.conf", .grubLegacy),
            ("/etc/grub.conf", .grubLegacy), ("/boot/boot/grub/menu.lst", .grubLegacy),
            ("/boot/grub/grub.cfg", .grub2), ("/boot/grub2/grub.cfg", .grub2),
            ("/etc/grub2.cfg", .grub2), ("/etc/grub2-efi.cfg", .grub2),
        ]
        for esp in ["/boot/efi/EFI", "/efi/EFI", "/boot/EFI"] {
            for vendor in try tree.names(in: esp) {
                list.append(("\(esp)/\(vendor)/grub.cfg", .grub2))
                list.append(("\(esp)/\(vendor)/grub.conf", .grubLegacy))
            }
        }
        list.append(("/etc/default/grub", .grubDefaults))
        for name in try tree.names(in: "/etc/default/grub.d") where name.hasSuffix(".cfg") {
            list.append(("/etc/default/grub.d/\(name)", .grubDefaults))
        }
        return list
    }

    private static func scanned(
        _ path: String, _ kind: ConfigurationKind, _ file: GuestFile, _ bytes: [UInt8]
    ) -> ScannedFile {
        let syntax: ConfigurationSyntax
        let sites: [DeviceSite]
        switch kind {
        case .fstab:
            let fstab = Fstab(bytes)
            syntax = .fstab(fstab)
            sites = fstab.rows.map {
                DeviceSite(range: $0.specRange, text: $0.spec, use: .fstab($0), isOpaque: false)
            }
        case .grubLegacy:
            let menu = GRUBLegacy(bytes)
            syntax = .grubLegacy(menu)
            var found = menu.entries.flatMap { entrySites(bytes, $0) }
            found += menu.kernelOptions.flatMap { sharedSites(bytes, $0) }
            if let range = menu.bootDeviceRange {
                found.append(
                    DeviceSite(range: range, text: bytes.text(range), use: .loaderDisk, isOpaque: false))
            }
            sites = found
        case .grub2:
            let menu = GRUB2Config(bytes)
            syntax = .grub2(menu)
            sites = grub2Sites(bytes, menu)
        case .grubDefaults:
            let variables = ShellVariables(bytes)
            syntax = .shell(variables)
            sites = variables.assignments.filter { $0.name.hasPrefix("GRUB_CMDLINE_") }.flatMap {
                sharedSites(bytes, KernelCommandLine(bytes, in: $0.valueRange))
            }
        }
        return ScannedFile(path: path, file: file, kind: kind, bytes: bytes, syntax: syntax, sites: sites)
    }

    private static func grub2Sites(_ bytes: [UInt8], _ menu: GRUB2Config) -> [DeviceSite] {
        var sites = menu.entries.flatMap { entrySites(bytes, $0) }
        sites += menu.commandLineVariables.flatMap { sharedSites(bytes, $0.commandLine) }
        let values = menu.entries.flatMap { $0.commandLine.arguments }.filter { $0.name == "root" }
            .compactMap { $0.valueRange.map { bytes.text($0) } }
        for variable in menu.deviceVariables
        where values.contains("$\(variable.name)") || values.contains("${\(variable.name)}") {
            sites.append(
                DeviceSite(
                    range: variable.valueRange, text: variable.text, use: .sharedKernelArgument(name: "root"),
                    isOpaque: false))
        }
        return sites
    }

    private static func entrySites(_ bytes: [UInt8], _ entry: BootEntry) -> [DeviceSite] {
        deviceArguments(bytes, entry.commandLine).map {
            DeviceSite(
                range: $0.range, text: $0.text, use: .kernelArgument(name: $0.name, entry: entry),
                isOpaque: $0.isOpaque)
        }
    }

    static func sharedSites(_ bytes: [UInt8], _ line: KernelCommandLine) -> [DeviceSite] {
        deviceArguments(bytes, line).map {
            DeviceSite(
                range: $0.range, text: $0.text, use: .sharedKernelArgument(name: $0.name),
                isOpaque: $0.isOpaque)
        }
    }

    private static func deviceArguments(
        _ bytes: [UInt8], _ line: KernelCommandLine
    ) -> [(name: String, range: Range<Int>, text: String, isOpaque: Bool)] {
        line.arguments.compactMap { argument in
            guard KernelCommandLine.deviceArguments.contains(argument.name), var range = argument.valueRange,
                !range.isEmpty
            else { return nil }
            if argument.name == "cryptdevice", let colon = bytes[range].firstIndex(of: .colon) {
                range = range.lowerBound..<colon
            }
            return (argument.name, range, bytes.text(range), argument.isOpaque)
        }
    }
}
