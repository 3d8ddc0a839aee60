internal import GuestTree
internal import Storage

/// What reads the boot menu, where UEFI alone starts the disks and that is certain.
package enum MenuReader: Sendable, Equatable {
    /// GRUB: its own menus, and loader entries where one of them asks for these.
    case grub
    /// systemd-boot: the loader entries of the EFI system partition and of an extended boot partition.
    case systemdBoot
    /// rEFInd, with no other loader on the partition that it would offer: its own file.
    case refind
}

extension LinuxSystem {
    /// Follows what a machine without boot entries starts, as the plan leaves it.
    func findMenuReader() -> MenuReader? {
        guard firmware.isUEFIOnly, let efi = inspection.efi,
            case .programs(let machine, var state) = firmware.uefi
        else { return nil }
        if state.problem != nil {
            guard let making = FallbackMaking(efi, machine, state, system: release?.foldedName ?? "") else {
                return nil
            }
            state = FallbackState(efi.after(making), machine)
        }
        guard state.problem == nil, let last = state.programs.last else { return nil }
        switch last.kind {
        case .grub:
            let trails = state.programs.compactMap { efi.trails[$0.names] } + efi.trails.values
            // Every GRUB of the partition goes to a menu that was read, so that the one that is started does.
            let isKnown = trails.allSatisfy { trail in
                trail.end == .menu
                    && files.contains { $0.file.key == trail.steps.last?.file && $0.grubMenu != nil }
            }
            return !trails.isEmpty && isKnown ? .grub : nil
        case .systemdBoot:
            // What starts another loader hands its menu on.
            let hasOthers = files.contains { file in
                file.isOneEntryOfMany && file.bootEntries.contains { $0.kernel == nil }
            }
            let hidesEntries = volumes.indices.contains {
                volumes[$0].isExtendedBoot && capabilities[$0] == nil
            }
            return hasOthers || hidesEntries ? nil : .systemdBoot
        case .refind:
            let offered: Set<EFILoader.Kind> = [
                .grub, .systemdBoot, .shim, .unifiedKernel, .syslinux, .other,
            ]
            let isAlone = !efi.loaders.contains { $0.folder != "BOOT" && offered.contains($0.kind) }
            return isAlone ? .refind : nil
        case .shim, .shimFallback, .mokManager, .unifiedKernel, .syslinux, .windows, .other: return nil
        }
    }

    /// Whether that loader reads a menu.
    func isRead(_ menu: ScannedFile, by reader: MenuReader) -> Bool {
        isRead(menu, by: reader, menuUse.hasMenuOfLoaderEntries)
    }

    /// The same. `hasMenuOfLoaderEntries`: a menu of GRUB 2 asks for loader entries.
    func isRead(_ menu: ScannedFile, by reader: MenuReader, _ hasMenuOfLoaderEntries: Bool) -> Bool {
        guard let type = menu.menuType else { return true }
        if reader == .grub, type.isOneEntryOfMany { return hasMenuOfLoaderEntries }
        guard type.uefiReader == reader else { return false }
        let volume = menu.file.volume
        switch reader {
        case .grub: return true
        case .systemdBoot: return volume == efiSystemPartition || volumes[volume].isExtendedBoot
        case .refind: return volume == efiSystemPartition
        }
    }
}
