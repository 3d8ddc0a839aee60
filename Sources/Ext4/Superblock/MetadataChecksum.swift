internal import Storage

extension Geometry {
    /// CRC-32C over a part, started from the volume's seed: how every metadata checksum begins.
    func checksum(_ bytes: RawSpan) -> UInt32 { CRC32C.update(checksumSeed, bytes) }

    /// What the checksums of an inode's own blocks start from: its number and generation.
    func inodeSeed(_ number: InodeNumber, generation: UInt32) -> UInt32 {
        var head = [UInt8](repeating: 0, count: 8)
        head.storeLittle(number.rawValue, at: 0)
        head.storeLittle(generation, at: 4)
        return checksum(head.span8)
    }
}
