/// A file whose variables menus of GRUB 2 take over, and what these use them for.
protocol GRUBEnvironmentText: ConfigurationSyntax {
    /// The block; nil where it is none that GRUB would read.
    var block: GRUBEnvironment? { get }
    /// What menus use its variables for.
    var use: GRUBEnvironmentUse { get set }
}

/// What menus use variables of an environment block for.
struct GRUBEnvironmentUse: Sendable, Equatable {
    /// Variables that are a device: `root=$NAME`.
    var devices: Set<String> = []
    /// Variables that are arguments: `$NAME`. `kernelopts` is, whatever reads it.
    var arguments: Set<String> = ["kernelopts"]
}

extension GRUBEnvironmentText {
    private func kernelArguments(in bytes: [UInt8]) -> [KernelCommandLine] {
        (block?.variables ?? []).filter { use.arguments.contains($0.name) }.map {
            KernelCommandLine(bytes, in: $0.valueRange)
        }
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        let devices = (block?.variables ?? []).filter {
            use.devices.contains($0.name) && !use.arguments.contains($0.name)
                && DeviceName($0.text) != .notADevice
        }
        return kernelArguments(in: bytes).flatMap { $0.sharedDeviceSites(in: bytes) }
            + devices.map {
                DeviceSite(range: $0.valueRange, text: $0.text, use: .sharedKernelArgument(name: "root"))
            }
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        kernelArguments(in: bytes).map { SharedCommandLine(line: $0) }
    }

    /// The block must keep its size.
    package func settle(_ draft: inout FileDraft) -> Sentence? {
        guard let block, !block.repad(&draft) else { return nil }
        return "the environment block is full: its device names are left as they are"
    }
}

/// A file in the place of GRUB 2's own environment block.
package struct GRUBEnvironmentFile: GRUBEnvironmentText {
    package static let kind = ConfigurationKind("grubenv")
    package static let places: [ConfigurationPlace] = [
        .path("/boot/grub2/grubenv"), .path("/boot/grub/grubenv"), .vendor("grubenv"),
    ]
    package static var isBootLoader: Bool { true }
    /// A block of fixed size keeps to one system's edits.
    package static var canBeShared: Bool { false }

    package var block: GRUBEnvironment?
    var use = GRUBEnvironmentUse()

    package init(_ bytes: [UInt8], path: String) { block = GRUBEnvironment(bytes) }
}

/// A file that a menu of GRUB 2 reads by `load_env -f`, as Photon's photon.cfg.
package struct GRUBVariablesFile: GRUBEnvironmentText {
    package static let kind = ConfigurationKind("grub-variables")
    /// Wherever a menu says.
    package static let places: [ConfigurationPlace] = []
    package static var canBeShared: Bool { false }

    package var block: GRUBEnvironment?
    var use = GRUBEnvironmentUse()

    package init(_ bytes: [UInt8], path: String) { block = GRUBEnvironment(bytes) }
}
