extension BootEntry {
    /// The devices that its kernel is told of.
    func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        commandLine.deviceSites(in: bytes) { .kernelArgument(name: $0, entry: self) }
    }
}

extension KernelCommandLine {
    /// Arguments whose value names a device that the boot needs.
    package static let deviceArguments: Set<String> = [
        "root", "resume", "real_root", "fallback_rootdev", "rootdev", "cryptdevice", "journal_dev",
        "real_resume", "crypt_root", "crypt_swap",
    ]

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
            guard Self.deviceArguments.contains(argument.name) else { return [] }
            if argument.name == "cryptdevice", let colon = bytes[range].firstIndex(of: .colon) {
                range = range.lowerBound..<colon
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
