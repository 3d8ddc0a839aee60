internal import Storage

/// A group's bitmap of blocks or inodes within a transaction.
struct GroupBitmap: Sendable {
    /// How many bits count; those behind are padding.
    let count: Int
    /// The bits as they were: what was in use before is not given away again before the commit, because its old
    /// contents must outlive a power cut.
    private var original: [UInt8]
    private(set) var bytes: [UInt8]
    private(set) var isChanged = false
    /// No bit below is available: where a search begins.
    private var firstCandidate = 0

    init(_ bytes: [UInt8], count: Int) {
        original = bytes
        self.bytes = bytes
        self.count = count
    }

    /// Bits that are zero among those that count.
    var freeCount: Int {
        var used = 0
        let whole = count / 8
        for index in 0..<whole { used += bytes[index].nonzeroBitCount }
        for bit in whole * 8..<count where isSet(bit) { used += 1 }
        return count - used
    }

    func isSet(_ bit: Int) -> Bool { bytes[bit >> 3] >> UInt8(bit & 7) & 1 == 1 }

    /// Free now, and free before the transaction.
    func isAvailable(_ bit: Int) -> Bool {
        (bytes[bit >> 3] | original[bit >> 3]) >> UInt8(bit & 7) & 1 == 0
    }

    mutating func set(_ bit: Int) {
        bytes[bit >> 3] |= 1 << UInt8(bit & 7)
        isChanged = true
    }

    /// What is in use now is not given away again before the commit either: a stage ends.
    mutating func holdWhatIsInUse() {
        for index in bytes.indices where bytes[index] & ~original[index] != 0 {
            original[index] |= bytes[index]
        }
    }

    /// To be written though no bit changed: it never was before.
    mutating func markChanged() { isChanged = true }

    mutating func clear(_ bit: Int) {
        bytes[bit >> 3] &= ~(1 << UInt8(bit & 7))
        isChanged = true
        firstCandidate = min(firstCandidate, bit)
    }

    /// The first run of `wanted` available bits at or behind `start`, cut to that length; the longest shorter one, the
    /// first of several, where there is none so long. Nil when nothing is available.
    mutating func run(of wanted: Int, from start: Int) -> Range<Int>? {
        var best: Range<Int>?
        var bit = max(start, firstCandidate)
        let isFromFirst = bit == firstCandidate
        while bit < count {
            if bit & 7 == 0, bytes[bit >> 3] | original[bit >> 3] == 0xff {
                bit += 8
                continue
            }
            guard isAvailable(bit) else {
                bit += 1
                continue
            }
            let first = bit
            if isFromFirst, best == nil { firstCandidate = first }
            while bit < count, bit - first < wanted, isAvailable(bit) { bit += 1 }
            if bit - first > best?.count ?? 0 { best = first..<bit }
            if bit - first == wanted { return best }
        }
        if isFromFirst, best == nil { firstCandidate = count }
        return best
    }

    /// Bits `range` set, as padding and for a bitmap that was never written.
    static func setBits(_ range: Range<Int>, in bytes: inout [UInt8]) {
        for bit in range { bytes[bit >> 3] |= 1 << UInt8(bit & 7) }
    }
}
