package import Storage

extension Ext4FileSystem {
    /// Checks the volume on `device` without writing: what e2fsck's passes look for in the superblock, the
    /// descriptors, inodes and their maps, directories and their indexes, connectivity, link counts, bitmaps and
    /// counters, checksums included. A dirty journal is looked through, as when reading.
    ///
    /// Not looked for: contents of encrypted names, ACL contents, backup superblocks beside a sound primary, and
    /// whether an index of folded names sorts them by the right hash.
    ///
    /// Where a volume has more of something than memory should hold, a finding says what was not checked: a warning, code
    /// "memory-bound", where it is the rest of the volume; a note where it is one directory or the quotas.
    ///
    /// - Throws: `io` when the device fails; `unsupported` for features that cannot be checked.
    package static func check(
        _ device: any BlockDevice, limits: CheckLimits = CheckLimits()
    ) throws(StorageError) -> CheckReport {
        let sink = CheckSink()
        do throws(StorageError) {
            return try check(device, sink, limits)
        } catch {
            guard error.isOfBounds else { throw error }
            sink.add(Finding(error, .warning))
            return sink.report
        }
    }

    /// What a check holds at once.
    package struct CheckLimits: Sendable {
        /// Pieces of the inode table, 1 KiB each.
        package var inodePages = 1 << 19
        /// Bytes for the clusters in use.
        package var claims = 1 << 30
        /// Names of one directory among which doubles are looked for.
        package var names = 1 << 20
        /// Accounts of a kind of quota.
        package var accounts = 1 << 20

        /// The usual ones.
        package init() {}
    }

    private static func check(
        _ device: any BlockDevice, _ sink: CheckSink, _ limits: CheckLimits
    ) throws(StorageError) -> CheckReport {
        guard let superblock = try Superblock.read(from: device) else {
            sink.add(
                Finding(
                    .damage, Ext4Code.badMagic, "there is no ext2, ext3 or ext4 superblock here",
                    structure: "superblock",
                    offset: Superblock.byteOffset))
            return sink.report
        }
        let geometry: Geometry
        do throws(StorageError) {
            geometry = try superblock.geometry()
        } catch {
            // What a superblock that is damaged says of features is nothing to go by.
            if error.kind == .unsupported, !superblock.hasValidChecksum {
                sink.add(.wrongChecksum)
                return sink.report
            }
            guard error.kind == .corrupt else { throw error }
            _ = try sink.attempt { () throws(StorageError) in throw error }
            return sink.report
        }
        guard geometry.blockCount * UInt64(geometry.blockSize) <= device.byteCount else {
            sink.add(
                Finding(
                    .damage, Ext4Code.truncatedDevice,
                    "the file system is longer than its device; the image may be truncated",
                    structure: "superblock", offset: Superblock.byteOffset + 4))
            return sink.report
        }
        return try checkReplayed(device, superblock, geometry, sink, limits)
    }

    /// Checks what a replay of the journal would show.
    private static func checkReplayed(
        _ device: any BlockDevice, _ superblock: Superblock, _ geometry: Geometry, _ sink: CheckSink,
        _ limits: CheckLimits
    ) throws(StorageError) -> CheckReport {
        let onDisk = CheckView(device, superblock, geometry, sink)
        var view = onDisk
        var journal: Journal?
        if superblock.compatible.contains(.hasJournal) {
            journal = try sink.attempt(inode: 8) { () throws(StorageError) in try onDisk.journal(on: device) }
            if superblock.needsRecovery, let journal {
                sink.add(
                    .needsRecovery, "the journal has changes to replay", structure: "superblock",
                    offset: Superblock.byteOffset + UInt64(Superblock.Offset.incompatible), severity: .note)
                let replay = try journal.scan(policy: .salvage)
                if case .damaged(let reason) = replay.end {
                    _ = try sink.attempt { () throws(StorageError) in throw reason }
                }
                if replay.fastCommits != nil {
                    sink.add(
                        .fastCommits,
                        "the journal ends in fast commits; what was checked is the volume before them",
                        structure: "journal", severity: .note)
                }
                let replayed = ReplayedDevice(journal.file, replay)
                if let newer = try Superblock.read(from: replayed),
                    let newGeometry = try sink.attempt({ () throws(StorageError) in try newer.geometry() })
                {
                    view = CheckView(replayed, newer, newGeometry, sink)
                }
            }
        }
        let check = VolumeCheck(view, sink, limits)
        check.checkJournalState(journal)
        return try check.run()
    }
}

/// The check of one volume: passes that build on each other.
final class VolumeCheck {
    let view: CheckView
    let sink: CheckSink
    let limits: Ext4FileSystem.CheckLimits
    var claims: BlockClaims
    var ledger: InodeLedger
    /// Directories in the order of their numbers.
    var directories: [UInt32] = []
    /// The directory in which each directory's name was found.
    var parents: [UInt32: UInt32] = [:]
    /// What each directory's ".." says.
    var dotDots: [UInt32: UInt32] = [:]
    /// Inodes that wait for the kernel to truncate or delete them.
    var orphans: Set<UInt32> = []
    /// Attribute blocks: how many inodes use each, and how many it claims.
    var attributeBlocks: [UInt64: (used: UInt32, claimed: UInt32)] = [:]

    /// Inodes that are marked as holding an attribute's value.
    var attributeInodes: Set<UInt32> = []
    /// Inodes that an attribute names as holding its value.
    var valueInodes: Set<UInt32> = []
    /// Clusters that inode 1 calls bad.
    var badBlocks: BlockClaims
    /// How encrypted files are encrypted.
    var policies = EncryptionPolicies()
    /// What everybody uses, by `QuotaKind.rawValue`; only where there are quotas.
    var quotaUsage = [[UInt32: QuotaUsage]](repeating: [:], count: QuotaKind.allCases.count)

    var geometry: Geometry { view.geometry }

    init(_ view: CheckView, _ sink: CheckSink, _ limits: Ext4FileSystem.CheckLimits) {
        self.limits = limits
        self.view = view
        self.sink = sink
        claims = BlockClaims(memoryLimit: limits.claims)
        badBlocks = BlockClaims(memoryLimit: limits.claims)
        ledger = InodeLedger(view.geometry, pageLimit: limits.inodePages)
    }

    func run() throws(StorageError) -> CheckReport {
        checkSuperblock()
        try collectOrphans()
        let groups = try checkGroups()
        try collectBadBlocks()
        checkBadBlocks(in: groups)
        for descriptor in groups {
            try checkInodes(of: descriptor)
            try requireClaims()
        }
        checkAttributeReferences()
        for directory in directories { try checkDirectory(directory) }
        try checkConnectivity()
        checkLinks()
        try checkBitmaps(groups)
        try checkQuota()
        return sink.finish(
            inodes: ledger.count, directories: directories.count,
            blocks: claims.count * geometry.clusterRatio)
    }

    /// Throws when the clusters in use are more than memory should hold.
    func requireClaims() throws(StorageError) {
        guard claims.isFull || badBlocks.isFull else { return }
        throw .memoryBound(
            "ext4",
            "the clusters in use lie in more places than are checked in \(limits.claims >> 20) MiB of memory; use e2fsck",
            structure: "block bitmap")
    }

    /// Where an inode's record lies, for messages.
    func offset(of inode: Inode) -> UInt64 { geometry.byteOffset(of: inode.block) + UInt64(inode.offset) }

    func add(
        _ code: CheckCode, _ inode: Inode, _ message: String, _ severity: Severity = .damage
    ) {
        sink.add(
            code, "\(inode.name) \(message)", structure: "inode", offset: offset(of: inode),
            inode: inode.number.rawValue, severity: severity)
    }
}
