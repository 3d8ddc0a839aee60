internal import GuestTree
internal import Storage

/// Which of several menus the guest's loader reads: an upgrade leaves the old one behind.
extension LinuxSystem {
    /// Whether nothing shows that this file is left over from another loader.
    func isInUse(_ menu: ScannedFile) -> Bool {
        if readsMenuOfUEFIAlone, type(of: menu.syntax).isGRUBMenu, !isOnESP(menu) { return false }
        if menu.isOneEntryOfMany, !menuUse.readsLoaderEntries { return false }
        if type(of: menu.syntax).isGRUBMenu, isOutsideItsVolume(menu) { return false }
        if menuUse.hasForeignLoader, menu.syntax.grub2Text != nil { return false }
        if menuUse.startsGRUB2, isOfAnotherLoader(menu) { return false }
        if let type = menu.menuType, !type.isReached(menu, of: self) { return false }
        if let menuReader {
            guard isRead(menu, by: menuReader) else { return false }
            if menuReader != .grub { return true }
        }
        return menuUse.isInUse(menu)
    }

    /// A menu that GRUB 2 does not read, be it the only one: GRUB legacy's, extlinux's.
    private func isOfAnotherLoader(_ menu: ScannedFile) -> Bool {
        let syntax = type(of: menu.syntax)
        guard syntax.bootMenu != nil, !menu.isOneEntryOfMany else { return false }
        return syntax.bootCode == .grubLegacy || syntax.bootCode == nil && !syntax.isGRUBMenu
    }

    /// A link leads from the loader's own volume to another, which only the running system does.
    private func isOutsideItsVolume(_ menu: ScannedFile) -> Bool {
        guard menu.path.hasPrefix("/boot/"), let boot = mounts.first(where: { $0.path == "/boot" }),
            !isOnESP(menu),
            !mounts.contains(where: { $0.path.hasPrefix("/boot/") && menu.path.hasPrefix($0.path) })
        else { return false }
        return menu.file.volume != boot.volume
    }

    /// GRUB of Red Hat's kin on UEFI reads its menu from the EFI system partition and from nowhere else: GRUB legacy of RHEL
    /// 6, and GRUB 2 until RHEL 8, Fedora 33 and Amazon Linux 2. What lies in /boot/grub2 is of no use to it.
    package var readsMenuOfUEFIAlone: Bool {
        guard firmware.isUEFIOnly, let release, release.family == .redHat, let major = release.major else {
            return false
        }
        return switch release.distribution {
        case .fedora: major <= 33
        case .amazon: major <= 2
        case .openSUSE, .other: (6...8).contains(major)
        }
    }

    /// A menu that the loader reads was found, whether or not it offers an entry.
    package var isMenuRead: Bool {
        files.contains { file in
            guard let menu = file.syntax.bootMenu else { return false }
            return menu.entries.contains { $0.kernel != nil } && isInUse(file)
        }
    }

    /// The file lies on the EFI system partition.
    private func isOnESP(_ file: ScannedFile) -> Bool {
        file.file.volume == efiSystemPartition
            || ["/boot/efi", "/efi"].contains { file.file.path.isBelow($0) }
    }

    /// The volume on which systemd-boot's own configuration lies, where that cannot be read and decides which entry boots.
    package var volumeOfUnreadLoaderConfiguration: Int? {
        guard files(SystemdBootConfiguration.self).isEmpty, !files(LoaderEntry.self).isEmpty,
            files(GRUB2Config.self).isEmpty, savedEntry == nil, let partition = efiSystemPartition,
            capabilities[partition] == nil
        else { return nil }
        return partition
    }

    /// The syntaxes that what the first sector starts reads; nil where that does not decide. Where no firmware finds a thing to
    /// start, Xen's pygrub does, which reads any menu; beside boot code nothing that a name tells of the source changes
    /// what that code reads.
    func readers(of code: BootCode?) -> [ConfigurationKind]? {
        switch code {
        case BootCode.none?: return hasUEFILoader ? ConfigurationSyntaxes.kinds(readBy: .grub2) : nil
        case .other?, nil: return nil
        case let code?: return ConfigurationSyntaxes.kinds(readBy: code)
        }
    }
}
