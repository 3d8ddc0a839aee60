package import Storage

extension XFSFileSystem {
    /// Checks the volume on `device` without writing: superblock and copies, the groups' headers and trees against each
    /// other, inodes and their maps, directories, attributes, link counts, the use of every block, counters, checksums
    /// included. A dirty log is replayed in memory first.
    ///
    /// Not looked for: see docs/xfs.md.
    ///
    /// - Throws: `io` when the device fails; `unsupported` for features that cannot be checked.
    package static func check(_ device: any BlockDevice) throws(StorageError) -> [Finding] {
        let sink = CheckSink()
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
        try VolumeCheck(view, sink, isReplayed: replay != nil).run()
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
