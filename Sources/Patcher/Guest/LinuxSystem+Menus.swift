internal import GuestTree
internal import Storage

/// Which of several menus the guest's loader reads: an upgrade leaves the old one behind.
extension LinuxSystem {
    /// Whether nothing shows that this file is left over from another loader.
    func isInUse(_ menu: ScannedFile) -> Bool {
        let menus = files.filter { $0.bootEntries.contains { $0.kernel != nil } }
        guard menus.count > 1, menus.contains(where: { $0.file.key == menu.file.key }) else { return true }
        if let readers = readers(of: bootCode) {
            let read = menus.filter { readers.contains($0.kind) }
            if !read.isEmpty { return readers.contains(menu.kind) }
        }
        // Kernels of an age that is gone show it; where none of any menu is found, they were not looked for in the right place.
        let alive = menus.filter { !presentKernels.isDisjoint(with: keys(of: $0)) }
        return alive.isEmpty || alive.contains { isPart($0, ofSameMenuAs: menu) }
    }

    /// Loader entries are one menu in many files.
    private func isPart(_ one: ScannedFile, ofSameMenuAs other: ScannedFile) -> Bool {
        one.file.key == other.file.key || one.syntax is LoaderEntry && other.syntax is LoaderEntry
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
        let grub2 = [GRUB2Config.kind, LoaderEntry.kind]
        if resolver.presentation.hypervisor?.hasAliasedDiskNames == true { return nil }
        return switch code {
        case .grub2?: grub2 + [GRUBCustomMenu.kind]
        case .grubLegacy?: [GRUBLegacy.kind]
        case .lilo?: [Lilo.kind]
        case BootCode.none?: hasUEFILoader ? grub2 + [GRUBCustomMenu.kind] : nil
        case .other?, nil: nil
        }
    }

    /// The entries whose kernels are files of the tree, wherever the loader counts its paths from.
    static func presentKernels(
        of files: [ScannedFile], in tree: some GuestTree
    ) throws(StorageError) -> Set<EntryKey> {
        let menus = files.filter { !$0.bootEntries.isEmpty }
        // One menu leaves nothing to decide.
        guard menus.count > 1 else { return [] }
        var known: [String: Bool] = [:]
        var present: Set<EntryKey> = []
        for menu in menus {
            for entry in menu.bootEntries {
                guard let kernel = entry.kernel, known.count < lookUpLimit else { continue }
                let isThere: Bool
                if let answer = known[kernel] {
                    isThere = answer
                } else {
                    isThere = try exists(kernel, in: tree)
                    known[kernel] = isThere
                }
                if isThere { present.insert(EntryKey(file: menu.file.key, index: entry.index)) }
            }
        }
        return present
    }

    /// No guest has more kernels than this.
    private static let lookUpLimit = 500

    /// `(hd0,0)/boot/vmlinuz`, `($root)/vmlinuz`, `/vmlinuz` of a volume that is mounted on /boot.
    private static func exists(_ kernel: String, in tree: some GuestTree) throws(StorageError) -> Bool {
        var path = Substring(kernel)
        if path.first == "(", let end = path.firstIndex(of: ")") { path = path[path.index(after: end)...] }
        guard path.first == "/" else { return false }
        for base in ["", "/boot", "/boot/efi", "/efi"] where try tree.find(GuestPath(base + path)) != nil {
            return true
        }
        return false
    }
}
