internal import Storage

/// The superblock's sizes, checked against each other once.
struct Geometry: Sendable {
    let version: Int
    let blockSize: Int
    let blockLog: Int
    let sectorSize: Int
    let inodeSize: Int
    let inodesPerBlockLog: Int
    let groupBlockCount: UInt32
    let groupBlockLog: Int
    let groupCount: UInt32
    let blockCount: UInt64
    let directoryBlockSize: Int
    let inodeAlignment: UInt32
    let rootInode: InodeNumber
    let readOnly: ReadOnlyFeatures
    let incompatible: IncompatibleFeatures
    /// Entries of directories tell what their files are.
    let hasFileTypes: Bool
    /// Names that differ in ASCII case only are one.
    let foldsCase: Bool
    /// What blocks bear.
    let blockUUID: [UInt8]
    let uuid: [UInt8]

    /// Structures have checksums, owners and places.
    var hasChecksums: Bool { version == 5 }
    /// Blocks of one block of a directory.
    var blocksPerDirectoryBlock: Int { directoryBlockSize / blockSize }

    /// Blocks of a group; the last may be shorter.
    func blockCount(of group: AGNumber) -> UInt32 {
        guard group.rawValue == groupCount - 1 else { return groupBlockCount }
        return UInt32(blockCount - UInt64(groupCount - 1) * UInt64(groupBlockCount))
    }

    /// Blocks at a group's beginning: superblock, both headers and the list of spare blocks. Nothing else lies there.
    var headBlockCount: UInt32 { UInt32((4 * sectorSize).dividedRoundingUp(by: blockSize)) }

    func group(of block: FSBlock) -> UInt64 { block.rawValue >> UInt64(groupBlockLog) }

    /// A block's number within its group.
    func groupBlock(of block: FSBlock) -> AGBlock {
        AGBlock(UInt32(truncatingIfNeeded: block.rawValue & (1 << UInt64(groupBlockLog) - 1)))
    }

    func block(_ block: AGBlock, in group: AGNumber) -> FSBlock {
        FSBlock(UInt64(group.rawValue) << UInt64(groupBlockLog) | UInt64(block.rawValue))
    }

    /// Whether `count` blocks from `first` on lie in one group of the volume, behind its head (xfs_verify_fsbno).
    func contains(_ first: FSBlock, count: UInt64) -> Bool {
        let group = group(of: first)
        guard group < UInt64(groupCount) else { return false }
        let length = UInt64(blockCount(of: AGNumber(UInt32(group))))
        let start = UInt64(groupBlock(of: first).rawValue)
        return start >= UInt64(headBlockCount) && start < length && count <= length - start
    }

    /// Where a block of the volume lies, in bytes. The caller has checked that it is one.
    func position(of block: FSBlock) -> UInt64 {
        (group(of: block) &* UInt64(groupBlockCount) &+ UInt64(groupBlock(of: block).rawValue))
            &* UInt64(blockSize)
    }

    /// Where a group's sector lies: 0 superblock, 1 AGF, 2 AGI, 3 AGFL.
    func position(ofSector sector: Int, in group: AGNumber) -> UInt64 {
        UInt64(group.rawValue) * UInt64(groupBlockCount) * UInt64(blockSize) + UInt64(sector * sectorSize)
    }

    /// The block that holds an inode.
    func block(of inode: InodeNumber) -> FSBlock { FSBlock(inode.rawValue >> UInt64(inodesPerBlockLog)) }

    /// An inode's byte in its block.
    func offset(of inode: InodeNumber) -> Int {
        Int(inode.rawValue & (1 << UInt64(inodesPerBlockLog) - 1)) * inodeSize
    }

    func contains(_ inode: InodeNumber) -> Bool {
        inode.rawValue != 0 && contains(block(of: inode), count: 1)
    }
}

extension Superblock {
    /// Throws where sizes contradict each other (xfs_sb_validate_common), or features are not known.
    /// A copy's sizes are what they were while the volume was made.
    func geometry(isCopy: Bool = false) throws(StorageError) -> Geometry {
        guard version == 4 || version == 5 else {
            throw .xfs(
                .unsupported, .unsupportedVersion, "XFS of version \(version) is not known",
                structure: "superblock", field: "sb_versionnum", offset: UInt64(Offset.version))
        }
        let unknown = incompatibleFeatures.subtracting(.readable)
        guard unknown.isEmpty else {
            throw .xfs(
                .unsupported, .unsupportedFeature,
                "the file system uses features that are not known here: \(unknown.words)",
                structure: "superblock", field: "sb_features_incompat",
                offset: UInt64(Offset.incompatibleFeatures))
        }
        guard version == 5 || versionBits.contains(.directoryVersion2) else {
            throw .xfs(
                .unsupported, .unsupportedFeature, "directories of version 1 are not known here",
                structure: "superblock", field: "sb_versionnum", offset: UInt64(Offset.version))
        }
        let blockSize = try power(Int(word(Offset.blockSize)), Offset.blockLog, 512...65536, "sb_blocksize")
        let sectorSize = try power(
            Int(half(Offset.sectorSize)), Offset.sectorLog, 512...Self.maximumByteCount, "sb_sectsize")
        let inodeSize = try power(Int(half(Offset.inodeSize)), Offset.inodeLog, 256...2048, "sb_inodesize")
        try require(
            sectorSize <= blockSize && (version == 4 || blockSize >= 1024 && inodeSize >= 512),
            "sb_sectsize", Offset.sectorSize)
        try require(bytes.count == sectorSize, "sb_sectsize", Offset.sectorSize)
        try require(
            inodeSize <= blockSize
                && byte(Offset.inodesPerBlockLog) == byte(Offset.blockLog) - byte(Offset.inodeLog)
                && Int(half(Offset.inodesPerBlock)) == blockSize / inodeSize,
            "sb_inopblock", Offset.inodesPerBlock)
        let groupBlockCount = word(Offset.groupBlockCount)
        let groupBlockLog = byte(Offset.groupBlockLog)
        try require(
            groupBlockCount >= 64 && groupBlockLog <= 31 && UInt64(groupBlockCount) <= 1 << groupBlockLog
                && (groupBlockLog == 0 || UInt64(groupBlockCount) > 1 << (groupBlockLog - 1)),
            "sb_agblocks", Offset.groupBlockCount)
        let groupCount = word(Offset.groupCount)
        let blockCount = long(Offset.blockCount)
        let whole = UInt64(groupCount) * UInt64(groupBlockCount)
        try require(
            groupCount > 0 && blockCount <= whole && blockCount > whole - UInt64(groupBlockCount)
                && (blockCount *? UInt64(blockSize)).map { $0 <= UInt64(Int64.max) } == true,
            "sb_dblocks", Offset.blockCount)
        // XFS_MIN_AG_BYTES, XFS_MAX_AG_BYTES, XFS_MIN_AG_BLOCKS.
        let groupByteCount = UInt64(groupBlockCount) * UInt64(blockSize)
        try require(
            (1 << 24...1 << 40).contains(groupByteCount)
                && blockCount - (whole - UInt64(groupBlockCount)) >= 64,
            "sb_agblocks", Offset.groupBlockCount)
        let directoryLog = byte(Offset.directoryBlockLog)
        try require(
            directoryLog <= 7 && blockSize << directoryLog <= 65536, "sb_dirblklog", Offset.directoryBlockLog)
        try require(isCopy || byte(Offset.inProgress) == 0, "sb_inprogress", Offset.inProgress)
        return Geometry(
            version: version, blockSize: blockSize, blockLog: byte(Offset.blockLog), sectorSize: sectorSize,
            inodeSize: inodeSize, inodesPerBlockLog: byte(Offset.inodesPerBlockLog),
            groupBlockCount: groupBlockCount, groupBlockLog: groupBlockLog, groupCount: groupCount,
            blockCount: blockCount, directoryBlockSize: blockSize << directoryLog,
            inodeAlignment: word(Offset.inodeAlignment), rootInode: InodeNumber(long(Offset.rootInode)),
            readOnly: readOnlyFeatures, incompatible: incompatibleFeatures,
            hasFileTypes: incompatibleFeatures.contains(.fileTypes)
                || version == 4 && features2.contains(.fileTypes),
            foldsCase: versionBits.contains(.foldedNames), blockUUID: blockUUID, uuid: uuid)
    }

    private func power(
        _ value: Int, _ log: Int, _ range: ClosedRange<Int>, _ field: String
    ) throws(StorageError) -> Int {
        try require(range.contains(value) && byte(log) < 32 && value == 1 << byte(log), field, log)
        return value
    }

    private func require(_ holds: Bool, _ field: String, _ offset: Int) throws(StorageError) {
        guard holds else {
            throw .xfs(
                .corrupt, .badSuperblock, "the superblock contradicts itself; run xfs_repair",
                structure: "superblock", field: field, offset: UInt64(offset))
        }
    }
}
