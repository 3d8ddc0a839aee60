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

    /// Judges a first sector of at least 440 bytes; a shorter one holds no program.
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
