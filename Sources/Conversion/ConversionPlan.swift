internal import Storage

/// Which parts of a source have to be copied, one batch at a time: extents first, zeros never touched.
///
/// A batch lies inside one window of `windowSize` bytes, which is a multiple of the target's allocation unit; so
/// two workers never meet in one unit.
struct ConversionPlan: Sendable {
    /// Consecutive guest bytes that are not known to be zero.
    struct Batch: Sendable {
        var range: Range<UInt64>
        /// Plain bytes of one host file: where they lie, so that they can be cloned instead of copied.
        var plain: (file: Int, offset: UInt64)?
    }

    private let source: any BlockDevice
    private let end: UInt64
    private let windowSize: UInt64
    private var position: UInt64 = 0
    private var current: Extent?

    init(source: any BlockDevice, byteCount: UInt64, windowSize: UInt64) {
        self.source = source
        end = byteCount
        self.windowSize = windowSize
    }

    /// How far the plan has come, zeros included.
    var progress: UInt64 { position }

    /// The next batch, or nil at the end.
    mutating func next() throws(StorageError) -> Batch? {
        while position < end {
            let extent = try extentAtPosition()
            if extent.kind == .zero {
                position = min(extent.range.upperBound, end)
                continue
            }
            let windowEnd = min(end, (position / windowSize + 1) * windowSize)
            let start = position
            if case .plain(let file, let offset) = extent.kind, extent.range.upperBound >= windowEnd {
                position = windowEnd
                return Batch(
                    range: start..<windowEnd, plain: (file, offset + (start - extent.range.lowerBound)))
            }
            // Everything of the window that is not zero at its edges goes into one batch; small zero runs
            // inside are found again by the zero scan.
            var stop = min(extent.range.upperBound, windowEnd)
            position = stop
            while position < windowEnd {
                let following = try extentAtPosition()
                position = min(following.range.upperBound, windowEnd)
                if following.kind != .zero { stop = position }
            }
            return Batch(range: start..<stop, plain: nil)
        }
        return nil
    }

    private mutating func extentAtPosition() throws(StorageError) -> Extent {
        if let current, current.range.contains(position) { return current }
        let extent = try source.nextExtent(at: position)
        guard extent.range.lowerBound == position, extent.range.upperBound > position else {
            throw StorageError(
                .corrupt, layer: "conversion", code: "empty-extent", "the source's map does not go on here",
                offset: position)
        }
        current = extent
        return extent
    }
}
