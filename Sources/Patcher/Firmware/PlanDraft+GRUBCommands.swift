internal import GuestTree

/// A command that not every GRUB 2 has.
struct GRUBCommandWord: Sendable, Equatable {
    /// Its name.
    var name: String
    /// Its bytes in the menu.
    var range: Range<Int>

    /// What each of them does is done by a command that every GRUB 2 has, under another name.
    static let common = [
        "linux16": "linux", "linuxefi": "linux", "initrd16": "initrd", "initrdefi": "initrd",
    ]
}

extension PlanDraft {
    /// Commands of an entry that the GRUB lacks which the new machine's firmware starts, and which are not changed. Empty where
    /// nobody can tell which it has.
    func lackingCommands(of item: MenuEntry) -> [GRUBCommandWord] {
        let edits = files[item.file.file.key]?.edits ?? []
        return item.entry.loaderCommands.filter { word in
            isLacking(word.name, of: item.file) && !edits.contains { $0.range == word.range }
        }
    }

    private func isLacking(_ name: String, of menu: ScannedFile) -> Bool {
        switch machineNeeds.firmware {
        case .bios:
            // The core that a BIOS starts is compressed; whatever loads a kernel is a module.
            return listed(.bios, beside: menu).map { !$0.contains(name) } ?? false
        case .uefi:
            guard let commands = startedCore?.commands else { return false }
            let platform: GRUBPlatform = guest.efiMachine == .ia32 ? .uefi32 : .uefi
            return !commands.contains(name) && listed(platform, beside: menu)?.contains(name) != true
        case .either, .pygrub, .unknown: return false
        }
    }

    /// The GRUB that UEFI starts, be it once a plan has put it there.
    private var startedCore: GRUBCore? {
        guard let partition = guest.inspection.efi else { return nil }
        let made = guest.fallbackMaking.map(partition.after) ?? partition
        return FallbackState(made, guest.efiMachine).programs.last?.grub
    }

    /// The commands of modules beside a menu.
    private func listed(_ platform: GRUBPlatform, beside menu: ScannedFile) -> Set<String>? {
        let path = menu.file.displayPath
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let list = "\(path[...slash])\(platform.rawValue)/command.lst"
        return guest.files(GRUBCommandList.self).first { $0.file.file.displayPath == list }?.syntax.commands
    }
}
