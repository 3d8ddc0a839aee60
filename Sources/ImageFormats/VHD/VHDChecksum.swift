internal import Storage

/// The checksum of footer, dynamic header and batmap: the ones' complement of the sum of all bytes, the
/// checksum's own field taken as zero (Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer").
enum VHDChecksum {
    /// Over `bytes`, leaving out the four bytes from `field` on.
    static func of(_ bytes: [UInt8], leavingOut field: Int? = nil) -> UInt32 {
        var sum: UInt32 = 0
        for byte in bytes { sum &+= UInt32(byte) }
        if let field {
            for byte in bytes[field..<min(field + 4, bytes.count)] { sum &-= UInt32(byte) }
        }
        return ~sum
    }
}
