internal import Storage

/// The checksum that every structure of version 5 has: CRC-32C over the whole of it with the field zero, stored
/// little-endian.
enum Checksum {
    /// Of bytes whose field lies at `offset`.
    static func of(_ bytes: RawSpan, at offset: Int) -> UInt32 {
        var sum = CRC32C.update(~0, bytes.extracting(0..<offset))
        sum = CRC32C.update(sum, [0, 0, 0, 0].span8)
        return ~CRC32C.update(sum, bytes.extracting(offset + 4..<bytes.byteCount))
    }

    /// Whether the field at `offset` says so.
    static func holds(in bytes: [UInt8], at offset: Int) -> Bool {
        bytes.little(offset) == of(bytes.span8, at: offset)
    }

    /// Sets the field at `offset`.
    static func update(_ bytes: inout [UInt8], at offset: Int) {
        bytes.storeLittle(of(bytes.span8, at: offset), at: offset)
    }
}
