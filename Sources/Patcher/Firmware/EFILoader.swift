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
    /// The programs that a shim names, in capitals; empty where they cannot be told.
    var shimNames: [String] = []
    /// The keys of loader entries that a systemd-boot knows; nil where that cannot be told.
    var entryKeys: Set<String>?
    /// The arguments that are built into a unified kernel.
    var arguments: [UInt8] = []
    /// Why no firmware starts it; nil where nothing shows that.
    package var fault: PEImage.Fault?

    /// Its name in capitals: FAT tells no case.
    var key: String { (names.last ?? "").uppercased() }
    /// The directory's name in capitals.
    var folder: String { names.dropLast().last?.uppercased() ?? "" }
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
    static let searchLimit = 8 << 20

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
            arguments = try bytes(".cmdline") ?? []
        } else if let modules = try bytes("mods"),
            let core = GRUBCore(modules: modules, is32Bits: machine == .ia32)
        {
            kind = .grub
            grub = core
        } else if let magic = try bytes(".sdmagic") {
            // The stub of unified kernels has one too.
            kind = magic.holds("systemd-boot") ? .systemdBoot : .other
        } else {
            kind =
                try Self.kind(
                    of: file, named: key, head: head, generations: bytes(".sbat"), machine, in: tree)
                ?? .other
        }
        if kind == .systemdBoot {
            entryKeys = Self.entryKeys(try tree.head(of: file, byteCount: Self.searchLimit))
        } else if kind == .shim {
            shimNames = Self.names(ofShim: try tree.head(of: file, byteCount: Self.searchLimit), machine)
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
