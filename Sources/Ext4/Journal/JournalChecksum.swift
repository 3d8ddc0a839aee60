internal import Storage

/// The CRC-32C of journal blocks, versions 2 and 3: seeded with the journal's own UUID, no final xor.
struct JournalChecksum {
    /// crc32c(~0, `s_uuid`).
    let seed: UInt32

    init(uuid: [UInt8]) { seed = CRC32C.update(~0, uuid.span8) }

    /// Of a block whose four checksum bytes at `field` count as zero.
    func block(_ block: [UInt8], zeroing field: Int) -> UInt32 {
        var register = CRC32C.update(seed, block.span8.extracting(0..<field))
        register = CRC32C.update(register, Self.zeros.span8)
        return CRC32C.update(register, block.span8.extracting(field + 4..<block.count))
    }

    /// Of a descriptor or revoke block, as its last four bytes hold it.
    func tail(_ block: [UInt8]) -> UInt32 { self.block(block, zeroing: block.count - 4) }

    /// Whether a descriptor's or revoke block's tail is right.
    func tailMatches(_ block: [UInt8]) -> Bool { tail(block) == block.big(block.count - 4) }

    /// Whether a commit block is right: all of it, or its header with zeros behind (the kernel accepts a block of
    /// which only the first sector reached the disk).
    func commitMatches(_ block: [UInt8]) -> Bool {
        let field = JournalCommitBlock.checksumOffset
        let stored: UInt32 = block.big(field)
        if self.block(block, zeroing: field) == stored { return true }
        var header = [UInt8](repeating: 0, count: block.count)
        header.replaceSubrange(
            0..<JournalCommitBlock.byteCount, with: block[0..<JournalCommitBlock.byteCount])
        return self.block(header, zeroing: field) == stored
    }

    /// Of a logged block as it lies in the log (escaped), with its transaction's number in front.
    func data(_ block: RawSpan, sequence: UInt32) -> UInt32 {
        var number = [UInt8](repeating: 0, count: 4)
        number.storeBig(sequence, at: 0)
        return CRC32C.update(CRC32C.update(seed, number.span8), block)
    }

    private static let zeros: [UInt8] = [0, 0, 0, 0]
}
