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
        /// syslinux.
        case syslinux
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
    /// Why no firmware starts it; nil where nothing shows that.
    package var fault: PEImage.Fault?

    /// Its name in capitals: FAT tells no case.
    var key: String { (names.last ?? "").uppercased() }
    /// The directory's name in capitals.
    var folder: String { names.dropLast().last?.uppercased() ?? "" }
    /// As firmware writes it: "\EFI\BOOT\BOOTX64.EFI".
    package var firmwarePath: String { names.map { "\\" + $0 }.joined() }
    /// As people write it: "EFI/BOOT/BOOTX64.EFI".
    var path: String { names.joined(separator: "/") }

    /// The same program under the same name.
    func isSame(as other: EFILoader) -> Bool {
        names == other.names && file.attributes.size == other.file.attributes.size && kind == other.kind
            && fault == other.fault && machine == other.machine && grub == other.grub
            && signers == other.signers
    }

    /// Why firmware of a machine does not start it.
    func fault(on machine: PEImage.Machine) -> PEImage.Fault? {
        fault ?? (self.machine == machine ? nil : .otherMachine)
    }
}

extension EFILoader {
    /// Loaders have a few megabytes; what is longer is told by its sections alone.
    private static let searchLimit = 8 << 20

    /// Looks into a program.
    init(_ names: [String], _ file: GuestFile, in tree: some GuestTree) throws(StorageError) {
        self.init(names: names, file: file, kind: .other)
        let head = try tree.head(of: file, byteCount: PEImage.headByteCount)
        defer {
            // Firmware reads all of it.
            if tree.damage(of: file) != nil { fault = .unreadable }
        }
        guard let image = PEImage(head: head) else {
            fault = file.attributes.size == 0 ? .empty : .noProgram
            kind = Self.kind(ofName: key) ?? .other
            machine = PEImage.Machine.allCases.first { key.hasSuffix($0.suffix.uppercased() + ".EFI") }
            return
        }
        machine = image.machine
        try Self.readThrough(file, in: tree)
        fault = image.fault(ofFile: file.attributes.size)
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
            // The stub has nothing to start.
            if image.section(".linux")?.byteCount == 0 { fault = fault ?? .truncated }
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
        } else if key.hasPrefix("BOOT"), let known = try Self.kind(ofText: file, machine, in: tree) {
            kind = known
        }
    }

    /// Reads all of a program of any real length, so that damage anywhere in it is found.
    private static func readThrough(_ file: GuestFile, in tree: some GuestTree) throws(StorageError) {
        var offset: UInt64 = 0
        let end = min(file.attributes.size, UInt64(throughLimit))
        while offset < end, tree.damage(of: file) == nil {
            let part = try tree.part(of: file, at: offset, byteCount: 1 << 20)
            guard !part.isEmpty else { return }
            offset += UInt64(part.count)
        }
    }

    private static let throughLimit = 256 << 20

    /// What a program without a table of generations is, by words in it.
    private static func kind(
        ofText file: GuestFile, _ machine: PEImage.Machine?, in tree: some GuestTree
    ) throws(StorageError) -> Kind? {
        let bytes = try tree.head(of: file, byteCount: searchLimit)
        if looksForFallback(bytes, machine) { return .shim }
        // rEFInd names Windows' loader too.
        if bytes.holds("refind.conf", isWide: true) { return .refind }
        if bytes.holds("\\Microsoft\\Boot\\", isWide: true) { return .windows }
        return bytes.holds("syslinux.cfg") ? .syslinux : nil
    }

    /// The components that a program names in `.sbat` (shim's SBAT.md).
    private static func kind(
        ofGenerations bytes: [UInt8], _ file: GuestFile, _ machine: PEImage.Machine?, in tree: some GuestTree
    ) throws(StorageError) -> Kind {
        if bytes.holds("\nsystemd-boot,") || bytes.holds("\nsystemd,") { return .systemdBoot }
        if bytes.holds("\ngrub,") { return .grub }
        if bytes.holds("\nrefind,") { return .refind }
        guard bytes.holds("\nshim,") else { return .other }
        return looksForFallback(try tree.head(of: file, byteCount: searchLimit), machine)
            ? .shim : .mokManager
    }

    /// shim alone names fallback.efi, in UTF-16.
    private static func looksForFallback(_ bytes: [UInt8], _ machine: PEImage.Machine?) -> Bool {
        bytes.holds("\\fb\(machine?.suffix ?? "x64").efi", isWide: true)
            || bytes.holds("\\fallback.efi", isWide: true)
    }

    /// What distributions call their loaders.
    private static func kind(ofName name: String) -> Kind? {
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
