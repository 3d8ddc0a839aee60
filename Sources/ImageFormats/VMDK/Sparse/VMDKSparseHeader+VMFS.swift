internal import Storage

extension VMDKSparseHeader {
    static let vmfsMagic = Array("COWD".utf8)
    static let vmfsByteSize = 2048
    static let vmfsUncleanOffset: UInt64 = 1648
    /// Where the next free sector is kept.
    static let freeSectorOffset: UInt64 = 28
    /// Tables have no size in the header.
    private static let vmfsTableEntries = 4096

    /// Checks and reads the header of ESX's sparse extents (vmfsSparse, the -delta files of snapshots): 2048 bytes,
    /// little-endian, sizes and positions in sectors of 512 bytes.
    ///
    ///      0  4  "COWD"        16  4  grain size, mostly 1      32  1028  geometry, or the parent's name
    ///      4  4  version: 1    20  4  directory: 4            1060     4  generation
    ///      8  4  flags: 3      24  4  its entries             1648     4  unclean shutdown
    ///     12  4  capacity      28  4  next free sector
    ///
    /// Tables have 4096 entries, and nothing is there twice. (VMware, "Virtual Disk Format 5.0", "ESX Server Sparse
    /// Extents".)
    init(vmfs bytes: [UInt8]) throws(StorageError) {
        func refuse(
            _ code: VMDKCode, _ field: String, _ message: String, _ kind: StorageError.Kind = .corrupt
        ) -> StorageError {
            .vmdk(kind, code, message, structure: "COWD header", field: field, offset: 0)
        }
        guard bytes.count >= Self.vmfsByteSize, bytes.span8.matches(Self.vmfsMagic) else {
            throw refuse(.foreignExtent, "magicNumber", "the extent does not begin with a whole COWD header")
        }
        kind = .vmfs
        version = bytes.little(4)
        guard version == 1 else {
            throw refuse(
                .headerVersion, "version", "COWD extents of version \(version) are not known", .unsupported)
        }
        // The bits here mean other things than in a hosted header.
        flags = 0
        let grainSectors: UInt32 = bytes.little(16)
        guard grainSectors.nonzeroBitCount == 1, UInt64(grainSectors) <= Self.grainLimit / Self.sectorSize
        else {
            throw refuse(
                .grainSize, "grainSize", "a grain of \(grainSectors) sectors is not what any writer makes")
        }
        grainSize = UInt64(grainSectors) * Self.sectorSize
        entriesPerTable = Self.vmfsTableEntries
        let capacity: UInt32 = bytes.little(12)
        guard capacity > 0 else {
            throw refuse(.capacity, "numSectors", "a capacity of 0 sectors is impossible")
        }
        byteCount = UInt64(capacity) * Self.sectorSize
        // With the smallest grains the largest capacity needs 2^20 tables.
        tableCount = Int(byteCount.dividedRoundingUp(by: grainSize * UInt64(Self.vmfsTableEntries)))
        let entries: UInt32 = bytes.little(24)
        guard UInt64(entries) >= UInt64(tableCount) else {
            throw refuse(
                .directoryTooLarge, "numGDEntries",
                "a directory of \(entries) entries does not reach to the end of the disk, which needs \(tableCount)"
            )
        }
        directoryOffset = UInt64(bytes.little(20, as: UInt32.self)) * Self.sectorSize
        freeOffset = UInt64(bytes.little(Int(Self.freeSectorOffset), as: UInt32.self)) * Self.sectorSize
        isUnclean = bytes.little(Int(Self.vmfsUncleanOffset), as: UInt32.self) != 0
    }

    /// Reads the header at the start of a file, of either kind; to salvage it, also one that its writer has not come back to.
    static func read(_ file: any ByteFile, isSalvage: Bool = false) throws(StorageError) -> VMDKSparseHeader {
        var head = try file.availableBytes(at: 0, count: vmfsByteSize)
        if isSalvage, VMDKSource.isUnfinished(head) { head.replaceSubrange(0..<4, with: magic) }
        return head.span8.matches(vmfsMagic) ? try VMDKSparseHeader(vmfs: head) : try VMDKSparseHeader(head)
    }
}
