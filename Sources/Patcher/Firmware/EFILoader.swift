package import GuestTree
internal import Storage

/// A program on an EFI system partition.
package struct EFILoader: Sendable, Equatable {
    /// What it is.
    package enum Kind: String, Sendable {
        /// shim: starts what the distribution signed.
        case shim
        /// shim's fallback.efi, which writes boot entries anew.
        case shimFallback = "shim-fallback"
        /// shim's key manager.
        case mokManager = "mok-manager"
        /// GRUB.
        case grub
        /// systemd-boot.
        case systemdBoot = "systemd-boot"
        /// A kernel with its initramfs and arguments in one program.
        case unifiedKernel = "unified-kernel"
        /// rEFInd.
        case refind
        /// Windows' boot manager.
        case windows
        /// Another, or one that cannot be told.
        case other
    }

    /// The names from the partition's root to it.
    package var names: [String]
    /// The file; its path is the guest's where the partition has a place in its tree.
    package var file: GuestFile
    /// What it is.
    package var kind: Kind
    /// The machine it is for; nil where it is no PE program, or of a machine that is not known here.
    package var machine: PEImage.Machine?
    /// Under whose certificates it is signed; nothing is verified.
    package var signers: [String] = []
    /// What is built into a GRUB.
    package var grub: GRUBCore?

    /// Its name in capitals: FAT tells no case.
    var key: String { (names.last ?? "").uppercased() }
    /// The directory's name in capitals.
    var folder: String { names.dropLast().last?.uppercased() ?? "" }
    /// As firmware writes it: "\EFI\BOOT\BOOTX64.EFI".
    package var firmwarePath: String { names.map { "\\" + $0 }.joined() }
}

extension EFILoader {
    /// Loaders have a few megabytes; what is longer is told by its sections alone.
    private static let searchLimit = 8 << 20

    /// Looks into a program.
    init(_ names: [String], _ file: GuestFile, in tree: some GuestTree) throws(StorageError) {
        self.init(names: names, file: file, kind: .other)
        guard let image = PEImage(head: try tree.head(of: file, byteCount: PEImage.headByteCount)) else {
            kind = Self.kind(ofName: key) ?? .other
            machine = PEImage.Machine.allCases.first { key.hasSuffix($0.suffix.uppercased() + ".EFI") }
            return
        }
        machine = image.machine
        if let table = image.certificates {
            signers = Signers.names(
                in: try tree.part(
                    of: file, at: table.offset, byteCount: min(table.byteCount, Signers.tableLimit)))
        }
        func bytes(_ section: String) throws(StorageError) -> [UInt8]? {
            guard let place = image.section(section) else { return nil }
            return try tree.part(
                of: file, at: place.offset, byteCount: min(place.byteCount, Self.searchLimit))
        }
        if image.section(".linux") != nil, image.section(".osrel") != nil || image.section(".cmdline") != nil
        {
            kind = .unifiedKernel
        } else if let modules = try bytes("mods"), let core = GRUBCore(modules: modules) {
            kind = .grub
            grub = core
        } else if let magic = try bytes(".sdmagic"), magic.holds("systemd-boot") {
            kind = .systemdBoot
        } else if let named = Self.kind(ofName: key) {
            kind = named
        } else if let generations = try bytes(".sbat") {
            kind = try Self.kind(ofGenerations: generations, file, machine, in: tree)
            // The key manager is never the program that the firmware starts.
            if kind == .mokManager, key.hasPrefix("BOOT") { kind = .shim }
        } else if key.hasPrefix("BOOT"), try Self.looksForFallback(file, machine, in: tree) {
            kind = .shim
        }
    }

    /// The components that a program names in `.sbat` (shim's SBAT.md).
    private static func kind(
        ofGenerations bytes: [UInt8], _ file: GuestFile, _ machine: PEImage.Machine?, in tree: some GuestTree
    ) throws(StorageError) -> Kind {
        if bytes.holds("\nsystemd-boot,") || bytes.holds("\nsystemd,") { return .systemdBoot }
        if bytes.holds("\ngrub,") { return .grub }
        guard bytes.holds("\nshim,") else { return .other }
        return try looksForFallback(file, machine, in: tree) ? .shim : .mokManager
    }

    /// shim alone names fallback.efi, in UTF-16.
    private static func looksForFallback(
        _ file: GuestFile, _ machine: PEImage.Machine?, in tree: some GuestTree
    ) throws(StorageError) -> Bool {
        let bytes = try tree.head(of: file, byteCount: searchLimit)
        return bytes.holds("\\fb\(machine?.suffix ?? "x64").efi", isWide: true)
            || bytes.holds("\\fallback.efi", isWide: true)
    }

    /// What distributions call their loaders.
    private static func kind(ofName name: String) -> Kind? {
        guard name.hasSuffix(".EFI") else { return nil }
        let rules: [(String, Kind)] = [
            ("SHIM", .shim), ("FALLBACK", .shimFallback), ("FBX64", .shimFallback), ("FBAA64", .shimFallback),
            ("FBIA32", .shimFallback), ("MMX64", .mokManager), ("MMAA64", .mokManager),
            ("MMIA32", .mokManager), ("MOKMANAGER", .mokManager), ("GRUB", .grub),
            ("SYSTEMD-BOOT", .systemdBoot), ("REFIND", .refind), ("BOOTMGFW", .windows),
        ]
        return rules.first { name.hasPrefix($0.0) }?.1
    }
}

extension [UInt8] {
    /// Whether the letters stand anywhere, of 8 bits each or of 16.
    func holds(_ text: String, isWide: Bool = false) -> Bool {
        let word: [UInt8] = text.utf8.flatMap { isWide ? [$0, 0] : [$0] }
        guard let first = word.first, count >= word.count else { return false }
        var start = 0
        while let found = self[start...].firstIndex(of: first), found + word.count <= count {
            if self[found...].starts(with: word) { return true }
            start = found + 1
        }
        return false
    }
}
