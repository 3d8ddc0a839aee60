internal import Storage

/// The checksums of directory blocks. A block of entries ends with a fake entry of twelve bytes
/// (`struct ext4_dir_entry_tail`); a block of the hash index has its tail behind the room for entries.
enum DirectoryChecksum {
    static let tailLength = 12

    /// Whether a block of entries ends with a checksum's tail.
    static func hasTail(_ bytes: [UInt8]) -> Bool {
        let tail = bytes.count - tailLength
        return bytes.little(tail) as UInt32 == 0 && bytes.little(tail + 4) as UInt16 == 12
            && bytes[tail + 6] == 0 && bytes[tail + 7] == 0xde
    }

    /// Where limit and count lie in a block of the index; nil where the block is not one.
    static func indexOffset(_ bytes: [UInt8]) -> Int? {
        let first = DirectoryBlock.recordLength(bytes.little(4), blockSize: bytes.count)
        if first == bytes.count, bytes.little(0) as UInt32 == 0 { return 8 }
        guard first == 12,
            DirectoryBlock.recordLength(bytes.little(16), blockSize: bytes.count) == bytes.count - 12,
            bytes.little(24) as UInt32 == 0, bytes[29] == 8
        else { return nil }
        return 32
    }

    /// The checksum of a block of entries.
    static func leaf(_ bytes: [UInt8], seed: UInt32) -> UInt32 {
        CRC32C.update(seed, bytes.span8.extracting(0..<bytes.count - tailLength))
    }

    /// The checksum of a block of the index with its limit and count at `offset`, and where it is stored; nil
    /// where the counts leave no room for it.
    static func index(_ bytes: [UInt8], at offset: Int, seed: UInt32) -> (sum: UInt32, position: Int)? {
        let limit = Int(bytes.little(offset) as UInt16)
        let count = Int(bytes.little(offset + 2) as UInt16)
        let tail = offset + limit * 8
        guard count <= limit, tail + 8 <= bytes.count else { return nil }
        var sum = CRC32C.update(seed, bytes.span8.extracting(0..<offset + count * 8))
        sum = CRC32C.update(sum, bytes.span8.extracting(tail..<tail + 4))
        sum = CRC32C.update(sum, [0, 0, 0, 0].span8)
        return (sum, tail + 4)
    }

    /// Whether the block's checksum holds. A block of the index may still have a tail's bytes at its end from
    /// when it held entries, so its own shape, which no block of entries with a tail can have, decides.
    static func isValid(_ bytes: [UInt8], seed: UInt32) -> Bool {
        if let offset = indexOffset(bytes) {
            guard let (sum, position) = index(bytes, at: offset, seed: seed) else { return false }
            return sum == bytes.little(position)
        }
        return hasTail(bytes) && leaf(bytes, seed: seed) == bytes.little(bytes.count - 4)
    }

    /// How many bytes at the end of a block are not for entries.
    static func reservedLength(_ bytes: [UInt8]) -> Int {
        indexOffset(bytes) == nil && hasTail(bytes) ? tailLength : 0
    }
}
