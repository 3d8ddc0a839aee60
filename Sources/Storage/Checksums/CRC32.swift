internal import CLinux

/// CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320): GPT, LVM2. Slice-by-16, about 2 GB/s.
public enum CRC32 {
    @usableFromInline static let table = CRCTable(polynomial: 0xedb8_8320)

    /// The usual CRC-32: initial value and final xor all ones.
    public static func checksum(_ bytes: RawSpan) -> UInt32 {
        ~update(0xffff_ffff, bytes)
    }

    /// The raw register after `bytes`, without final xor: LVM2 uses it with its own initial value.
    public static func update(_ register: UInt32, _ bytes: RawSpan) -> UInt32 {
        table.update(register, bytes)
    }
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78): ext4 metadata, JBD2, VHDX, undo records. By the processor's
/// own instruction where it has one, four to five times as fast as the tables.
public enum CRC32C {
    static let table = CRCTable(polynomial: 0x82f6_3b78)
    private static let hasInstruction = clinux_has_crc32c() == 1

    /// The usual CRC-32C: initial value and final xor all ones (VHDX).
    public static func checksum(_ bytes: RawSpan) -> UInt32 {
        ~update(0xffff_ffff, bytes)
    }

    /// The raw register after `bytes`, without final xor: ext4 chains these.
    public static func update(_ register: UInt32, _ bytes: RawSpan) -> UInt32 {
        guard hasInstruction else { return table.update(register, bytes) }
        return unsafe bytes.withUnsafeBytes { unsafe clinux_crc32c(register, $0.baseAddress, $0.count) }
    }
}

/// CRC-16 (ANSI, reflected polynomial 0xA001): ext4 group descriptors with uninit_bg.
public enum CRC16 {
    private static let table: [UInt16] = (0..<256).map { index in
        var value = UInt16(index)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xa001 : value >> 1 }
        return value
    }

    /// The register after `bytes`; start with 0xffff, no final xor.
    public static func update(_ register: UInt16, _ bytes: RawSpan) -> UInt16 {
        let table = self.table
        var register = register
        for offset in 0..<bytes.byteCount {
            register = register >> 8 ^ table[Int(UInt8(truncatingIfNeeded: register) ^ bytes.byte(offset))]
        }
        return register
    }
}

/// CRC-32 big-endian, most significant bit first (polynomial 0x04C11DB7): JBD2's version 1 commit checksum.
public enum CRC32BigEndian {
    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index) << 24
        for _ in 0..<8 { value = value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1 }
        return value
    }

    /// The register after `bytes`, without final xor.
    public static func update(_ register: UInt32, _ bytes: RawSpan) -> UInt32 {
        let table = self.table
        var register = register
        for offset in 0..<bytes.byteCount {
            register =
                register << 8 ^ table[Int(UInt8(truncatingIfNeeded: register >> 24) ^ bytes.byte(offset))]
        }
        return register
    }
}

/// Sixteen lookup tables of a reflected 32-bit CRC, one after the other.
@usableFromInline
struct CRCTable: Sendable {
    @usableFromInline let entries: [UInt32]

    init(polynomial: UInt32) {
        var entries = [UInt32](repeating: 0, count: 16 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
            entries[index] = value
        }
        for index in 256..<entries.count {
            let previous = entries[index - 256]
            entries[index] = previous >> 8 ^ entries[Int(previous & 0xff)]
        }
        self.entries = entries
    }

    func update(_ register: UInt32, _ bytes: RawSpan) -> UInt32 {
        var crc = register
        var offset = 0
        let table = entries.span
        while bytes.byteCount - offset >= 16 {
            // Index of byte k of the block in the table that shifts it past the bytes behind it: 15 - k.
            let a: UInt32 = bytes.little(offset) ^ crc
            let b: UInt32 = bytes.little(offset + 4)
            let c: UInt32 = bytes.little(offset + 8)
            let d: UInt32 = bytes.little(offset + 12)
            crc = fold(table, a, 15) ^ fold(table, b, 11) ^ fold(table, c, 7) ^ fold(table, d, 3)
            offset += 16
        }
        while offset < bytes.byteCount {
            crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes.byte(offset))]
            offset += 1
        }
        return crc
    }

    @inline(__always)
    private func fold(_ table: Span<UInt32>, _ word: UInt32, _ first: Int) -> UInt32 {
        table[first << 8 | Int(word & 0xff)]
            ^ table[(first - 1) << 8 | Int(word >> 8 & 0xff)]
            ^ table[(first - 2) << 8 | Int(word >> 16 & 0xff)]
            ^ table[(first - 3) << 8 | Int(word >> 24)]
    }
}
