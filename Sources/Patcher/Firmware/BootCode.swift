package import Storage

/// What a disk's first sector starts, by its bytes.
package enum BootCode: Sendable, Equatable {
    /// Nothing: a BIOS finds no program there.
    case none
    /// GRUB 2.
    case grub2
    /// GRUB legacy (0.9x).
    case grubLegacy
    /// LILO.
    case lilo
    /// Another program, or one that cannot be told.
    case other

    /// The bytes before the disk's signature and its table.
    private static let byteCount = 440

    /// Judges a first sector of 512 bytes; a shorter one holds no program. The generic code, which DOS, Windows and most tools
    /// that make partition tables write, starts what the first sector of the active partition holds: that is asked for by its
    /// number, counted in `sector` bytes.
    package init(
        firstSector: [UInt8], sector: (UInt64) throws(StorageError) -> [UInt8]
    ) throws(StorageError) {
        self.init(firstSector: firstSector)
        guard self == .other, Self.isGeneric(firstSector) else { return }
        guard let start = Self.activePartition(firstSector) else {
            self = .none
            return
        }
        let code = BootCode(firstSector: try sector(start))
        self = code == .none ? .none : code
    }

    /// The messages that every one of them has.
    private static func isGeneric(_ sector: [UInt8]) -> Bool {
        contains("Invalid partition table", sector) || contains("Missing operating system", sector)
    }

    /// The first sector of the partition that the table calls active.
    private static func activePartition(_ sector: [UInt8]) -> UInt64? {
        guard sector.count >= 512, sector[510] == 0x55, sector[511] == 0xaa else { return nil }
        for entry in 0..<4 where sector[446 + 16 * entry] == 0x80 && sector[450 + 16 * entry] != 0 {
            return (0..<4).reduce(UInt64(0)) { $0 | UInt64(sector[454 + 16 * entry + $1]) << (8 * $1) }
        }
        return nil
    }

    /// Judges a first sector of at least 440 bytes by itself; a shorter one holds no program.
    package init(firstSector: [UInt8]) {
        let code = Array(firstSector.prefix(Self.byteCount))
        guard code.contains(where: { $0 != 0 }) else {
            self = .none
            return
        }
        // GRUB's first sectors differ in the ends of their messages (stage1.S, boot.S); LILO's name is behind its first jump.
        if code.count > 10, Array(code[6..<10]) == Array("LILO".utf8) {
            self = .lilo
        } else if Self.contains("GRUB ", code), Self.contains(" Error\r\n", code) {
            self = .grub2
        } else if Self.contains("GRUB ", code), Self.contains(" Error\0", code) {
            self = .grubLegacy
        } else {
            self = .other
        }
    }

    private static func contains(_ text: String, _ bytes: [UInt8]) -> Bool {
        let word = Array(text.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: word) }
    }
}
