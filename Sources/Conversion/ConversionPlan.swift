internal import Storage

/// Which parts of a source have to be copied, one batch at a time: extents first, zeros never touched.
///
/// A window of `windowSize` bytes, which is a multiple of the target's allocation unit, has one batch at most; so
/// two workers never meet in one unit.
struct ConversionPlan: Sendable {
    /// Consecutive guest bytes that are not known to be zero.
    struct Batch: Sendable {
        /// Batches are numbered from zero, upwards on the disk.
        var number: UInt64
        var range: Range<UInt64>
        /// Plain bytes of one host file: where they lie, so that they can be cloned instead of copied.
        var plain: (file: Int, offset: UInt64)?
        /// Units within that are encoded as the target wants them, by where they begin.
        var encoded: [UInt64: Extent.CompressedUnit] = [:]
    }

    /// What the target wants encoded: units of so many bytes.
    struct Units: Sendable {
        var size: UInt64
        var codec: CodecID
        /// Whether a unit that the disk's end cuts is encoded whole.
        var areWhole = false
    }

    private let source: any BlockDevice
    private let end: UInt64
    private let windowSize: UInt64
    private let units: Units?
    private var position: UInt64 = 0
    private var number: UInt64 = 0
    private var current: Extent?

    init(source: any BlockDevice, byteCount: UInt64, windowSize: UInt64, units: Units? = nil) {
        self.source = source
        end = byteCount
        self.windowSize = windowSize
        self.units = units
    }

    /// How far the plan has come, zeros included.
    var progress: UInt64 { position }

    /// The next batch, or nil at the end.
    mutating func next() throws(StorageError) -> Batch? {
        while position < end {
            try Cancellation.check()
            let extent = try extentAtPosition()
            if extent.kind == .zero {
                position = min(extent.range.upperBound, end)
                continue
            }
            let windowEnd = min(end, (position / windowSize + 1) * windowSize)
            var batch = Batch(number: number, range: position..<windowEnd)
            number += 1
            if case .plain(let file, let offset) = extent.kind, extent.range.upperBound >= windowEnd {
                batch.plain = (file, offset + (position - extent.range.lowerBound))
                position = windowEnd
                return batch
            }
            // Everything of the window that is not zero at its edges goes into one batch; small zero runs
            // inside are found again by the zero scan.
            let start = position
            var stop = position
            while position < windowEnd {
                let following = try extentAtPosition()
                if let unit = wanted(following) { batch.encoded[unit.unitRange.lowerBound] = unit }
                position = min(following.range.upperBound, windowEnd)
                if following.kind != .zero { stop = position }
            }
            batch.range = start..<stop
            return batch
        }
        return nil
    }

    /// The unit that an extent is, when it is encoded as the target wants it and valid as a whole.
    private func wanted(_ extent: Extent) -> Extent.CompressedUnit? {
        guard let units, case .compressed(let unit) = extent.kind, unit.codec == units.codec else {
            return nil
        }
        let start = unit.unitRange.lowerBound
        let whole = start + units.size
        guard start % units.size == 0,
            unit.unitRange.upperBound == (units.areWhole ? whole : min(whole, end)),
            extent.range == unit.unitRange
        else { return nil }
        return unit
    }

    private mutating func extentAtPosition() throws(StorageError) -> Extent {
        if let current, current.range.contains(position) { return current }
        let extent = try source.nextExtent(at: position)
        guard extent.range.lowerBound == position, extent.range.upperBound > position else {
            throw StorageError(
                .corrupt, ConversionCode.emptyExtent, "the source's map does not go on here", offset: position
            )
        }
        current = extent
        return extent
    }
}
