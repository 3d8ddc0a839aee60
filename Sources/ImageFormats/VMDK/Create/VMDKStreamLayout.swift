internal import Storage

/// The numbers of a stream that is made, its header and its markers.
struct VMDKStreamLayout {
    static let grainSize = VMDKSparseLayout.grainSectors * VMDKSparseHeader.sectorSize
    /// Where the first grain begins: VMware's readers go there from the header.
    static let overhead = 128 * VMDKSparseHeader.sectorSize
    static let emptyTable = [UInt32](repeating: 0, count: Int(VMDKSparseLayout.entriesPerTable))

    /// What a marker announces.
    enum Marker: UInt32 {
        case endOfStream = 0
        case table = 1
        case directory = 2
        case footer = 3
    }

    private let capacity: UInt64
    let tableCount: Int

    /// The layout for a disk of `byteCount` bytes, a multiple of 512. Throws `refused` when no directory is that large.
    init(byteCount: UInt64) throws(StorageError) {
        capacity = byteCount / VMDKSparseHeader.sectorSize
        let tables = byteCount.dividedRoundingUp(by: Self.grainSize * VMDKSparseLayout.entriesPerTable)
        guard tables <= VMDKSparseHeader.directoryLimit else {
            throw .vmdk(
                .refused, .directoryTooLarge,
                "a streamOptimized disk cannot be larger than 32 TiB; use subformat=vmfs")
        }
        tableCount = Int(tables)
    }

    /// The table and the entry in it of the grain at a byte of the disk.
    func place(of offset: UInt64) -> (index: Int, slot: Int) {
        let grain = offset / Self.grainSize
        return (
            Int(grain / VMDKSparseLayout.entriesPerTable), Int(grain % VMDKSparseLayout.entriesPerTable)
        )
    }

    /// The header, or the footer: the same with the directory's sector.
    func header(directorySector: UInt64) -> [UInt8] {
        typealias Flag = VMDKSparseHeader.Flag
        var bytes = [UInt8](repeating: 0, count: VMDKSparseHeader.byteSize)
        bytes.replaceSubrange(0..<4, with: VMDKSparseHeader.magic)
        // ESX refuses streams of version 1.
        bytes.storeLittle(UInt32(3), at: 4)
        bytes.storeLittle(Flag.newlineTest | Flag.compressed | Flag.markers, at: 8)
        bytes.storeLittle(capacity, at: 12)
        bytes.storeLittle(VMDKSparseLayout.grainSectors, at: 20)
        bytes.storeLittle(UInt64(1), at: 28)
        bytes.storeLittle(VMDKSparseLayout.descriptorSectors, at: 36)
        bytes.storeLittle(UInt32(VMDKSparseLayout.entriesPerTable), at: 44)
        bytes.storeLittle(directorySector, at: 56)
        bytes.storeLittle(Self.overhead / VMDKSparseHeader.sectorSize, at: 64)
        bytes.replaceSubrange(73..<77, with: VMDKSparseHeader.newlines)
        // Deflate.
        bytes.storeLittle(UInt16(1), at: 77)
        return bytes
    }

    /// A marker's sector: how many sectors of metadata follow, 0 where a grain has its length, and the kind.
    static func marker(_ marker: Marker, byteCount: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(VMDKSparseHeader.sectorSize))
        bytes.storeLittle(UInt64(byteCount).dividedRoundingUp(by: VMDKSparseHeader.sectorSize), at: 0)
        bytes.storeLittle(marker.rawValue, at: 12)
        return bytes
    }
}
