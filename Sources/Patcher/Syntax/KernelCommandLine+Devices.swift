extension BootEntry {
    /// The devices that its kernel is told of.
    func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        commandLine.deviceSites(in: bytes) { .kernelArgument(name: $0, entry: self) }
    }
}

extension KernelCommandLine.Argument {
    /// The value is a variable of the loader and nothing else.
    func isVariable(in bytes: [UInt8]) -> Bool {
        guard let valueRange else { return false }
        var name = bytes.text(valueRange)[...]
        guard name.popFirst() == "$" else { return false }
        if name.first == "{", name.last == "}" { name = name.dropFirst().dropLast() }
        return name.utf8.allSatisfy(\.isNameCharacter)
    }
}

extension KernelCommandLine {
    /// Arguments whose value names a device that the boot needs.
    package static let deviceArguments: Set<String> = [
        "root", "resume", "real_root", "fallback_rootdev", "rootdev", "cryptdevice", "journal_dev",
        "real_resume", "crypt_root", "crypt_swap", "mount.usr",
    ]

    /// Arguments that hold options of a mount, of which some name devices.
    static let mountOptions: Set<String> = ["rootflags", "mount.usrflags"]

    /// Arguments that name what is mounted besides the root.
    static let mounts: Set<String> = ["mount.usr", "systemd.mount-extra"]

    /// Volumes that dracut waits for before it looks for the root, in its own words.
    static let awaitedVolumes: Set<String> = ["rd.lvm.lv", "rd.luks.uuid", "rd.md.uuid"]

    /// Arguments whose value the kernel itself takes as a device's number too.
    private static let numberArguments: Set<String> = ["root", "resume"]

    /// The devices that every kernel with these arguments is told of.
    func sharedDeviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        deviceSites(in: bytes) { .sharedKernelArgument(name: $0) }
    }

    fileprivate func deviceSites(
        in bytes: [UInt8], _ use: (String) -> DeviceSite.Use
    ) -> [DeviceSite] {
        arguments.flatMap { argument -> [DeviceSite] in
            guard var range = argument.valueRange, !range.isEmpty else { return [] }
            if argument.name == "md" { return Self.members(of: argument, range, bytes, use) }
            if let found = Self.partialSites(of: argument, range, bytes, use) { return found }
            guard Self.deviceArguments.contains(argument.name) else { return [] }
            if argument.name == "cryptdevice", let colon = bytes[range].firstIndex(of: .colon) {
                range = range.lowerBound..<colon
            }
            if let plain = argument.plainValue {
                // A variable that is the whole value is renamed where it is set.
                guard DeviceName(plain) != .notADevice, !argument.isVariable(in: bytes) else { return [] }
                return [DeviceSite(range: range, text: plain, use: use(argument.name))]
            }
            var text = bytes.text(range)
            if Self.numberArguments.contains(argument.name), let number = DeviceNumber(text) {
                text = number.path ?? text
            }
            return [
                DeviceSite(range: range, text: text, use: use(argument.name), isOpaque: argument.isOpaque)
            ]
        }
    }

    /// Arguments of which a part is a device; nil for the others.
    private static func partialSites(
        of argument: Argument, _ value: Range<Int>, _ bytes: [UInt8], _ use: (String) -> DeviceSite.Use
    ) -> [DeviceSite]? {
        func site(_ range: Range<Int>, _ text: String? = nil) -> DeviceSite {
            DeviceSite(
                range: range, text: text ?? bytes.text(range), use: use(argument.name),
                isOpaque: argument.isOpaque)
        }
        switch argument.name {
        case "cryptopts":
            return Fstab.options(bytes, value, named: ["source"]).map { site($0.range) }
        case _ where mountOptions.contains(argument.name):
            return Fstab.deviceOptions(bytes, value).map { site($0.range, $0.device) }
        case "systemd.mount-extra", "systemd.swap-extra":
            // DEVICE:MOUNT POINT:TYPE:OPTIONS, or DEVICE:OPTIONS.
            let first = bytes[value].prefix { $0 != .colon }
            let range = first.startIndex..<first.endIndex
            return DeviceName(bytes.text(range)) == .notADevice ? [] : [site(range)]
        case "overlayroot":
            // "crypt:" makes its device's contents anew, so that nothing in them can name it.
            guard bytes.has("device:", at: value.lowerBound, in: value) else { return [] }
            return Fstab.options(bytes, value.lowerBound + 7..<value.upperBound, named: ["dev"])
                .filter { DeviceName(bytes.text($0.range)) != .notADevice }.map { site($0.range) }
        case "cryptkey":
            // DEVICE:FILESYSTEM:PATH; without a device the key lies in the initramfs.
            let first = bytes[value].split(separator: .colon, maxSplits: 1).first ?? []
            let range = first.startIndex..<first.endIndex
            return DeviceName(bytes.text(range)) == .notADevice ? [] : [site(range)]
        case "rd.luks.key", "luks.key":
            // PATH:DEVICE of the key, and the container's after it.
            return bytes[value].split(separator: .colon).dropFirst().map { $0.startIndex..<$0.endIndex }
                .filter { DeviceName(bytes.text($0)) != .notADevice }.map { site($0) }
        case _ where awaitedVolumes.contains(argument.name):
            return awaitedVolume(argument.name, bytes.text(value)).map { [site(value, $0)] } ?? []
        default: return nil
        }
    }

    /// Arguments that nothing here knows, and whose value names a disk by what the hypervisor calls it.
    func namingUnknownly(in bytes: [UInt8]) -> [(name: String, device: String)] {
        let known = sharedDeviceSites(in: bytes).map(\.range)
        return arguments.flatMap { argument -> [(name: String, device: String)] in
            guard let value = argument.valueRange else { return [] }
            return NamedDevices.paths(in: bytes, value).filter { path in
                DeviceName(bytes.text(path)).isPositional && !known.contains { $0.overlaps(path) }
            }.map { (argument.name, bytes.text($0)) }
        }
    }

    /// The device that dracut waits for; nil where the value is an abbreviation.
    private static func awaitedVolume(_ name: String, _ value: String) -> String? {
        switch name {
        case "rd.lvm.lv": return value.contains("/") ? "/dev/\(value)" : nil
        case "rd.luks.uuid":
            let uuid = value.suffix(behind: "luks-").map(String.init) ?? value
            return uuid.count == 36 ? "UUID=\(uuid)" : nil
        default:
            let digits = value.lowercased().filter(\.isHexDigit)
            guard digits.count == 32 else { return nil }
            let groups = stride(from: 0, to: 32, by: 8).map { digits.dropFirst($0).prefix(8) }
            return "/dev/disk/by-id/md-uuid-" + groups.joined(separator: ":")
        }
    }

    /// `md=0,/dev/sda1,/dev/sdb1`: the kernel puts the array together from these.
    private static func members(
        of argument: Argument, _ value: Range<Int>, _ bytes: [UInt8], _ use: (String) -> DeviceSite.Use
    ) -> [DeviceSite] {
        bytes[value].split(separator: .comma).filter { $0.starts(with: "/dev/".utf8) }.map {
            let range = $0.startIndex..<$0.endIndex
            return DeviceSite(
                range: range, text: bytes.text(range), use: use(argument.name), isOpaque: argument.isOpaque)
        }
    }
}
