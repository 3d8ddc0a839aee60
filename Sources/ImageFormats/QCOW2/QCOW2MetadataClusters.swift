internal import Storage

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
        let first = clusters.firstIndex(sortedBy: { $0 >= range.lowerBound })
        return first < clusters.count && clusters[first] < range.upperBound
    }
}
