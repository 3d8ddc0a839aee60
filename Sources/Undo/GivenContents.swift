internal import Storage

/// What a change gives to sectors of one host file, write by write: the ranges of chunks of kind "given".
struct GivenContents: Sendable {
    /// A range has no more sectors, so that a chunk has room for it.
    private static let rangeLimit: UInt64 = 32_768 * UndoRecord.sectorSize

    /// Ranges, as many as a chunk takes.
    struct Body: Sendable {
        var bytes: [UInt8]
        var rangeCount: Int
    }

    private(set) var bodies: [Body] = []

    mutating func append(_ range: [UInt8]) {
        guard let last = bodies.last, last.bytes.count + range.count <= UndoChunk.usualSize else {
            return bodies.append(Body(bytes: range, rangeCount: 1))
        }
        bodies[bodies.count - 1].bytes += range
        bodies[bodies.count - 1].rangeCount += 1
    }

    /// The ranges of a write: each sector that it touches as `overlay`, which has it already, shows it now.
    static func ranges(of source: RawSpan, at offset: UInt64, in overlay: PageOverlay) -> [[UInt8]] {
        let size = UndoRecord.sectorSize
        guard source.byteCount > 0, let end = (offset + UInt64(source.byteCount)).roundedUp(to: size) else {
            return []
        }
        let written = offset..<offset + UInt64(source.byteCount)
        var start = offset / size * size
        if start == offset, end == written.upperBound, source.isAllZero { return [zeros(start..<end)] }
        var ranges: [[UInt8]] = []
        var edge = [UInt8](repeating: 0, count: Int(size))
        while start < end {
            let stop = min(end, start + rangeLimit)
            var range = head(start..<stop, isZero: false)
            range += [UInt8](repeating: 0, count: Int((stop - start) / size) * 8)
            var place = 16
            for sector in stride(from: start, to: stop, by: Int(size)) {
                if sector >= written.lowerBound, sector + size <= written.upperBound {
                    let from = Int(sector - offset)
                    range.storeLittle(
                        XXH64.checksum(source.extracting(from..<from + Int(size))), at: place)
                } else {
                    edge.withMutableBytes { overlay.apply(to: &$0, at: sector) }
                    range.storeLittle(XXH64.checksum(edge.span8), at: place)
                }
                place += 8
            }
            ranges.append(range)
            start = stop
        }
        return ranges
    }

    /// The range of one sector with these contents.
    static func sector(_ bytes: [UInt8], at offset: UInt64) -> [UInt8] {
        var range = head(offset..<offset + UndoRecord.sectorSize, isZero: false)
        range.appendLittle(XXH64.checksum(bytes.span8))
        return range
    }

    /// A range that reads as zeros.
    static func zeros(_ range: Range<UInt64>) -> [UInt8] { head(range, isZero: true) }

    private static func head(_ range: Range<UInt64>, isZero: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittle(range.lowerBound)
        bytes.appendLittle(range.upperBound - range.lowerBound | (isZero ? UndoChunk.isZero : 0))
        return bytes
    }
}

extension [UInt8] {
    /// Adds the eight bytes of `value`, least first.
    mutating func appendLittle(_ value: UInt64) {
        let start = count
        self += [0, 0, 0, 0, 0, 0, 0, 0]
        storeLittle(value, at: start)
    }
}
