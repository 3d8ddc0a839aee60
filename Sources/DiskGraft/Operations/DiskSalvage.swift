public import Storage
internal import Synchronization

/// A damaged disk as far as it can be read: what cannot be told or read any more is zeros, and noted.
public final class DiskSalvage: BlockDevice {
    private let source: any BlockDevice
    private let lost = Mutex(RangeSet<UInt64>())

    /// What is given up at once; what is left of one is looked at sector by sector.
    private static let granule: UInt64 = 4096
    private static let sector: UInt64 = 512

    /// A view of `source`, which was opened with `ImageOptions.salvages`.
    public init(_ source: any BlockDevice) { self.source = source }

    /// The disk's size in bytes.
    public var byteCount: UInt64 { source.byteCount }
    /// The disk's logical sector size in bytes.
    public var sectorSize: UInt32 { source.sectorSize }
    /// The image's files.
    public var hostFiles: [any ByteFile] { source.hostFiles }

    /// The guest's bytes that were asked for and are lost, in order.
    public var lostRanges: [Range<UInt64>] { lost.withLock { Array($0.ranges) } }

    /// Nothing is plain: what the tables promise may not be there.
    public func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        do throws(StorageError) {
            var extent = try source.nextExtent(at: offset)
            if extent.kind != .zero { extent.kind = .computed }
            return extent
        } catch {
            guard Self.isDamage(error) else { throw error }
            let end = min((offset / Self.granule + 1) * Self.granule, byteCount)
            return Extent(range: offset..<end, kind: .computed)
        }
    }

    /// What can be read, and zeros.
    public func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        do throws(StorageError) {
            return try source.read(into: &target, at: offset)
        } catch {
            guard Self.isDamage(error) else { throw error }
        }
        var done: UInt64 = 0
        let total = UInt64(target.byteCount)
        while done < total {
            try Cancellation.check()
            let position = offset + done
            let count = min((position / Self.granule + 1) * Self.granule - position, total - done)
            var part = target.part(Int(done)..<Int(done + count))
            try readGranule(into: &part, at: position)
            done += count
        }
    }

    /// The sectors up to the first that is lost; with it go the rest.
    private func readGranule(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        if try readWhole(into: &target, at: offset) { return }
        var done = 0
        while done < target.byteCount {
            let position = offset + UInt64(done)
            let count = Int(
                min((position / Self.sector + 1) * Self.sector - position, UInt64(target.byteCount - done)))
            var part = target.part(done..<done + count)
            guard try readWhole(into: &part, at: position) else { break }
            done += count
        }
        target.zero(done..<target.byteCount)
        let range = offset + UInt64(done)..<offset + UInt64(target.byteCount)
        if !range.isEmpty { lost.withLock { $0.insert(contentsOf: range) } }
    }

    private func readWhole(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) -> Bool
    {
        do throws(StorageError) {
            try source.read(into: &target, at: offset)
            return true
        } catch {
            guard Self.isDamage(error) else { throw error }
            return false
        }
    }

    /// What the image's bytes or its disk are to blame for.
    private static func isDamage(_ error: StorageError) -> Bool {
        !error.isCancellation && (error.kind == .corrupt || error.kind == .io)
    }
}
