internal import Storage

extension LogReplay {
    /// Puts the changed chunks of a buffer in place, unless it was freed later, or was written later than the change.
    func replay(_ buffer: LoggedBuffer, _ lsn: LogSequence) throws(StorageError) {
        guard !isCancelled(buffer.place), !buffer.runs.isEmpty else { return }
        guard buffer.place.block <= UInt64(Int64.max) / 512 else { throw bad("a changed buffer") }
        try requireRange(buffer.position, buffer.byteCount)
        var bytes = try device.bytes(at: buffer.position, count: buffer.byteCount)
        if geometry.hasChecksums, let written = BufferKind(bytes, geometry)?.lsn(bytes, geometry),
            written >= lsn
        {
            return
        }
        for run in buffer.runs {
            bytes.replaceSubrange(run.offset..<run.offset + run.bytes.count, with: run.bytes)
        }
        // The change is logged without the checksum that it will have.
        if geometry.hasChecksums, let kind = BufferKind(bytes, geometry) {
            Checksum.update(&bytes, at: kind.checksum)
        }
        try device.write(bytes, at: buffer.position)
    }

    /// Puts the pointers to the next unlinked inode in place, and nothing else of the inodes.
    func replayList(_ buffer: LoggedBuffer) throws(StorageError) {
        guard buffer.place.block <= UInt64(Int64.max) / 512 else { throw bad("a changed buffer") }
        try requireRange(buffer.position, buffer.byteCount)
        var bytes = try device.bytes(at: buffer.position, count: buffer.byteCount)
        for start in stride(from: 0, through: bytes.count - geometry.inodeSize, by: geometry.inodeSize) {
            let field = start + Inode.Offset.nextUnlinked
            guard
                let run = buffer.runs.first(where: {
                    $0.offset <= field && field + 4 <= $0.offset + $0.bytes.count
                })
            else { continue }
            bytes.replaceSubrange(
                field..<field + 4, with: run.bytes[field - run.offset..<field - run.offset + 4])
            try mendInode(&bytes, at: start)
        }
        try device.write(bytes, at: buffer.position)
    }

    /// Gives an inode within a buffer its checksum.
    func mendInode(_ bytes: inout [UInt8], at start: Int) throws(StorageError) {
        guard geometry.hasChecksums else { return }
        var inode = Array(bytes[start..<start + geometry.inodeSize])
        guard inode.big(0, as: UInt16.self) == Inode.magic else { return }
        Checksum.update(&inode, at: Inode.Offset.checksum)
        bytes.replaceSubrange(start..<start + geometry.inodeSize, with: inode)
    }
}

/// What a buffer of version 5 is by its magic number: where it keeps its checksum, its LSN and its volume
/// (xlog_recover_get_buf_lsn).
struct BufferKind {
    let checksum: Int
    private let lsnOffset: Int?
    private let uuid: Int

    private init(_ checksum: Int, _ lsn: Int?, _ uuid: Int) {
        self.checksum = checksum
        lsnOffset = lsn
        self.uuid = uuid
    }

    private init(_ stamp: BlockStamp, hasLSN: Bool = true) {
        self.init(stamp.checksum, hasLSN ? stamp.lsn : nil, stamp.uuid)
    }

    /// Nil for what has no checksum of its own, as inodes.
    init?(_ bytes: [UInt8], _ geometry: Geometry) {
        switch bytes.big(0, as: UInt32.self) {
        case 0x5846_5342: self.init(Superblock.Offset.checksum, Superblock.Offset.lsn, Superblock.Offset.uuid)
        case 0x5841_4746: self.init(216, 208, 64)  // XAGF
        case 0x5841_4749: self.init(312, 320, 296)  // XAGI
        case 0x5841_464c: self.init(32, 24, 8)  // XAFL
        case 0x4142_3342, 0x4142_3343, 0x4941_4233, 0x4649_4233, 0x524d_4233, 0x5233_4643:
            self.init(.shortTree)
        case MapNode.checkedMagic: self.init(.longTree)
        case 0x5844_4233, 0x5844_4433, 0x5844_4633: self.init(.directory)
        case 0x5853_4c4d: self.init(.remote)  // XSLM
        case 0x5841_524d: self.init(.remote, hasLSN: false)  // XARM: written past the log
        default:
            guard [0x3df1, 0x3dff, 0x3ebe, 0x3bee].contains(bytes.big(8, as: UInt16.self)) else { return nil }
            self.init(.hashTree)
        }
    }

    /// When it was written; nil where it does not say, or is another volume's.
    func lsn(_ bytes: [UInt8], _ geometry: Geometry) -> LogSequence? {
        guard let lsnOffset else { return nil }
        let expected =
            uuid == Superblock.Offset.uuid && bytes.span8.matches(Superblock.magic)
            ? geometry.uuid : geometry.blockUUID
        let value: UInt64 = bytes.big(lsnOffset)
        guard bytes[uuid..<uuid + 16].elementsEqual(expected), value != 0, value != .max else { return nil }
        return LogSequence(value)
    }
}
