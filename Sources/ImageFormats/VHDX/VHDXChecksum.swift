internal import Storage

/// CRC-32C over a structure with its own checksum field taken as zero: headers, region tables, log entries.
enum VHDXChecksum {
    static func of(_ bytes: [UInt8], field: Int) -> UInt32 {
        var crc = CRC32C.update(0xffff_ffff, bytes.span8.extracting(0..<field))
        crc = CRC32C.update(crc, [UInt8](repeating: 0, count: 4).span8)
        return ~CRC32C.update(crc, bytes.span8.extracting(field + 4..<bytes.count))
    }

    static func isRight(_ bytes: [UInt8], field: Int) -> Bool {
        bytes.little(field, as: UInt32.self) == of(bytes, field: field)
    }

    static func seal(_ bytes: inout [UInt8], field: Int) {
        bytes.storeLittle(of(bytes, field: field), at: field)
    }
}
