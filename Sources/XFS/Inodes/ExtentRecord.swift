internal import Storage

/// A record of a file's map: 128 bits, of which one says unwritten, 54 are the place in the file, 52 the block and 21
/// the length.
struct ExtentRecord: Equatable, Sendable {
    static let byteCount = 16

    var isUnwritten: Bool
    /// In blocks from the file's start.
    var fileBlock: UInt64
    var block: FSBlock
    var count: UInt64

    init(_ bytes: RawSpan, at offset: Int) {
        let high: UInt64 = bytes.big(offset)
        let low: UInt64 = bytes.big(offset + 8)
        isUnwritten = high >> 63 == 1
        fileBlock = high >> 9 & (1 << 54 - 1)
        block = FSBlock((high & 0x1ff) << 43 | low >> 21)
        count = low & 0x1f_ffff
    }

    init(isUnwritten: Bool, fileBlock: UInt64, block: FSBlock, count: UInt64) {
        self.isUnwritten = isUnwritten
        self.fileBlock = fileBlock
        self.block = block
        self.count = count
    }

    /// The first block of the file behind it: below 2^55.
    var end: UInt64 { fileBlock + count }

    /// The record's 16 bytes.
    var bytes: [UInt8] {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        result.storeBig(
            (isUnwritten ? 1 << 63 : 0) | fileBlock << 9 | block.rawValue >> 43, at: 0)
        result.storeBig(block.rawValue << 21 | count & 0x1f_ffff, at: 8)
        return result
    }
}

extension ExtentRecord {
    /// What lies before a range of the file's blocks, in it, and behind it.
    func parts(
        around range: Range<UInt64>
    ) -> (before: ExtentRecord?, inside: ExtentRecord?, behind: ExtentRecord?) {
        func part(_ from: UInt64, _ to: UInt64) -> ExtentRecord? {
            let (from, to) = (max(from, fileBlock), min(to, end))
            guard from < to else { return nil }
            return ExtentRecord(
                isUnwritten: isUnwritten, fileBlock: from, block: block.advanced(by: from - fileBlock),
                count: to - from)
        }
        return (
            part(0, range.lowerBound), part(range.lowerBound, range.upperBound), part(range.upperBound, .max)
        )
    }
}

/// What a file has at a place: consecutive blocks, or none.
struct MappedRun: Equatable, Sendable {
    enum Place: Equatable, Sendable {
        case hole
        /// Allocated, read as zeros.
        case unwritten(FSBlock)
        case written(FSBlock)
    }

    /// In blocks of the file.
    var start: UInt64
    var count: UInt64
    var place: Place
    var end: UInt64 { start + count }
}

extension [ExtentRecord] {
    /// What lies outside a range of the file's blocks, and what inside: records that reach across its ends are cut.
    func cut(_ range: Range<UInt64>) -> (outside: [ExtentRecord], inside: [ExtentRecord]) {
        var outside: [ExtentRecord] = []
        var inside: [ExtentRecord] = []
        for record in self {
            let whole = record.fileBlock..<record.end
            guard whole.overlaps(range) else {
                outside.append(record)
                continue
            }
            let common = whole.clamped(to: range)
            for part in [whole.lowerBound..<common.lowerBound, common, common.upperBound..<whole.upperBound]
            where !part.isEmpty {
                let piece = ExtentRecord(
                    isUnwritten: record.isUnwritten, fileBlock: part.lowerBound,
                    block: record.block.advanced(by: part.lowerBound - record.fileBlock),
                    count: UInt64(part.count))
                if part == common { inside.append(piece) } else { outside.append(piece) }
            }
        }
        return (outside, inside)
    }
}
