internal import GuestTree

/// What says of a menu whether the guest's loader reads it: found once, over all files, and asked for every entry.
struct MenuUse: Sendable {
    /// Something reads the entries of the Boot Loader Specification: a menu of GRUB 2 says whether it does.
    private(set) var readsLoaderEntries = true
    /// A menu of GRUB 2 asks for them.
    private(set) var hasMenuOfLoaderEntries = false
    /// The menus with a kernel among which one may be left over.
    private var menus: Set<FileKey> = []
    /// The languages that the boot code reads; nil where that does not decide.
    private var readKinds: [ConfigurationKind]?
    /// The menus of which a kernel was found, and what they read.
    private var alive: Set<FileKey> = []
    /// What these are parts of.
    private var liveFamilies: Set<BootMenuFamily> = []
    private var hasLiveMenuOfLoaderEntries = false
    /// What a BIOS starts is LILO, which has no menu here and reads none of another's. (Of GRUB's versions the first sector does
    /// not tell for certain which one it belongs to.)
    private(set) var hasForeignLoader = false

    /// What a BIOS starts is GRUB 2, by a first sector that no other loader has.
    private(set) var startsGRUB2 = false

    /// Nothing is known, and everything in use.
    init() {}

    /// Looks over a guest's menus, of which `menuReader`, `firmware` and the files that make one menu are known.
    init(of guest: LinuxSystem) {
        let grubMenus = guest.files.compactMap(\.grubMenu)
        hasMenuOfLoaderEntries = grubMenus.contains(where: \.readsBLSEntries)
        // On a BIOS nothing else does.
        if guest.firmware.isBIOSKnown, !guest.firmware.hasUEFI,
            grubMenus.contains(where: { !$0.entries.isEmpty })
        {
            readsLoaderEntries = hasMenuOfLoaderEntries
        }
        let found = guest.files.filter { file in
            file.bootEntries.contains { $0.kernel != nil }
                && (guest.menuReader.map { guest.isRead(file, by: $0, hasMenuOfLoaderEntries) } ?? true)
                && (readsLoaderEntries || !file.isOneEntryOfMany)
        }
        menus = Set(found.map(\.file.key))
        if let readers = guest.readers(of: guest.bootCode),
            found.contains(where: { readers.contains($0.kind) })
        {
            readKinds = readers
        }
        for menu in found {
            // Kernels of an age that is gone show it; where none of any menu is found, they were not looked for in the right place.
            let isAlive = menu.bootEntries.contains { entry in
                guest.bootFiles.present.contains(EntryKey(file: menu.file.key, index: entry.index))
            }
            guard isAlive else { continue }
            alive.insert(menu.file.key)
            if let family = type(of: menu.syntax).family { liveFamilies.insert(family) }
            if menu.grubMenu?.readsBLSEntries == true { hasLiveMenuOfLoaderEntries = true }
        }
        for menu in ConfigurationSyntaxes.all.compactMap({ $0.bootMenu }) {
            alive.formUnion(menu.parts(ofMenusWith: alive, of: guest))
        }
        startsGRUB2 = !guest.firmware.hasUEFI && guest.bootCode == .grub2
        if !guest.firmware.hasUEFI, guest.bootCode == .lilo,
            let readers = guest.readers(of: guest.bootCode)
        {
            hasForeignLoader = !guest.files.contains { readers.contains($0.kind) }
        }
    }

    /// Whether nothing shows that the menu is left over beside others.
    func isInUse(_ menu: ScannedFile) -> Bool {
        guard menus.count > 1, menus.contains(menu.file.key) else { return true }
        if let readKinds { return readKinds.contains(menu.kind) }
        return alive.isEmpty || alive.contains(menu.file.key) || isPartOfLiveMenu(menu)
    }

    /// Loader entries are one menu in many files.
    private func isPartOfLiveMenu(_ menu: ScannedFile) -> Bool {
        type(of: menu.syntax).family.map(liveFamilies.contains) ?? false
            || liveFamilies.contains(.loaderEntries) && menu.grubMenu?.readsBLSEntries == true
            || hasLiveMenuOfLoaderEntries && menu.isOneEntryOfMany
    }
}
