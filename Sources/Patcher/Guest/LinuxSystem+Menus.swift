internal import GuestTree
internal import Storage

/// Which of several menus the guest's loader reads: an upgrade leaves the old one behind.
extension LinuxSystem {
    /// Whether nothing shows that this file is left over from another loader.
    func isInUse(_ menu: ScannedFile) -> Bool {
        if readsMenuOfUEFIAlone, menu.syntax is any GRUBMenu, !isOnESP(menu) { return false }
        if menu.syntax is LoaderEntry, !readsLoaderEntries { return false }
        if menu.syntax is any GRUBMenu, isOutsideItsVolume(menu) { return false }
        if hasForeignLoader(menu) { return false }
        if menu.syntax is Syslinux, !syslinuxMenus.contains(where: { $0.files.contains(menu.file.key) }) {
            return false
        }
        if let menuReader {
            guard isRead(menu, by: menuReader) else { return false }
            if menuReader != .grub { return true }
        }
        let menus = files.filter { file in
            file.bootEntries.contains { $0.kernel != nil }
                && (menuReader.map { isRead(file, by: $0) } ?? true)
                && (readsLoaderEntries || !(file.syntax is LoaderEntry))
        }
        guard menus.count > 1, menus.contains(where: { $0.file.key == menu.file.key }) else { return true }
        if let readers = readers(of: bootCode) {
            let read = menus.filter { readers.contains($0.kind) }
            if !read.isEmpty { return readers.contains(menu.kind) }
        }
        // Kernels of an age that is gone show it; where none of any menu is found, they were not looked for in the right place.
        let alive = menus.filter { !bootFiles.present.isDisjoint(with: keys(of: $0)) }
        return alive.isEmpty || alive.contains { isPart($0, ofSameMenuAs: menu) }
    }

    /// What a BIOS starts is LILO or GRUB legacy, which has no menu here and reads none of another's.
    private func hasForeignLoader(_ menu: ScannedFile) -> Bool {
        guard !firmware.hasUEFI, bootCode == .lilo || bootCode == .grubLegacy,
            let readers = readers(of: bootCode)
        else { return false }
        return !files.contains { readers.contains($0.kind) } && menu.syntax is any GRUB2Text
    }

    /// A link leads from the loader's own volume to another, which only the running system does.
    private func isOutsideItsVolume(_ menu: ScannedFile) -> Bool {
        guard menu.path.hasPrefix("/boot/"), let boot = mounts.first(where: { $0.path == "/boot" }),
            !isOnESP(menu),
            !mounts.contains(where: { $0.path.hasPrefix("/boot/") && menu.path.hasPrefix($0.path) })
        else { return false }
        return menu.file.volume != boot.volume
    }

    /// Loader entries are one menu in many files.
    private func isPart(_ one: ScannedFile, ofSameMenuAs other: ScannedFile) -> Bool {
        one.file.key == other.file.key || one.syntax is LoaderEntry && other.syntax is LoaderEntry
            || syslinuxMenus.contains { [one, other].map(\.file.key).allSatisfy($0.files.contains) }
            || one.syntax is any GRUB2Text && other.syntax is any GRUB2Text
            || one.syntax is any GRUBLegacyText && other.syntax is any GRUBLegacyText
            || one.grubMenu?.readsBLSEntries == true && other.syntax is LoaderEntry
            || one.syntax is LoaderEntry && other.grubMenu?.readsBLSEntries == true
    }

    /// GRUB of Red Hat's kin on UEFI reads its menu from the EFI system partition and from nowhere else: GRUB legacy of RHEL
    /// 6, and GRUB 2 until RHEL 8, Fedora 33 and Amazon Linux 2. What lies in /boot/grub2 is of no use to it.
    package var readsMenuOfUEFIAlone: Bool {
        guard firmware.isUEFIOnly, let release, release.family == .redHat, let major = release.major else {
            return false
        }
        guard release.countsOtherwise else { return (6...8).contains(major) }
        return release.title.contains("Fedora") ? major <= 33 : major <= 2
    }

    /// Something reads the entries of the Boot Loader Specification: a menu of GRUB 2 says whether it does.
    private var readsLoaderEntries: Bool {
        let menus = files.compactMap(\.grubMenu)
        // On a BIOS nothing else does.
        guard firmware.isBIOSKnown, !firmware.hasUEFI, menus.contains(where: { !$0.entries.isEmpty }) else {
            return true
        }
        return menus.contains(where: \.readsBLSEntries)
    }

    /// A menu that the loader reads was found, whether or not it offers an entry.
    package var isMenuRead: Bool {
        files.contains { file in
            guard let menu = file.syntax as? any BootMenu else { return false }
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

    private func keys(of menu: ScannedFile) -> [EntryKey] {
        menu.bootEntries.map { EntryKey(file: menu.file.key, index: $0.index) }
    }

    /// The syntaxes that what the first sector starts reads; nil where that does not decide. Xen's pygrub reads menus that
    /// no boot code knows of.
    private func readers(of code: BootCode?) -> [ConfigurationKind]? {
        let grub2 = [GRUB2Config.kind, LoaderEntry.kind, GRUBCustomMenu.kind, GRUBIncludedMenu.kind]
        if !isStartedByFirmware, resolver.presentation.hypervisor?.hasAliasedDiskNames == true { return nil }
        return switch code {
        case .grub2?: grub2
        case .grubLegacy?: [GRUBLegacy.kind, GRUBLegacyIncludedMenu.kind]
        case .lilo?: [Lilo.kind]
        case BootCode.none?: hasUEFILoader ? grub2 : nil
        case .other?, nil: nil
        }
    }
}
