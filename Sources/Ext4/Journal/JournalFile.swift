package import Storage

/// A piece of the journal that lies in one run of file-system blocks.
package struct JournalRun: Equatable, Sendable {
    /// The first block, counted within the journal.
    package var first: UInt32
    /// The file-system block that holds it.
    package var deviceBlock: UInt64
    /// How many blocks follow each other in both.
    package var count: UInt32

    /// Makes a run.
    package init(first: UInt32, deviceBlock: UInt64, count: UInt32) {
        self.first = first
        self.deviceBlock = deviceBlock
        self.count = count
    }
}

/// Where a journal's blocks lie: the only thing that the journal has to know of the file system that holds it.
package struct JournalFile: Sendable {
    /// The longest journal that mke2fs makes, in blocks; bounds the memory that a scan can take.
    package static let maximumBlockCount: UInt32 = 10_240_000

    /// The file system's device.
    package let device: any BlockDevice
    /// Bytes in a block, of the file system and of its journal.
    package let blockSize: Int
    /// Blocks in the file system.
    package let fileSystemBlockCount: UInt64
    /// Blocks in the journal.
    package let blockCount: UInt32
    /// In the journal's order, without gaps.
    package let runs: [JournalRun]
    /// The same runs in the order of the device.
    private let byDeviceBlock: [JournalRun]

    /// Describes a journal. Its runs must begin at block 0, follow each other without holes, lie inside the file
    /// system and not overlap.
    package init(
        device: any BlockDevice, blockSize: Int, fileSystemBlockCount: UInt64, runs: [JournalRun]
    ) throws(StorageError) {
        guard blockSize >= 1024, blockSize <= 65536, blockSize & (blockSize - 1) == 0,
            fileSystemBlockCount *? UInt64(blockSize) != nil
        else {
            throw .journal(.misuse, .runsInvalid, "a journal needs blocks of 1 to 64 KiB")
        }
        var next: UInt32 = 0
        for run in runs {
            guard run.first == next, run.count > 0, let end = next +? run.count,
                let deviceEnd = run.deviceBlock +? UInt64(run.count), deviceEnd <= fileSystemBlockCount
            else {
                throw .journal(
                    .corrupt, .runsInvalid,
                    "the journal's inode has a hole or maps blocks outside the file system at its block \(next); run e2fsck"
                )
            }
            next = end
        }
        let sorted = runs.sorted { $0.deviceBlock < $1.deviceBlock }
        for (left, right) in zip(sorted, sorted.dropFirst())
        where left.deviceBlock + UInt64(left.count) > right.deviceBlock {
            throw .journal(
                .corrupt, .runsInvalid,
                "the journal's inode maps block \(right.deviceBlock) more than once; run e2fsck")
        }
        guard next <= Self.maximumBlockCount else {
            throw .journal(
                .unsupported, .tooLong,
                "a journal of \(next) blocks is longer than mke2fs can make (\(Self.maximumBlockCount))")
        }
        self.device = device
        self.blockSize = blockSize
        self.fileSystemBlockCount = fileSystemBlockCount
        self.runs = runs
        blockCount = next
        byDeviceBlock = sorted
    }

    /// The file-system block that holds block `index` of the journal.
    package func deviceBlock(_ index: UInt32) throws(StorageError) -> UInt64 {
        guard index < blockCount else {
            throw .journal(
                .corrupt, .blockOutsideFile,
                "block \(index) is past the end of a journal of \(blockCount) blocks")
        }
        // The last run that begins at or before `index`: the runs have no gaps and start at 0.
        let run = runs[runs.firstIndex(sortedBy: { $0.first > index }) - 1]
        return run.deviceBlock + UInt64(index - run.first)
    }

    /// The device's byte at which block `index` of the journal begins.
    package func byteOffset(_ index: UInt32) throws(StorageError) -> UInt64 {
        // No overflow: init has checked that the file system's size in bytes has 64 bits.
        try deviceBlock(index) * UInt64(blockSize)
    }

    /// The bytes of block `index` of the journal.
    package func block(_ index: UInt32) throws(StorageError) -> [UInt8] {
        let offset = try byteOffset(index)
        guard offset <= device.byteCount, UInt64(blockSize) <= device.byteCount - offset else {
            throw .journal(
                .corrupt, .deviceTruncated, "the device ends before block \(index) of the journal",
                offset: offset)
        }
        return try device.bytes(at: offset, count: blockSize)
    }

    /// Throws `refused` when the device is shorter than its file system, which must not be written then.
    func requireWholeDevice() throws(StorageError) {
        guard fileSystemBlockCount * UInt64(blockSize) <= device.byteCount else {
            throw .journal(
                .refused, .deviceTruncated,
                "the file system is longer than its device; it is not written before the rest is back")
        }
    }

    /// Whether a block of the file system belongs to the journal.
    package func contains(deviceBlock: UInt64) -> Bool {
        let behind = byDeviceBlock.firstIndex(sortedBy: { $0.deviceBlock > deviceBlock })
        guard behind > 0 else { return false }
        let run = byDeviceBlock[behind - 1]
        return deviceBlock - run.deviceBlock < UInt64(run.count)
    }
}
