internal import GuestTree
internal import Storage

/// What a program is: what it holds tells before its name does.
extension EFILoader {
    /// What a program is that has no sections of a loader's own. `head` are its first bytes; nil where nothing tells.
    static func kind(
        of file: GuestFile, named name: String, head: [UInt8], generations: [UInt8]?,
        _ machine: PEImage.Machine?, in tree: some GuestTree
    ) throws(StorageError) -> Kind? {
        // The kernel's own stub starts it without arguments, whatever its name.
        if KernelImage.isLinux(head) { return nil }
        if let generations {
            // The stub of unified kernels has the same component.
            if generations.holds("\nsystemd-boot,") || generations.holds("\nsystemd,") { return .systemdBoot }
            if generations.holds("\ngrub,") { return .grub }
            if generations.holds("\nrefind,") { return .refind }
            if generations.holds("\nshim,"),
                let kind = kindOfShims(try tree.head(of: file, byteCount: searchLimit), machine)
            {
                return kind
            }
            return kind(ofName: name)
        }
        if let known = kind(ofName: name) { return known }
        guard name.hasPrefix("BOOT") else { return nil }
        let bytes = try tree.head(of: file, byteCount: searchLimit)
        if let kind = kindOfShims(bytes, machine) { return kind }
        // rEFInd names Windows' loader too.
        if bytes.holds("refind.conf", isWide: true) { return .refind }
        if bytes.holds("\\Microsoft\\Boot\\", isWide: true) { return .windows }
        return bytes.holds("syslinux.cfg") ? .syslinux : nil
    }

    /// Which of shim's three programs it is, by what each alone holds (shim.h, fallback.c, MokManager.c).
    private static func kindOfShims(_ bytes: [UInt8], _ machine: PEImage.Machine?) -> Kind? {
        if !names(ofShim: bytes, machine).isEmpty { return .shim }
        if bytes.holds("boot.csv", isWide: true) || bytes.holds("BOOT.CSV", isWide: true) {
            return .shimFallback
        }
        return bytes.holds("Enroll MOK", isWide: true) ? .mokManager : nil
    }

    /// The programs that a shim names, in UTF-16 and capitals here.
    static func names(ofShim bytes: [UInt8], _ machine: PEImage.Machine?) -> [String] {
        (fallbackNames(machine) + grubNames(machine)).filter {
            bytes.holds("\\" + $0.lowercased(), isWide: true)
        }
    }

    /// What shims have called their fallback program.
    private static func fallbackNames(_ machine: PEImage.Machine?) -> [String] {
        ["FB\((machine ?? .x64).suffix.uppercased()).EFI", "FALLBACK.EFI"]
    }

    /// What shims have called their loader.
    private static func grubNames(_ machine: PEImage.Machine?) -> [String] {
        ["GRUB\((machine ?? .x64).suffix.uppercased()).EFI", "GRUB.EFI"]
    }

    /// The names of the fallback program that this shim looks for; all of them where nothing tells.
    var fallbackNames: [String] {
        let names = Self.fallbackNames(machine)
        return shimNames.isEmpty ? names : names.filter(shimNames.contains)
    }

    /// The names of the loader that this shim starts; all of them where nothing tells.
    var loaderNames: [String] {
        let names = Self.grubNames(machine)
        let known = names.filter(shimNames.contains)
        return known.isEmpty ? names : known
    }

    /// Keys of loader entries that say what is started.
    static let programKeys = ["linux", "efi", "uki"]

    /// Those that a systemd-boot knows: they are words of it (boot.c, boot_entry_add_type1). Nil where it holds none of them
    /// as such.
    static func entryKeys(_ bytes: [UInt8]) -> Set<String>? {
        let found = programKeys.filter { bytes.holds($0 + "\0") }
        return found.contains("linux") ? Set(found) : nil
    }

    /// What distributions call their loaders.
    static func kind(ofName name: String) -> Kind? {
        guard name.hasSuffix(".EFI") else { return nil }
        let rules: [(String, Kind)] = [
            ("SHIM", .shim), ("FALLBACK", .shimFallback), ("FBX64", .shimFallback), ("FBAA64", .shimFallback),
            ("FBIA32", .shimFallback), ("MMX64", .mokManager), ("MMAA64", .mokManager),
            ("MMIA32", .mokManager), ("MOKMANAGER", .mokManager), ("GRUB", .grub),
            ("SYSTEMD-BOOT", .systemdBoot), ("REFIND", .refind), ("SYSLINUX", .syslinux),
            ("BOOTMGFW", .windows),
        ]
        return rules.first { name.hasPrefix($0.0) }?.1
    }
}
