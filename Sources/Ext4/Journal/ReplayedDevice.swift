package import Storage

/// A file system's device as it would read after its journal's replay. Nothing is written: blocks that the log
/// holds a live copy of come from there.
package final class ReplayedDevice: BlockDevice {
    private let base: any BlockDevice
    private let file: JournalFile
    private let replay: JournalReplay
    private let blockSize: UInt64

    /// The size in bytes, the base's.
    package var byteCount: UInt64 { base.byteCount }
    /// The logical sector size in bytes, the base's.
    package var sectorSize: UInt32 { base.sectorSize }
    /// The base's host files.
    package var hostFiles: [any ByteFile] { base.hostFiles }

    /// The device of `file` as after `replay`.
    package init(_ file: JournalFile, _ replay: JournalReplay) {
        base = file.device
        self.file = file
        self.replay = replay
        blockSize = UInt64(file.blockSize)
    }

    /// Fills `target` from the base, and from the log what it has newer.
    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        let count = UInt64(target.byteCount)
        try base.checkBounds(at: offset, count: count)
        guard count > 0 else { return }
        let end = offset + count
        var index = replay.firstIndex(notBelow: offset / blockSize)
        // A block that is wholly replaced need not be read from its home.
        if index < replay.copies.count, replay.copies[index].block == offset / blockSize,
            end <= (replay.copies[index].block + 1) * blockSize
        {
            return try copy(index, into: &target, at: offset)
        }
        try base.read(into: &target, at: offset)
        while index < replay.copies.count, replay.copies[index].block * blockSize < end {
            try copy(index, into: &target, at: offset)
            index += 1
        }
    }

    /// Overlays the part of copy `index` that falls into the span, which begins at byte `offset`.
    private func copy(
        _ index: Int, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) {
        let copy = replay.copies[index]
        // No overflow: the scan has checked that the block lies inside the file system, whose size has 64 bits.
        let start = copy.block * blockSize
        let from = max(start, offset)
        let to = min(start + blockSize, offset + UInt64(target.byteCount))
        let contents = try replay.contents(of: copy, in: file)
        let part = contents.span8.extracting(Int(from - start)..<Int(to - start))
        target.copy(part, to: Int(from - offset))
    }

    /// The base's extents; logged blocks as the extents of their copies.
    package func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try base.checkBounds(at: offset, count: 1)
        let block = offset / blockSize
        let index = replay.firstIndex(notBelow: block)
        guard index < replay.copies.count else { return try base.nextExtent(at: offset) }
        let copy = replay.copies[index]
        guard copy.block == block else {
            var extent = try base.nextExtent(at: offset)
            extent.range = offset..<min(extent.range.upperBound, copy.block * blockSize)
            return extent
        }
        let end = min((block + 1) * blockSize, byteCount)
        guard !copy.isEscaped else { return Extent(range: offset..<end, kind: .computed) }
        let logged = try file.byteOffset(copy.journalBlock) + offset % blockSize
        let extent = try base.nextExtent(at: logged)
        let count = min(extent.range.upperBound - logged, end - offset)
        let range = offset..<offset + count
        switch extent.kind {
        case .plain, .memory, .zero: return Extent(range: range, kind: extent.kind)
        // A unit's or parent's position is that of the log, which this device does not show.
        case .absent, .compressed, .computed: return Extent(range: range, kind: .computed)
        }
    }
}
