package import Storage

extension XFSFileSystem {
    /// Checks the volume on `device` without writing: superblock and copies, the groups' headers and trees against each
    /// other, inodes and their maps, directories, attributes, link counts, the use of every block, counters, checksums
    /// included. A dirty log is replayed in memory first.
    ///
    /// Not looked for: see docs/xfs.md.
    ///
    /// Where a volume has more of something than memory should hold, a finding says what was not checked: a warning, code
    /// "memory-bound", where it is the rest of the volume; a note where it is one directory.
    ///
    /// - Throws: `io` when the device fails; `unsupported` for features that cannot be checked.
    package static func check(
        _ device: any BlockDevice, limits: CheckLimits = CheckLimits()
    ) throws(StorageError) -> [Finding] {
        let sink = CheckSink()
        do throws(StorageError) {
            return try check(device, sink, limits)
        } catch {
            guard error.isOfBounds else { throw error }
            sink.add(Finding(error, .warning))
            return sink.findings
        }
    }

    /// What a check holds at once.
    package struct CheckLimits: Sendable {
        /// Pieces of space, records of trees and the like, about 40 bytes each where a group is judged.
        package var heldPieces = 16 << 20
        /// Chunks of 64 inodes, 768 bytes each.
        package var inodePages = 1 << 19
        /// Directories, 40 bytes each.
        package var directories = 4 << 20
        /// Blocks of one directory.
        package var directoryBlocks = 1 << 20

        /// The usual ones.
        package init() {}
    }

    private static func check(
        _ device: any BlockDevice, _ sink: CheckSink, _ limits: CheckLimits
    ) throws(StorageError) -> [Finding] {
        guard let superblock = try Superblock.read(from: device) else {
            sink.add(
                Finding(
                    .damage, XFSCode.badMagic, "there is no XFS superblock here", structure: "superblock",
                    offset: 0))
            return sink.findings
        }
        guard let geometry = try sink.attempt({ () throws(StorageError) in try superblock.geometry() }) else {
            return sink.findings
        }
        guard geometry.blockCount * UInt64(geometry.blockSize) <= device.byteCount else {
            sink.add(
                Finding(
                    .damage, XFSCode.truncatedDevice,
                    "the file system is longer than its device; the image may be truncated",
                    structure: "superblock", offset: UInt64(Superblock.Offset.blockCount)))
            return sink.findings
        }
        if let fault = superblock.fault(geometry) { sink.add(Finding(superblock.error(fault), .damage)) }
        let onDisk = CheckView(device, superblock, geometry, sink)
        var view = onDisk
        let replay = try sink.attempt { () throws(StorageError) in try onDisk.checkedReplay(device, sink) }
        guard let replay else { return sink.findings }
        if let replay {
            guard let newer = try Superblock.read(from: replay.device),
                let newGeometry = try sink.attempt({ () throws(StorageError) in try newer.geometry() })
            else { return sink.findings }
            view = CheckView(replay.device, newer, newGeometry, sink)
            if let fault = newer.fault(newGeometry) { sink.add(Finding(newer.error(fault), .damage)) }
        }
        if !view.superblock.hasValidChecksum {
            sink.add(
                Finding(
                    .damage, XFSCode.superblockChecksum, "the superblock's checksum is wrong",
                    structure: "superblock", offset: 0))
        }
        // xfs_repair takes any for none; the kernel looks at the one that forbids writing.
        if view.superblock.byte(Superblock.Offset.flags) != 0 {
            sink.add(
                .superblockFlags, "the superblock has flags that no tool sets; run xfs_repair",
                structure: "superblock",
                offset: UInt64(Superblock.Offset.flags), severity: .warning)
        }
        try VolumeCheck(view, sink, isReplayed: replay != nil, limits: limits).run()
        return sink.findings
    }
}

extension CheckView {
    /// The replay of a dirty log, told as a note; nil where there is nothing to replay.
    fileprivate func checkedReplay(
        _ device: any BlockDevice, _ sink: CheckSink
    ) throws(StorageError) -> LogReplay? {
        guard let ring = try logRing(on: device) else {
            sink.add(
                .needsRecovery, "its log lies on another device and was not looked at", structure: "log",
                severity: .note)
            return nil
        }
        let state = try ring.state()
        guard !state.isClean else { return nil }
        let replay = try LogReplay(LogReader(ring: ring, state: state, geometry: geometry), on: device)
        sink.add(
            .needsRecovery,
            "the log has changes to replay, \(replay.transactionCount) transactions; what was checked is the volume "
                + "after them", structure: "log", offset: ring.position(of: state.tail), severity: .note)
        if !replay.openIntents.isEmpty {
            sink.add(
                .openIntent,
                "the log has \(replay.openIntents.count) operations that were begun and not ended, which the next "
                    + "mount ends", structure: "log", offset: ring.position(of: state.tail), severity: .note)
        }
        return replay
    }
}
