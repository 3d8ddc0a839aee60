internal import Storage

/// What the metadata region says of the disk ([MS-VHDX] 2.6).
struct VHDXMetadata: Equatable, Sendable {
    static let blockSizes: ClosedRange<UInt32> = (1 << 20)...(256 << 20)
    /// The largest disk: 64 TiB.
    static let sizeLimit: UInt64 = 64 << 40

    var blockSize: UInt32
    /// "Fixed": blocks stay where they are, whatever the guest discards.
    var leavesBlocksAllocated: Bool
    var hasParent: Bool
    var byteCount: UInt64
    var sectorSize: UInt32
    var physicalSectorSize: UInt32
    /// The identity that the guest sees (SCSI page 83).
    var diskID: UUID16
    var parent: VHDXParentLocator?
    /// Where the disk's size is stored in the file; nil in a disk that is not made yet.
    var sizePlace: UInt64?

    /// Checks what the region holds.
    init(_ table: VHDXMetadataTable) throws(StorageError) {
        let parameters = try table.item(VHDXGUID.fileParameters, count: 8)
        let blockSize: UInt32 = parameters.little(0)
        let flags: UInt32 = parameters.little(4)
        let sector = try table.item(VHDXGUID.logicalSectorSize, count: 4)
        let sectorSize: UInt32 = sector.little(0)
        let physicalSector = try table.item(VHDXGUID.physicalSectorSize, count: 4)
        let physicalSectorSize: UInt32 = physicalSector.little(0)
        let size = try table.item(VHDXGUID.virtualDiskSize, count: 8)
        let byteCount: UInt64 = size.little(0)
        let diskID = try table.item(VHDXGUID.virtualDiskID, count: 16)
        guard flags & ~3 == 0 else {
            throw table.bad(
                .unsupported, .unknownItem, "has file parameters that are not known (\(flags.hex))",
                field: "FileParameters")
        }
        guard Self.blockSizes.contains(blockSize), blockSize.nonzeroBitCount == 1 else {
            throw table.bad(
                .corrupt, .blockSize,
                "the block size is \(blockSize); it must be a power of two from 1 MiB to 256 MiB",
                field: "BlockSize")
        }
        guard [512, 4096].contains(sectorSize), [512, 4096].contains(physicalSectorSize) else {
            throw table.bad(
                .corrupt, .sectorSize,
                "has sectors of \(sectorSize) and \(physicalSectorSize) bytes; 512 and 4096 exist",
                field: "LogicalSectorSize")
        }
        guard byteCount > 0, byteCount <= Self.sizeLimit, byteCount % UInt64(sectorSize) == 0 else {
            throw table.bad(
                .corrupt, .diskSize,
                "the disk is said to have \(byteCount) bytes; it must be whole sectors, up to 64 TiB",
                field: "VirtualDiskSize")
        }
        var parent: VHDXParentLocator?
        if flags & 2 != 0 {
            let locator = try table.item(VHDXGUID.parentLocator, count: 20)
            parent = try VHDXParentLocator(locator)
        }
        self.init(
            byteCount: byteCount, blockSize: blockSize, sectorSize: sectorSize,
            physicalSectorSize: physicalSectorSize, isFixed: flags & 1 != 0,
            diskID: UUID16(mixedEndian: diskID.span8, at: 0), parent: parent)
        sizePlace = table.places[VHDXGUID.virtualDiskSize]
    }

    /// Of a disk made now.
    init(
        byteCount: UInt64, blockSize: UInt32, sectorSize: UInt32, physicalSectorSize: UInt32, isFixed: Bool,
        diskID: UUID16, parent: VHDXParentLocator?
    ) {
        self.byteCount = byteCount
        self.blockSize = blockSize
        self.sectorSize = sectorSize
        self.physicalSectorSize = physicalSectorSize
        leavesBlocksAllocated = isFixed
        hasParent = parent != nil
        self.diskID = diskID
        self.parent = parent
    }

    /// The region's bytes, in the order in which Hyper-V writes the items.
    func encoded() -> [UInt8] {
        var table = [UInt8](repeating: 0, count: VHDXMetadataTable.byteCount)
        table.replaceSubrange(0..<8, with: VHDXMetadataTable.signature)
        var content: [UInt8] = []
        var count = 0
        // Flags: 2 a property of the disk rather than of the file, 4 required.
        func add(_ guid: UUID16, _ bytes: [UInt8], flags: UInt32) {
            let at = 32 + count * 32
            table.replaceSubrange(at..<at + 16, with: guid.mixedEndianBytes)
            table.storeLittle(UInt32(VHDXMetadataTable.byteCount + content.count), at: at + 16)
            table.storeLittle(UInt32(bytes.count), at: at + 20)
            table.storeLittle(flags, at: at + 24)
            content += bytes
            count += 1
        }
        var parameters = [UInt8](repeating: 0, count: 8)
        parameters.storeLittle(blockSize, at: 0)
        parameters.storeLittle(UInt32((leavesBlocksAllocated ? 1 : 0) + (hasParent ? 2 : 0)), at: 4)
        add(VHDXGUID.fileParameters, parameters, flags: 4)
        var size = [UInt8](repeating: 0, count: 8)
        size.storeLittle(byteCount, at: 0)
        add(VHDXGUID.virtualDiskSize, size, flags: 6)
        var sector = [UInt8](repeating: 0, count: 4)
        sector.storeLittle(sectorSize, at: 0)
        add(VHDXGUID.logicalSectorSize, sector, flags: 6)
        sector.storeLittle(physicalSectorSize, at: 0)
        add(VHDXGUID.physicalSectorSize, sector, flags: 6)
        add(VHDXGUID.virtualDiskID, diskID.mixedEndianBytes, flags: 6)
        if let parent { add(VHDXGUID.parentLocator, parent.encoded(), flags: 4) }
        table.storeLittle(UInt16(count), at: 10)
        return table + content
    }
}
