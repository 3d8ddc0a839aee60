internal import Storage

/// GRUB 2's command.lst, made by grub-install beside its modules: a line for each command of a module that can be loaded,
/// `NAME: MODULE`, with a star before extended commands (GRUB's commands/extcmd.c, genmoddep's output).
package struct GRUBCommandList: ConfigurationSyntax {
    package static let kind = ConfigurationKind("grub2-commands")
    package static let isNeededToBoot = false
    package static let places: [ConfigurationPlace] = GRUBPlatform.allCases.flatMap { platform in
        ["/boot/grub", "/boot/grub2"].map { .path("\($0)/\(platform.rawValue)/command.lst") }
    }

    /// The commands.
    let commands: Set<String>

    package init(_ bytes: [UInt8], path: String) {
        commands = Set(
            TextLine.all(in: bytes).compactMap { line in
                let text = bytes.text(line.content)
                guard let colon = text.firstIndex(of: ":") else { return nil }
                return String(text[..<colon].drop { $0 == "*" })
            })
    }
}

/// What a GRUB 2 is built for, as its folder of modules is called.
enum GRUBPlatform: String, CaseIterable {
    case bios = "i386-pc"
    case uefi = "x86_64-efi"
    case uefi32 = "i386-efi"
}
