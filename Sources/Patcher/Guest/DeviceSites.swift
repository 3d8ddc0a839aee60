/// Finds the device names in a parsed file.
enum DeviceSites {
    static func find(_ kind: ConfigurationKind, _ syntax: ConfigurationSyntax, _ bytes: [UInt8])
        -> [DeviceSite]
    {
        switch syntax {
        case .fstab(let fstab):
            return fstab.rows.map { DeviceSite(range: $0.specRange, text: $0.spec, use: .fstab($0)) }
        case .grubLegacy(let menu):
            var sites = menu.entries.flatMap { inEntry(bytes, $0) }
            sites += menu.kernelOptions.flatMap { shared(bytes, $0) }
            if let range = menu.bootDeviceRange { sites.append(loaderDisk(bytes, range)) }
            return sites
        case .grub2(let menu): return inGRUB2(bytes, menu)
        case .grubEnvironment(let block):
            return block.variables.filter { $0.name == "kernelopts" }.flatMap {
                shared(bytes, KernelCommandLine(bytes, in: $0.valueRange))
            }
        case .loaderEntry(let one): return inEntry(bytes, one.entry)
        case .syslinux(let menu):
            return menu.entries.flatMap { inEntry(bytes, $0) }
                + menu.globalArguments.flatMap { shared(bytes, $0) }
        case .shell(let variables): return inSettings(kind, variables, bytes)
        case .table(let table): return table.rows.flatMap { inRow(kind, $0, bytes) }
        case .text:
            switch kind {
            case .kernelCommandLine: return shared(bytes, KernelCommandLine(bytes, in: 0..<bytes.count))
            case .uswsusp: return inUswsusp(bytes)
            default: return []
            }
        case .lilo(let menu):
            let roots = menu.roots.map {
                DeviceSite(range: $0.range, text: $0.text, use: .reported("root= in LILO's map"))
            }
            let boot = menu.bootDevice.map {
                DeviceSite(range: $0.range, text: $0.text, use: .reported("disk of the boot loader"))
            }
            return roots + [boot].compactMap { $0 }
        case .lvm: return []
        }
    }

    private static func inGRUB2(_ bytes: [UInt8], _ menu: GRUB2Config) -> [DeviceSite] {
        var sites = menu.entries.flatMap { inEntry(bytes, $0) }
        sites += menu.commandLineVariables.flatMap { shared(bytes, $0.commandLine) }
        let values = Set(
            menu.entries.flatMap { $0.commandLine.arguments }.filter { $0.name == "root" }
                .compactMap { $0.valueRange.map { bytes.text($0) } })
        for variable in menu.deviceVariables
        where values.contains("$\(variable.name)") || values.contains("${\(variable.name)}") {
            sites.append(
                DeviceSite(
                    range: variable.valueRange, text: variable.text, use: .sharedKernelArgument(name: "root"))
            )
        }
        return sites
    }

    private static func inEntry(_ bytes: [UInt8], _ entry: BootEntry) -> [DeviceSite] {
        deviceArguments(bytes, entry.commandLine).map {
            DeviceSite(
                range: $0.range, text: $0.text, use: .kernelArgument(name: $0.name, entry: entry),
                isOpaque: $0.isOpaque)
        }
    }

    private static func shared(_ bytes: [UInt8], _ line: KernelCommandLine) -> [DeviceSite] {
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

    /// Variables whose value is a kernel command line, and those whose value is a device.
    private static func inSettings(
        _ kind: ConfigurationKind, _ variables: ShellVariables, _ bytes: [UInt8]
    ) -> [DeviceSite] {
        variables.assignments.flatMap { assignment -> [DeviceSite] in
            let name = assignment.name
            if name.hasPrefix("GRUB_CMDLINE_") || name.hasSuffix("_APPEND") || name == "EXTLINUX_ROOT"
                || name == "EXTLINUX_PARAMETERS" || name == "default_kernel_opts"
            {
                return shared(bytes, KernelCommandLine(bytes, in: assignment.valueRange))
            }
            guard kind == .settings else { return [] }
            switch name {
            case "root", "RESUME":
                return [
                    DeviceSite(
                        range: assignment.valueRange, text: assignment.text,
                        use: .sharedKernelArgument(name: name == "root" ? "root" : "resume"),
                        isOpaque: assignment.isOpaque)
                ]
            case "boot": return [loaderDisk(bytes, assignment.valueRange)]
            default: return []
            }
        }
    }

    private static func inRow(_ kind: ConfigurationKind, _ row: FieldTable.Row, _ bytes: [UInt8])
        -> [DeviceSite]
    {
        switch kind {
        case .deviceMap where row.words.count >= 2: return [loaderDisk(bytes, row.ranges[1])]
        case .crypttab where row.words.count >= 2:
            return [DeviceSite(range: row.ranges[1], text: row.words[1], use: .crypttab(name: row.words[0]))]
        case .lvmDevices:
            return KernelCommandLine(bytes, words: row.ranges).arguments.compactMap { argument in
                guard argument.name == "DEVNAME", let range = argument.valueRange else { return nil }
                return DeviceSite(range: range, text: bytes.text(range), use: .lvmDevice)
            }
        default: return []
        }
    }

    /// uswsusp.conf: `resume device = /dev/sda2`.
    private static func inUswsusp(_ bytes: [UInt8]) -> [DeviceSite] {
        TextLine.all(in: bytes).compactMap { line in
            let text = bytes.trimmed(line.content)
            guard bytes.has("resume device", at: text.lowerBound, in: text),
                let equals = bytes[text].firstIndex(of: .equals)
            else { return nil }
            let value = bytes.trimmed(equals + 1..<text.upperBound)
            return DeviceSite(
                range: value, text: bytes.text(value), use: .sharedKernelArgument(name: "resume"))
        }
    }

    private static func loaderDisk(_ bytes: [UInt8], _ range: Range<Int>) -> DeviceSite {
        DeviceSite(range: range, text: bytes.text(range), use: .loaderDisk)
    }
}
