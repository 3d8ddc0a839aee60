/// Which clusters something has claimed, a bit each, in pages that exist where a claim is. Two bits of memory at
/// most for each cluster that is in use.
struct BlockClaims {
    private static let bitsPerPage: UInt64 = 1 << 15

    private var pages: [UInt64: [UInt64]] = [:]
    private(set) var count: UInt64 = 0

    /// Claims the clusters in `range`; returns the first that was claimed before, or nil.
    mutating func claim(_ range: Range<ClusterNumber>) -> ClusterNumber? {
        var conflict: UInt64?
        var position = range.lowerBound.rawValue
        let end = range.upperBound.rawValue
        while position < end {
            let (page, offset) = position.quotientAndRemainder(dividingBy: Self.bitsPerPage)
            let bits = min(64 - offset % 64, end - position)
            let mask = (bits == 64 ? ~0 : (UInt64(1) << bits) - 1) << (offset % 64)
            let word = Int(offset / 64)
            let old = pages[page]?[word] ?? 0
            if conflict == nil, old & mask != 0 {
                conflict = position + UInt64((old & mask).trailingZeroBitCount) - offset % 64
            }
            pages[page, default: [UInt64](repeating: 0, count: Int(Self.bitsPerPage / 64))][word] |= mask
            count += UInt64((mask & ~old).nonzeroBitCount)
            position += bits
        }
        return conflict.map { ClusterNumber($0) }
    }

    func isClaimed(_ cluster: ClusterNumber) -> Bool {
        let (page, offset) = cluster.rawValue.quotientAndRemainder(dividingBy: Self.bitsPerPage)
        guard let words = pages[page] else { return false }
        return words[Int(offset / 64)] >> (offset % 64) & 1 == 1
    }

    /// The clusters from `first` on, `byteCount` bytes of eight each, lowest bit first.
    func bytes(at first: ClusterNumber, _ byteCount: Int) -> [UInt8] {
        guard first.rawValue % 8 == 0 else {
            return (0..<byteCount).map { byte in
                (0..<8).reduce(0) {
                    $0 | (isClaimed(first.advanced(by: UInt64(byte * 8 + $1))) ? 1 << UInt8($1) : 0)
                }
            }
        }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var done = 0
        while done < byteCount {
            let (page, offset) = (first.rawValue + UInt64(done) * 8)
                .quotientAndRemainder(dividingBy: Self.bitsPerPage)
            let end = done + min(Int((Self.bitsPerPage - offset) / 8), byteCount - done)
            if let words = pages[page] {
                for index in done..<end {
                    let bit = Int(offset) + (index - done) * 8
                    bytes[index] = UInt8(truncatingIfNeeded: words[bit / 64] >> UInt64(bit % 64))
                }
            }
            done = end
        }
        return bytes
    }
}
