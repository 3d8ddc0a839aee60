/// The most that is read at once.
private let pieceSize: UInt64 = 256 << 10

extension ByteFile {
    /// A copy of `count` bytes at `offset`. Check `count` first when an image supplied it.
    public func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        try result.withMutableBytes { (span) throws(StorageError) in try read(into: &span, at: offset) }
        return result
    }

    /// As many of `count` bytes at `offset` as the file has.
    public func availableBytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        let length = byteCount
        guard offset < length else { return [] }
        return try bytes(at: offset, count: Int(min(UInt64(count), length - offset)))
    }

    /// Writes an array at `offset`.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        try write(bytes.span8, at: offset)
    }

    /// Whether two of these are one file.
    package func isSame(as other: any ByteFile) -> Bool {
        if let identity, let known = other.identity { return identity == known }
        return self === other
    }

    /// Calls `body` with a range in pieces that a buffer holds.
    package func forEachPiece(
        of range: Range<UInt64>, _ body: (_ offset: UInt64, RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard !range.isEmpty else { return }
        var buffer = ByteBuffer(byteCount: Int(min(pieceSize, range.upperBound - range.lowerBound)))
        var position = range.lowerBound
        while position < range.upperBound {
            let count = Int(min(pieceSize, range.upperBound - position))
            var bytes = buffer.mutableBytes
            var part = bytes.part(0..<count)
            try read(into: &part, at: position)
            try body(position, buffer.bytes.extracting(0..<count))
            position += UInt64(count)
        }
    }

    /// Zeros by writing them.
    package func writeZeroesByWriting(at offset: UInt64, count: UInt64) throws(StorageError) {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 16)))
        var position = offset
        var left = count
        while left > 0 {
            let step = min(left, UInt64(zeros.count))
            try write(zeros.span8.extracting(0..<Int(step)), at: position)
            position += step
            left -= step
        }
    }
}
