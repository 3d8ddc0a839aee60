internal import Storage

/// The header that every log block but the logged data starts with: magic, type, sequence, each 32 bits
/// big-endian. (Linux documentation, filesystems/ext4/journal: "Block Header".)
struct JournalBlockHeader {
    static let byteCount = 12
    static let magic: UInt32 = 0xc03b_3998

    enum Kind: UInt32 {
        case descriptor = 1
        case commit = 2
        case superblockV1 = 3
        case superblockV2 = 4
        case revoke = 5
    }

    /// Nil for a number that no known block has.
    let kind: Kind?
    let sequence: UInt32

    /// Nil when the block does not start with the magic number. `block` holds at least 12 bytes.
    init?(_ block: [UInt8]) {
        guard block.big(0, as: UInt32.self) == Self.magic else { return nil }
        kind = Kind(rawValue: block.big(4))
        sequence = block.big(8)
    }

    static func write(_ kind: Kind, sequence: UInt32, to block: inout [UInt8]) {
        block.storeBig(magic, at: 0)
        block.storeBig(kind.rawValue, at: 4)
        block.storeBig(sequence, at: 8)
    }
}

/// What a commit block says beyond its header.
struct JournalCommitBlock {
    /// `h_chksum_type`, `h_chksum_size`, `h_chksum[0]`, `h_commit_sec`, `h_commit_nsec`.
    static let checksumTypeOffset = 0x0c
    static let checksumSizeOffset = 0x0d
    static let checksumOffset = 0x10
    static let secondsOffset = 0x30
    /// Bytes up to the end of the last field, alignment included.
    static let byteCount = 0x40
    /// `h_chksum_type` of checksum version 1.
    static let typeCRC32: UInt8 = 1

    let checksumType: UInt8
    let checksumSize: UInt8
    let checksum: UInt32
    let seconds: UInt64

    /// `block` holds at least 64 bytes.
    init(_ block: [UInt8]) {
        checksumType = block[Self.checksumTypeOffset]
        checksumSize = block[Self.checksumSizeOffset]
        checksum = block.big(Self.checksumOffset)
        seconds = block.big(Self.secondsOffset)
    }
}
