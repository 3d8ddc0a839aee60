public import Storage

/// Compares the guest disks of two images, whatever their formats.
public enum DiskComparison {
    /// What was found.
    public enum Result: Sendable, Equatable {
        /// Every byte is the same; the longer one, if any, ends in zeros.
        case same
        /// The sector, of 512 bytes, that has the first difference: where it begins.
        case differ(at: UInt64)
        /// One is longer, and the request was a strict one.
        case sizesDiffer(UInt64, UInt64)
        /// One has bytes in its file where the other has none, both read alike, and the request was a strict one.
        case allocationDiffers(at: UInt64)
    }

    /// How many bytes were compared, and of how many.
    public typealias Progress = @Sendable (_ done: UInt64, _ total: UInt64) -> Void

    /// Compares two devices. Runs that both call zero are not read.
    ///
    /// A strict comparison also finds sizes and allocation that differ.
    public static func run(
        _ first: any BlockDevice, _ second: any BlockDevice, isStrict: Bool = false, progress: Progress? = nil
    ) throws(StorageError) -> Result {
        if isStrict, first.byteCount != second.byteCount {
            return .sizesDiffer(first.byteCount, second.byteCount)
        }
        let total = max(first.byteCount, second.byteCount)
        let common = min(first.byteCount, second.byteCount)
        var left = [UInt8](repeating: 0, count: 1 << 20)
        var right = left
        var position: UInt64 = 0
        while position < common {
            try Cancellation.check()
            let a = try first.nextExtent(at: position)
            let b = try second.nextExtent(at: position)
            let end = min(a.range.upperBound, b.range.upperBound, common)
            progress?(position, total)
            if isStrict, (a.kind == .zero) != (b.kind == .zero) { return .allocationDiffers(at: position) }
            if a.kind == .zero, b.kind == .zero {
                position = end
                continue
            }
            let count = Int(min(end - position, UInt64(left.count)))
            try read(first, into: &left, count, at: position)
            try read(second, into: &right, count, at: position)
            if left[0..<count] != right[0..<count] {
                let offset = (0..<count).first { left[$0] != right[$0] } ?? 0
                return .differ(at: (position + UInt64(offset)) / 512 * 512)
            }
            position += UInt64(count)
        }
        let longer = first.byteCount > second.byteCount ? first : second
        while position < longer.byteCount {
            try Cancellation.check()
            let extent = try longer.nextExtent(at: position)
            let end = min(extent.range.upperBound, longer.byteCount)
            progress?(position, total)
            if extent.kind == .zero {
                position = end
                continue
            }
            let count = Int(min(end - position, UInt64(left.count)))
            try read(longer, into: &left, count, at: position)
            if let offset = left[0..<count].firstIndex(where: { $0 != 0 }) {
                return .differ(at: (position + UInt64(offset)) / 512 * 512)
            }
            position += UInt64(count)
        }
        return .same
    }

    private static func read(
        _ device: any BlockDevice, into buffer: inout [UInt8], _ count: Int, at offset: UInt64
    ) throws(StorageError) {
        try buffer.withMutableBytes { (span) throws(StorageError) in
            var part = span.part(0..<count)
            try device.read(into: &part, at: offset)
        }
    }
}
