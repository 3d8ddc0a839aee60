internal import Storage

/// One entry of a descriptor block: which file-system block the next log block is a copy of.
struct JournalTag: Equatable {
    /// Bits of `t_flags`.
    struct Flags: OptionSet {
        let rawValue: UInt32
        /// The block's first word was the magic number and is zero in the log.
        static let escaped = Flags(rawValue: 1)
        /// No UUID follows the tag.
        static let sameUUID = Flags(rawValue: 2)
        /// The last tag of its descriptor block.
        static let last = Flags(rawValue: 8)
    }

    /// The file-system block.
    var block: UInt64
    var flags: Flags
    /// All 32 bits (version 3), the low 16 (version 2), or 0.
    var checksum: UInt32
}

/// How a journal lays its tags out, by its features: 16 bytes with version 3 checksums, else 8 or 12, and two
/// unused bytes more with version 2.
struct JournalTagFormat: Equatable {
    let features: JournalFeatures

    static let uuidByteCount = 16

    private var isV3: Bool { features.incompatible.contains(.checksumV3) }
    private var isV2: Bool { features.incompatible.contains(.checksumV2) }
    private var isWide: Bool { features.incompatible.contains(.wideBlockNumbers) }

    /// Bytes of a tag without the UUID behind it.
    var byteCount: Int { isV3 ? 16 : (isWide ? 12 : 8) + (isV2 ? 2 : 0) }

    /// Bytes at a descriptor's or revoke block's end that hold its checksum.
    var tailByteCount: Int { features.hasMetadataChecksums ? 4 : 0 }

    /// The highest block number that a tag can hold.
    var maximumBlock: UInt64 { isWide ? .max : UInt64(UInt32.max) }

    /// How many tags fit into one descriptor block: the first carries the UUID.
    func capacity(blockSize: Int) -> Int {
        let room = blockSize - JournalBlockHeader.byteCount - Self.uuidByteCount - tailByteCount
        return room / byteCount
    }

    /// Whether the checksum in `tag` is what `checksum` would be stored as.
    func checksum(_ checksum: UInt32, matches tag: JournalTag) -> Bool {
        isV3 ? checksum == tag.checksum : checksum & 0xffff == tag.checksum
    }

    /// The tags of a descriptor block, up to the one marked as last or as many as fit.
    func tags(in descriptor: [UInt8]) -> [JournalTag] {
        var tags: [JournalTag] = []
        var offset = JournalBlockHeader.byteCount
        let end = descriptor.count - tailByteCount
        while offset + byteCount <= end {
            let tag = read(descriptor, at: offset)
            tags.append(tag)
            if tag.flags.contains(.last) { break }
            offset += byteCount + (tag.flags.contains(.sameUUID) ? 0 : Self.uuidByteCount)
        }
        return tags
    }

    private func read(_ bytes: [UInt8], at offset: Int) -> JournalTag {
        let low = UInt64(bytes.big(offset, as: UInt32.self))
        let high = isWide ? UInt64(bytes.big(offset + 8, as: UInt32.self)) << 32 : 0
        if isV3 {
            return JournalTag(
                block: high | low, flags: .init(rawValue: bytes.big(offset + 4)),
                checksum: bytes.big(offset + 12))
        }
        return JournalTag(
            block: high | low, flags: .init(rawValue: UInt32(bytes.big(offset + 6, as: UInt16.self))),
            checksum: UInt32(bytes.big(offset + 4, as: UInt16.self)))
    }

    /// Stores a tag; `checksum` is the whole CRC-32C, cut as the format has it.
    func write(_ tag: JournalTag, to bytes: inout [UInt8], at offset: Int) {
        bytes.storeBig(UInt32(truncatingIfNeeded: tag.block), at: offset)
        if isWide { bytes.storeBig(UInt32(truncatingIfNeeded: tag.block >> 32), at: offset + 8) }
        if isV3 {
            bytes.storeBig(tag.flags.rawValue, at: offset + 4)
            bytes.storeBig(tag.checksum, at: offset + 12)
        } else {
            bytes.storeBig(UInt16(truncatingIfNeeded: tag.flags.rawValue), at: offset + 6)
            bytes.storeBig(isV2 ? UInt16(truncatingIfNeeded: tag.checksum) : 0, at: offset + 4)
        }
    }
}
