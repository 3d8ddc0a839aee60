/// refind_linux.conf, which rEFInd reads beside the kernels that it finds by itself: lines of a title and the kernel's
/// arguments, each in double quotes.
package struct RefindLinuxOptions: ConfigurationSyntax {
    package static let kind = ConfigurationKind("refind-options")
    package static let places: [ConfigurationPlace] = [
        .path("/boot/refind_linux.conf"), .path("/boot/efi/refind_linux.conf"),
        .path("/efi/refind_linux.conf"), .vendor("refind_linux.conf"),
    ]
    package static var isBootLoader: Bool { true }

    /// The arguments of each line.
    package let lines: [KernelCommandLine]

    package init(_ bytes: [UInt8], path: String) {
        lines = TextLine.all(in: bytes).compactMap { line in
            let tokens = RefindToken.all(in: bytes, line.content)
            guard tokens.count > 1 else { return nil }
            return KernelCommandLine(bytes, in: tokens[1].range)
        }
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        lines.flatMap { $0.sharedDeviceSites(in: bytes) }
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        lines.map { SharedCommandLine(line: $0) }
    }

    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        sharedCommandLines(in: bytes)
    }
}
