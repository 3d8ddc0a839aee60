/// A file whose variables menus of GRUB 2 take over, and what these use them for.
package protocol GRUBEnvironmentText: ConfigurationSyntax {
    /// The block; nil where it is none that GRUB would read.
    var block: GRUBEnvironment? { get }
    /// What menus use its variables for.
    var use: GRUBVariableUse { get set }
}

extension GRUBEnvironmentText {
    package var grubEnvironment: (any GRUBEnvironmentText)? { self }
}

/// What menus use variables for.
package struct GRUBVariableUse: Sendable, Equatable {
    /// Variables that are a device, with the kernel's argument: `root=$NAME`.
    var devices: [String: String] = [:]
    /// Variables that are arguments: `$NAME`. `kernelopts` is, whatever reads it.
    var arguments: Set<String> = ["kernelopts"]

    /// Takes in what the words of a kernel's line are used for.
    mutating func add(_ line: KernelCommandLine, in bytes: [UInt8]) {
        for argument in line.arguments where argument.isOpaque {
            guard let value = argument.valueRange else {
                arguments.formUnion(Self.variables(in: bytes.text(argument.range)))
                continue
            }
            if KernelCommandLine.deviceArguments.contains(argument.name), argument.isVariable(in: bytes) {
                devices[bytes.text(value).filter { !"${}".contains($0) }] = argument.name
            }
        }
    }

    /// The names behind each "$".
    static func variables(in text: String) -> [String] {
        text.split(separator: "$", omittingEmptySubsequences: false).dropFirst().map { part in
            let rest = part.first == "{" ? part.dropFirst() : part
            return String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        }.filter { !$0.isEmpty }
    }
}

extension GRUBEnvironmentText {
    private func kernelArguments(in bytes: [UInt8]) -> [KernelCommandLine] {
        (block?.variables ?? []).filter { use.arguments.contains($0.name) }.map {
            KernelCommandLine(bytes, in: $0.valueRange)
        }
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        let devices = (block?.variables ?? []).compactMap { variable -> DeviceSite? in
            guard let argument = use.devices[variable.name], !use.arguments.contains(variable.name),
                DeviceName(variable.text) != .notADevice
            else { return nil }
            return DeviceSite(
                range: variable.valueRange, text: variable.text, use: .sharedKernelArgument(name: argument))
        }
        return kernelArguments(in: bytes).flatMap { $0.sharedDeviceSites(in: bytes) } + devices
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        kernelArguments(in: bytes).map { SharedCommandLine(line: $0) }
    }

    /// What entries of the Boot Loader Specification take, those of the next kernels too.
    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        guard let options = block?.last("kernelopts") else { return [] }
        return [SharedCommandLine(line: KernelCommandLine(bytes, in: options.valueRange))]
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
    package static var setsVariables: Bool { true }

    package var block: GRUBEnvironment?
    package var use = GRUBVariableUse()

    package init(_ bytes: [UInt8], path: String) { block = GRUBEnvironment(bytes) }
}

/// A file that a menu of GRUB 2 reads by `load_env -f`, as Photon's photon.cfg.
package struct GRUBVariablesFile: GRUBEnvironmentText {
    package static let kind = ConfigurationKind("grub-variables")
    /// Wherever a menu says.
    package static let places: [ConfigurationPlace] = []
    package static var canBeShared: Bool { false }
    package static var setsVariables: Bool { true }

    package var block: GRUBEnvironment?
    package var use = GRUBVariableUse()

    package init(_ bytes: [UInt8], path: String) { block = GRUBEnvironment(bytes) }
}
