/// Clusters, a bit each.
struct ClusterSet: Sendable {
    private var words: [UInt64]
    private(set) var count = 0

    /// None, of a volume with that many.
    init(clusterCount: UInt32) { words = [UInt64](repeating: 0, count: (Int(clusterCount) + 2) / 64 + 1) }

    func contains(_ cluster: UInt32) -> Bool { words[Int(cluster / 64)] >> UInt64(cluster % 64) & 1 != 0 }

    /// False when it was there already.
    @discardableResult
    mutating func insert(_ cluster: UInt32) -> Bool {
        guard !contains(cluster) else { return false }
        words[Int(cluster / 64)] |= 1 << UInt64(cluster % 64)
        count += 1
        return true
    }

    mutating func remove(_ cluster: UInt32) {
        guard contains(cluster) else { return }
        words[Int(cluster / 64)] &= ~(1 << UInt64(cluster % 64))
        count -= 1
    }

    /// The first of `range` that is in it; nil when none is.
    func first(in range: Range<UInt32>) -> UInt32? {
        var cluster = range.lowerBound
        while cluster < range.upperBound {
            let rest = words[Int(cluster / 64)] >> UInt64(cluster % 64)
            if rest == 0 {
                cluster = (cluster / 64 + 1) * 64
                continue
            }
            cluster += UInt32(rest.trailingZeroBitCount)
            return cluster < range.upperBound ? cluster : nil
        }
        return nil
    }
}

/// The clusters that nothing uses.
struct FreeSpace: Sendable {
    var clusters: ClusterSet
    /// Where to look first: behind what was taken last.
    var next: UInt32
}
