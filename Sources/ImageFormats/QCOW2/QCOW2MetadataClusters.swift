/// The clusters that an image's tables lie in, in ascending order: guest data must never go there.
package struct QCOW2MetadataClusters: Sendable {
    private var clusters: [UInt64]

    /// Takes clusters that are in ascending order.
    package init(_ ascending: [UInt64]) { clusters = ascending }

    /// Notes that a table lies in a cluster. They come almost in order: a table's refcount may need a new block, which
    /// is taken after the table's cluster and noted before it.
    package mutating func add(_ cluster: UInt64) {
        let place = clusters.lastIndex { $0 < cluster }.map { $0 + 1 } ?? 0
        clusters.insert(cluster, at: place)
    }

    /// Whether a table lies in any of these clusters.
    package func intersects(_ range: Range<UInt64>) -> Bool {
        var low = 0
        var high = clusters.count
        while low < high {
            let middle = (low + high) / 2
            if clusters[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return low < clusters.count && clusters[low] < range.upperBound
    }
}
