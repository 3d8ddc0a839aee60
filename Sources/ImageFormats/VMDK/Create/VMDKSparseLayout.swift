internal import Storage

/// Where the structures of a new sparse extent go, as VMware lays them out: header, descriptor (a piece of a split disk has
/// none), redundant directory, its tables, directory, its tables, grains.
struct VMDKSparseLayout {
    /// Sectors kept for the descriptor; VMware and VirtualBox add lines to it later.
    static let descriptorSectors: UInt64 = 20
    static let grainSectors: UInt64 = 128
    static let entriesPerTable: UInt64 = 512
    static let tableSectors: UInt64 = 4

    private let capacity: UInt64
    private let hasDescriptor: Bool
    private let hasZeroedGrains: Bool
    /// The directories' positions in bytes.
    let redundantOffset: UInt64
    let offset: UInt64
    /// The sectors of the tables.
    let redundantEntries: [UInt32]
    let entries: [UInt32]
    /// Bytes before the first grain, a multiple of the grain size.
    let overhead: UInt64

    /// The layout for a disk of `byteCount` bytes, a multiple of 512. Throws `refused` when it is larger than the
    /// format can hold.
    init(
        byteCount: UInt64, hasDescriptor: Bool = true, hasZeroedGrains: Bool = false
    ) throws(StorageError) {
        self.hasDescriptor = hasDescriptor
        self.hasZeroedGrains = hasZeroedGrains
        let sector = VMDKSparseHeader.sectorSize
        capacity = byteCount / sector
        let tables = capacity.dividedRoundingUp(by: Self.grainSectors * Self.entriesPerTable)
        let directorySectors = (tables * 4).dividedRoundingUp(by: sector)
        let redundantStart = 1 + (hasDescriptor ? Self.descriptorSectors : 0)
        let start = redundantStart + directorySectors + tables * Self.tableSectors
        let end = start + directorySectors + tables * Self.tableSectors
        // Full, the file must stay within 32-bit sector numbers.
        guard let first = end.roundedUp(to: Self.grainSectors),
            let last = capacity.roundedUp(to: Self.grainSectors), let all = first +? last,
            all <= UInt64(UInt32.max)
        else {
            throw .vmdk(
                .refused, .fileFull,
                "a monolithicSparse disk cannot be larger than 2 TiB; use subformat=vmfs")
        }
        redundantOffset = redundantStart * sector
        offset = start * sector
        func sectors(from first: UInt64) -> [UInt32] {
            (0..<tables).map { UInt32(first + directorySectors + $0 * Self.tableSectors) }
        }
        redundantEntries = sectors(from: redundantStart)
        entries = sectors(from: start)
        overhead = first * sector
    }

    /// The header sector.
    var header: [UInt8] {
        typealias Flag = VMDKSparseHeader.Flag
        let sector = VMDKSparseHeader.sectorSize
        var bytes = [UInt8](repeating: 0, count: VMDKSparseHeader.byteSize)
        bytes.replaceSubrange(0..<4, with: VMDKSparseHeader.magic)
        // As qemu has it: version 2 came with the flag for grains of zeros.
        bytes.storeLittle(UInt32(hasZeroedGrains ? 2 : 1), at: 4)
        bytes.storeLittle(
            Flag.newlineTest | Flag.redundantTables | (hasZeroedGrains ? Flag.zeroedGrains : 0), at: 8)
        bytes.storeLittle(capacity, at: 12)
        bytes.storeLittle(Self.grainSectors, at: 20)
        if hasDescriptor {
            bytes.storeLittle(UInt64(1), at: 28)
            bytes.storeLittle(Self.descriptorSectors, at: 36)
        }
        bytes.storeLittle(UInt32(Self.entriesPerTable), at: 44)
        bytes.storeLittle(redundantOffset / sector, at: 48)
        bytes.storeLittle(offset / sector, at: 56)
        bytes.storeLittle(overhead / sector, at: 64)
        bytes.replaceSubrange(73..<77, with: VMDKSparseHeader.newlines)
        return bytes
    }
}
