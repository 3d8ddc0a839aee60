internal import Storage

/// One entry of the block allocation table ([MS-VHDX] 2.5.1): state in bits 0 to 2, place in MiB from bit 20 on.
struct VHDXEntry: Equatable, Sendable {
    enum State: UInt8, Sendable {
        case notPresent = 0
        case undefined = 1
        case zero = 2
        case unmapped = 3
        /// "Unmapped" of drafts of the format; seen in files.
        case unmappedDraft = 5
        /// All of the block is here. Of a sector bitmap: it is here.
        case full = 6
        /// Only the sectors that the chunk's bitmap names are here.
        case partial = 7
    }

    var raw: UInt64

    init(raw: UInt64) { self.raw = raw }

    init(_ state: State, at offset: UInt64) { raw = offset & ~0xf_ffff | UInt64(state.rawValue) }

    /// Nil for 4, which means nothing.
    var state: State? { State(rawValue: UInt8(raw & 7)) }
    /// Where the block lies, in bytes.
    var offset: UInt64 { raw & ~0xf_ffff }
}

/// An entry's number in the block allocation table, where bitmaps stand between blocks: behind the first chunk it is not
/// the block's number.
struct VHDXTableIndex: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: VHDXTableIndex, right: VHDXTableIndex) -> Bool { left.rawValue < right.rawValue }
    /// Where it lies in the table, in bytes.
    var byteOffset: UInt64 { rawValue * 8 }
}

/// How blocks and sector bitmaps share the table ([MS-VHDX] 2.5): after the entries of each chunk's blocks comes
/// the chunk's bitmap.
struct VHDXTableLayout: Equatable, Sendable {
    let blockSize: UInt64
    let sectorSize: UInt64
    /// Blocks in a chunk: one bitmap of 1 MiB has a bit for each of their sectors.
    let chunkRatio: UInt64
    let blockCount: UInt64
    /// Entries that a disk needs.
    let entryCount: UInt64

    init(_ metadata: VHDXMetadata) {
        blockSize = UInt64(metadata.blockSize)
        sectorSize = UInt64(metadata.sectorSize)
        chunkRatio = (1 << 23) * sectorSize / blockSize
        blockCount = metadata.byteCount.dividedRoundingUp(by: blockSize)
        entryCount =
            metadata.hasParent
            ? blockCount.dividedRoundingUp(by: chunkRatio) * (chunkRatio + 1)
            : blockCount + (blockCount - 1) / chunkRatio
    }

    func index(ofBlock block: UInt64) -> VHDXTableIndex { VHDXTableIndex(block + block / chunkRatio) }
    /// Of the bitmap of the chunk that `block` belongs to.
    func index(ofBitmapFor block: UInt64) -> VHDXTableIndex {
        VHDXTableIndex((block / chunkRatio + 1) * chunkRatio + block / chunkRatio)
    }
    func isBitmap(_ index: VHDXTableIndex) -> Bool { index.rawValue % (chunkRatio + 1) == chunkRatio }
    /// The block of a payload entry.
    func block(at index: VHDXTableIndex) -> UInt64 { index.rawValue - index.rawValue / (chunkRatio + 1) }

    /// Bytes of a block's part of its chunk's bitmap.
    var bitmapSize: UInt64 { blockSize / sectorSize / 8 }
    /// Where that part begins in the bitmap.
    func bitmapOffset(ofBlock block: UInt64) -> UInt64 { block % chunkRatio * bitmapSize }
}
