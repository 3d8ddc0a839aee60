internal import Storage

/// The header of a member as it is written: ustar, with a size past 8 GiB in base 256 as GNU has it, since programs that read
/// appliances fail on extended headers.
enum ArchiveHeader {
    /// The header of a file. Throws `misuse` for a name that does not fit into it.
    static func bytes(name: String, byteCount: UInt64, mode: UInt16 = 0o644) throws(StorageError) -> [UInt8] {
        let name = name.hostBytes
        guard !name.isEmpty, name.count <= 100 else {
            throw .appliance(
                .misuse, .nameLeadsOut,
                "\(name.shellText) is too long for a member of an appliance: 100 bytes are the most")
        }
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], at start: Int) {
            for (index, byte) in bytes.enumerated() { header[start + index] = byte }
        }
        put(name, at: 0)
        put(octal(UInt64(mode), digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        if byteCount < 1 << 33 {
            put(octal(byteCount, digits: 11), at: 124)
        } else {
            header[124] = 0x80
            put((0..<8).map { UInt8(truncatingIfNeeded: byteCount >> UInt64(56 - $0 * 8)) }, at: 128)
        }
        put(octal(0, digits: 11), at: 136)
        put([UInt8](repeating: 32, count: 8), at: 148)
        header[156] = UInt8(ascii: "0")
        put(Array("ustar\u{0}00".utf8), at: 257)
        let sum = header.reduce(0) { $0 + UInt64($1) }
        put(octal(sum, digits: 6) + [0, 32], at: 148)
        return header
    }

    /// Zeros behind contents, up to a whole block.
    static func padding(_ byteCount: UInt64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((512 - byteCount % 512) % 512))
    }

    /// Two blocks of zeros, which end an archive.
    static let end = [UInt8](repeating: 0, count: 1024)

    private static func octal(_ value: UInt64, digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(digits - text.utf8.count, 0)) + text).utf8)
    }
}
