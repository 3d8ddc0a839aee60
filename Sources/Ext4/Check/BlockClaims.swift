/// Which clusters something has claimed, in pages that exist where a claim is: as runs while there are few, which is what a group without
/// files has, a bit each then.
struct BlockClaims {
    private static let bitsPerPage: UInt64 = 1 << 15
    private static let runLimit = 96

    private var pages: [UInt64: Page] = [:]
    private var memory = 0
    private let memoryLimit: Int
    private(set) var count: UInt64 = 0
    /// The next page would be more than the limit: nothing is noted from there on.
    private(set) var isFull = false

    /// With pages that take about so many bytes together at most.
    init(memoryLimit: Int) { self.memoryLimit = memoryLimit }

    /// Claims the clusters in `range`; returns the first that was claimed before, or nil.
    mutating func claim(_ range: Range<ClusterNumber>) -> ClusterNumber? {
        var conflict: UInt64?
        var position = range.lowerBound.rawValue
        let end = range.upperBound.rawValue
        while position < end, !isFull {
            let (key, offset) = position.quotientAndRemainder(dividingBy: Self.bitsPerPage)
            let bits = min(Self.bitsPerPage - offset, end - position)
            let before = pages[key]?.byteCount ?? 0
            let result = pages[key, default: Page()].claim(
                Int(offset)..<Int(offset + bits), runLimit: Self.runLimit)
            memory += (pages[key]?.byteCount ?? 0) - before
            count += UInt64(result.added)
            if conflict == nil, let first = result.conflict { conflict = position - offset + UInt64(first) }
            isFull = memory > memoryLimit
            position += bits
        }
        return conflict.map { ClusterNumber($0) }
    }

    func isClaimed(_ cluster: ClusterNumber) -> Bool {
        let (page, offset) = cluster.rawValue.quotientAndRemainder(dividingBy: Self.bitsPerPage)
        return pages[page]?.contains(Int(offset)) ?? false
    }

    /// `count` clusters from `first` on, a bit each, lowest bit first, zeros behind.
    func bitmap(from first: ClusterNumber, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
        var done = 0
        while done < count {
            let (page, offset) = (first.rawValue + UInt64(done)).quotientAndRemainder(
                dividingBy: Self.bitsPerPage)
            let bits = min(Int(Self.bitsPerPage - offset), count - done)
            pages[page]?.forEachRun { run in
                let part = run.clamped(to: Int(offset)..<Int(offset) + bits)
                var bit = part.lowerBound - Int(offset) + done
                let end = part.upperBound - Int(offset) + done
                while bit < end {
                    if bit % 8 == 0, end - bit >= 8 {
                        bytes[bit / 8] = 0xff
                        bit += 8
                    } else {
                        bytes[bit / 8] |= 1 << UInt8(bit % 8)
                        bit += 1
                    }
                }
            }
            done += bits
        }
        return bytes
    }

    /// The claims among 32768 clusters.
    private struct Page {
        private struct Run {
            var lower: UInt16
            var last: UInt16
        }

        /// In order, with gaps between them; empty where there are words.
        private var runs: [Run] = []
        private var words: [UInt64] = []

        /// About what it takes, with its place in the table.
        var byteCount: Int { 96 + runs.capacity * 4 + words.count * 8 }

        mutating func claim(_ range: Range<Int>, runLimit: Int) -> (conflict: Int?, added: Int) {
            guard words.isEmpty else { return claimWords(range) }
            guard runs.count < runLimit else {
                spread()
                return claimWords(range)
            }
            if runs.last.map({ Int($0.last) + 1 < range.lowerBound }) ?? true {
                runs.append(Run(lower: UInt16(range.lowerBound), last: UInt16(range.upperBound - 1)))
                return (nil, range.count)
            }
            return claimRuns(range)
        }

        /// Joined with the runs that it meets.
        private mutating func claimRuns(_ range: Range<Int>) -> (conflict: Int?, added: Int) {
            var conflict: Int?
            var old = 0
            var (lower, upper) = (range.lowerBound, range.upperBound)
            var first = runs.count
            var behind = runs.count
            for (index, run) in runs.enumerated() {
                let (start, end) = (Int(run.lower), Int(run.last) + 1)
                if end < lower { continue }
                first = min(first, index)
                if start > upper {
                    behind = index
                    break
                }
                let both = range.clamped(to: start..<end)
                if conflict == nil, !both.isEmpty { conflict = both.lowerBound }
                old += both.count
                (lower, upper) = (min(lower, start), max(upper, end))
            }
            runs.replaceSubrange(
                first..<max(first, behind), with: [Run(lower: UInt16(lower), last: UInt16(upper - 1))])
            return (conflict, range.count - old)
        }

        private mutating func spread() {
            words = [UInt64](repeating: 0, count: Int(BlockClaims.bitsPerPage / 64))
            let known = runs
            runs = []
            for run in known { _ = claimWords(Int(run.lower)..<Int(run.last) + 1) }
        }

        private mutating func claimWords(_ range: Range<Int>) -> (conflict: Int?, added: Int) {
            var conflict: Int?
            var added = 0
            var position = range.lowerBound
            while position < range.upperBound {
                let (word, offset) = position.quotientAndRemainder(dividingBy: 64)
                let bits = min(64 - offset, range.upperBound - position)
                let mask = (bits == 64 ? ~0 : (UInt64(1) << UInt64(bits)) - 1) << UInt64(offset)
                let old = words[word]
                if conflict == nil, old & mask != 0 {
                    conflict = word * 64 + (old & mask).trailingZeroBitCount
                }
                words[word] = old | mask
                added += (mask & ~old).nonzeroBitCount
                position += bits
            }
            return (conflict, added)
        }

        func contains(_ bit: Int) -> Bool {
            guard words.isEmpty else { return words[bit / 64] >> UInt64(bit % 64) & 1 == 1 }
            return runs.contains { Int($0.lower) <= bit && bit <= Int($0.last) }
        }

        func forEachRun(_ body: (Range<Int>) -> Void) {
            for run in runs { body(Int(run.lower)..<Int(run.last) + 1) }
            for (index, word) in words.enumerated() where word != 0 {
                var (rest, bit) = (word, index * 64)
                while rest != 0 {
                    let zeros = rest.trailingZeroBitCount
                    rest = zeros == 64 ? 0 : rest >> UInt64(zeros)
                    bit += zeros
                    let ones = (~rest).trailingZeroBitCount
                    body(bit..<bit + ones)
                    rest = ones == 64 ? 0 : rest >> UInt64(ones)
                    bit += ones
                }
            }
        }
    }
}
