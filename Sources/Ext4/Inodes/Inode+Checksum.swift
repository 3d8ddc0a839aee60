internal import Storage

extension Inode {
    /// Whether the record holds the high half of its checksum.
    var hasWideChecksum: Bool { hasField(Offset.checksumHigh, count: 2) }

    /// CRC-32C over number, generation and the record with its checksum fields zero.
    func computedChecksum(_ geometry: Geometry) -> UInt32 {
        var copy = bytes
        copy.storeLittle(UInt16(0), at: Offset.checksumLow)
        if hasWideChecksum { copy.storeLittle(UInt16(0), at: Offset.checksumHigh) }
        let sum = CRC32C.update(geometry.inodeSeed(number, generation: generation), copy.span8)
        return hasWideChecksum ? sum : sum & 0xffff
    }

    var storedChecksum: UInt32 {
        UInt32(half(Offset.checksumLow))
            | (hasWideChecksum ? UInt32(half(Offset.checksumHigh)) << 16 : 0)
    }

    /// Sets the checksum where the volume has one.
    mutating func updateChecksum(_ geometry: Geometry) {
        guard geometry.hasMetadataChecksums else { return }
        let sum = computedChecksum(geometry)
        bytes.storeLittle(UInt16(truncatingIfNeeded: sum), at: Offset.checksumLow)
        if hasWideChecksum {
            bytes.storeLittle(UInt16(truncatingIfNeeded: sum >> 16), at: Offset.checksumHigh)
        }
    }
}
