internal import Storage

// What a transaction changes of its files.

extension HostTransaction {
    /// What the operations change in a file: ranges in order and merged, and the lengths on the way.
    struct Touched {
        var ranges: [Range<UInt64>] = []
        var lengths: ClosedRange<UInt64>

        mutating func note(_ range: Range<UInt64>?, length: UInt64) {
            if let range { ranges.append(range) }
            lengths = min(lengths.lowerBound, length)...max(lengths.upperBound, length)
        }
    }

    /// What the operations change in each file that they change.
    func touchedRanges(_ operations: [Operation]) -> [Int: Touched] {
        var touched: [Int: Touched] = [:]
        var lengths = files.map(\.base.byteCount)
        for operation in operations {
            switch operation {
            case .write(let file, let offset, let bytes):
                let end = offset + UInt64(bytes.count)
                guard offset < end else { continue }
                let old = lengths[file]
                lengths[file] = max(old, end)
                touched[file, default: Touched(lengths: old...old)].note(offset..<end, length: lengths[file])
            case .truncate(let file, let length):
                let old = lengths[file]
                lengths[file] = length
                // What a shorter file loses counts as changed.
                touched[file, default: Touched(lengths: old...old)]
                    .note(length < old ? length..<old : nil, length: length)
            case .flush: break
            }
        }
        return touched.mapValues { Touched(ranges: Self.merged($0.ranges), lengths: $0.lengths) }
    }

    private static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        var result: [Range<UInt64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
