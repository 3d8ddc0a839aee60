/// A contiguous part of another device: a partition. Extents are the parent's, moved.
public final class SliceDevice: WritableBlockDevice {
    /// Where writes go. Not a `Result`, whose type the runtime makes up by searching all of a program's conformances: that took
    /// longer than reading a table of partitions.
    private enum Target {
        case device(any WritableBlockDevice)
        case refused(StorageError)

        func get() throws(StorageError) -> any WritableBlockDevice {
            switch self {
            case .device(let device): return device
            case .refused(let refusal): throw refusal
            }
        }
    }

    private let base: any BlockDevice
    private let target: Target
    private let start: UInt64
    /// The size in bytes.
    public let byteCount: UInt64
    /// The logical sector size in bytes, the base's.
    public var sectorSize: UInt32 { base.sectorSize }
    /// The base's host files.
    public var hostFiles: [any ByteFile] { base.hostFiles }
    /// The base's.
    public var writeRefusal: StorageError? {
        if case .refused(let refusal) = target { refusal } else { nil }
    }

    /// The base's.
    public var lastingRefusal: StorageError? { base.lastingRefusal }

    /// The bytes `range` of `base`. Throws `misuse` when they do not lie inside it.
    public init(_ base: any BlockDevice, range: Range<UInt64>) throws(StorageError) {
        try base.checkBounds(at: range.lowerBound, count: range.upperBound - range.lowerBound)
        self.base = base
        do throws(StorageError) {
            target = .device(try base.writable())
        } catch {
            target = .refused(error)
        }
        start = range.lowerBound
        byteCount = range.upperBound - range.lowerBound
    }

    /// Fills `target` from byte `offset` of the slice.
    public func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        try base.read(into: &target, at: start + offset)
    }

    /// The base's extent, cut to the slice.
    public func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        var extent = try base.nextExtent(at: start + offset)
        let end = min(extent.range.upperBound, start + byteCount)
        extent.range = offset..<end - start
        if case .compressed(let unit) = extent.kind {
            // A unit that begins before the slice cannot be named in the slice's positions.
            guard unit.unitRange.lowerBound >= start else {
                extent.kind = .computed
                return extent
            }
            var moved = unit
            moved.unitRange = unit.unitRange.lowerBound - start..<unit.unitRange.upperBound - start
            extent.kind = .compressed(moved)
        }
        return extent
    }

    /// Writes at byte `offset` of the slice; `writeRefusal` when the base cannot be written.
    public func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(source.byteCount))
        try target.get().write(source, at: start + offset)
    }

    /// Zeros bytes of the slice.
    public func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: count)
        try target.get().writeZeroes(at: start + offset, count: count)
    }

    /// The base's barrier.
    public func flush() throws(StorageError) { try target.get().flush() }
}
