/// /etc/kernel/cmdline: a file that is one kernel command line.
package struct KernelCommandLineFile: ConfigurationSyntax {
    package static let kind = ConfigurationKind("kernel-cmdline")
    package static let places: [ConfigurationPlace] = [.path("/etc/kernel/cmdline")]

    /// Its arguments.
    package let line: KernelCommandLine

    package init(_ bytes: [UInt8], path: String) { line = KernelCommandLine(bytes, in: 0..<bytes.count) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { line.sharedDeviceSites(in: bytes) }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        [SharedCommandLine(line: line)]
    }
    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        sharedCommandLines(in: bytes)
    }
}
