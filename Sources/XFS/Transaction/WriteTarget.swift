package import Storage

/// What a transaction is written to, once it is known that it may be.
struct WriteTarget: Sendable {
    let device: any WritableBlockDevice
    /// Where the log ends.
    let log: LogState
    /// How many changes were committed before.
    let generation: UInt64
}

extension XFSFileSystem: WritableFileSystem {
    /// Begins a change. Throws `refused` or `unsupported` when the volume must not be written, naming what to do.
    package func begin() throws(StorageError) -> XFSTransaction {
        try XFSTransaction(self, writeTarget(), now: options.now ?? .now)
    }

    /// Checks everything that forbids writing to the volume as a whole.
    func writeTarget() throws(StorageError) -> WriteTarget {
        guard !isReplayed else {
            throw .xfs(
                .refused, .notClean, "the log has changes to replay, so the volume is not written",
                structure: "log", remedies: [.startGuest])
        }
        let device = try state.target(on: store.device)
        try requireWritable()
        guard geometry.blockCount * UInt64(geometry.blockSize) <= device.byteCount else {
            throw .xfs(
                .refused, .truncatedDevice, "the file system is longer than its device, so it is not written")
        }
        guard superblock.hasValidChecksum else {
            throw .xfs(
                .corrupt, .superblockChecksum, "the superblock's checksum is wrong; run xfs_repair",
                structure: "superblock", offset: 0)
        }
        if let fault = superblock.fault(geometry) { throw superblock.error(fault) }
        try requireRootOfInodes()
        guard let ring = try logRing(on: device) else { throw externalLog }
        let log = try ring.state()
        guard log.isClean else {
            throw .xfs(
                .refused, .notClean, "the log has changes to replay, so the volume is not written",
                structure: "log", remedies: [.startGuest])
        }
        return WriteTarget(device: device, log: log, generation: state.generation)
    }

    /// Throws where the tree that has the root directory's inode cannot be entered: no kernel mounts the volume then, whatever is
    /// changed elsewhere.
    private func requireRootOfInodes() throws(StorageError) {
        guard geometry.contains(geometry.rootInode) else { return }
        let group = geometry.group(of: geometry.rootInode)
        let (root, levels) = try headers(of: group).root(.inodes)
        guard (1...GroupTreeNode.maximumLevelCount).contains(levels),
            case let node = try treeNode(root, of: .inodes, in: group, level: levels - 1),
            node.left == .none, node.right == .none
        else { throw badTree(.inodes, group, geometry.position(ofSector: 2, in: group)) }
    }

    private var externalLog: StorageError {
        .xfs(
            .refused, .unwritableFeature, "its log lies on another device, so it can be read and not written",
            structure: "superblock", field: "sb_logstart", offset: UInt64(Superblock.Offset.logStart))
    }

    /// Throws for what forbids writing to the volume, whatever the state of its log.
    func requireWritable() throws(StorageError) {
        func refuse(_ what: String, _ field: String, _ offset: Int) -> StorageError {
            .xfs(
                .refused, .unwritableFeature, "the file system \(what), so it can be read and not written",
                structure: "superblock", field: field, offset: UInt64(offset))
        }
        let superblock = superblock
        let writable: IncompatibleFeatures = [
            .fileTypes, .sparseInodes, .metadataUUID, .bigTimes, .largeExtentCounts, .exchangeRange,
        ]
        let field = "sb_features_incompat"
        if geometry.incompatible.contains(.needsRepair) {
            throw refuse("is marked as damaged", field, Superblock.Offset.incompatibleFeatures)
        }
        if geometry.incompatible.contains(.parentPointers) {
            throw refuse("keeps parent pointers", field, Superblock.Offset.incompatibleFeatures)
        }
        if geometry.incompatible.contains(.metadataDirectory) {
            throw refuse("keeps a directory of metadata", field, Superblock.Offset.incompatibleFeatures)
        }
        guard geometry.incompatible.isSubset(of: writable) else {
            throw refuse("has unknown features", field, Superblock.Offset.incompatibleFeatures)
        }
        guard geometry.readOnly.isSubset(of: .known) else {
            throw refuse(
                "has unknown features", "sb_features_ro_compat", Superblock.Offset.readOnlyFeatures)
        }
        guard geometry.version == 4 || superblock.word(Superblock.Offset.logIncompatibleFeatures) == 0 else {
            throw refuse(
                "has features of its log", "sb_features_log_incompat",
                Superblock.Offset.logIncompatibleFeatures)
        }
        guard superblock.long(Superblock.Offset.realTimeBlockCount) == 0 else {
            throw refuse("has a real-time part", "sb_rblocks", Superblock.Offset.realTimeBlockCount)
        }
        guard superblock.byte(Superblock.Offset.flags) & 1 == 0 else {
            throw refuse("is marked read-only", "sb_flags", Superblock.Offset.flags)
        }
        guard superblock.long(Superblock.Offset.logStart) != 0 else { throw externalLog }
    }
}
