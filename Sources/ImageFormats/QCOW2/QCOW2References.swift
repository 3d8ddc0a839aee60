internal import Storage

/// Which clusters of the file are referred to, and how often: what the refcounts ought to say.
struct QCOW2References {
    /// Neighbouring clusters that one table refers to alike.
    struct Run: Equatable {
        var clusters: Range<UInt64>
        /// References to each.
        var count: UInt64
        /// Whether a table lies there, or the header.
        var isMetadata: Bool
    }

    /// Clusters with the same references.
    struct Segment: Equatable {
        var clusters: Range<UInt64>
        var count: UInt64
        /// A table shares the cluster with something else.
        var overlaps: Bool
    }

    private var runs: [Run] = []

    /// Notes references. Runs that go on where the last one ended are merged, so a file that was written in order takes
    /// little memory; never more than its tables have bytes, times three.
    mutating func add(_ clusters: Range<UInt64>, count: UInt64 = 1, isMetadata: Bool = false) {
        guard !clusters.isEmpty else { return }
        if let last = runs.last, last.clusters.upperBound == clusters.lowerBound, last.count == count,
            last.isMetadata == isMetadata
        {
            runs[runs.count - 1].clusters = last.clusters.lowerBound..<clusters.upperBound
        } else {
            runs.append(Run(clusters: clusters, count: count, isMetadata: isMetadata))
        }
    }

    /// Everything that is referred to, in order, each cluster once.
    func segments() -> [Segment] {
        struct Edge {
            var cluster: UInt64
            var run: Run
            var begins: Bool
        }
        let edges = runs.flatMap {
            [
                Edge(cluster: $0.clusters.lowerBound, run: $0, begins: true),
                Edge(cluster: $0.clusters.upperBound, run: $0, begins: false),
            ]
        }.sorted { $0.cluster < $1.cluster }
        var segments: [Segment] = []
        var count: UInt64 = 0
        var metadata: UInt64 = 0
        var position: UInt64 = 0
        for edge in edges {
            if edge.cluster > position, count > 0 {
                segments.append(
                    Segment(
                        clusters: position..<edge.cluster, count: count,
                        overlaps: metadata > 0 && count > metadata || metadata > 1))
            }
            position = edge.cluster
            let step = edge.run.isMetadata ? edge.run.count : 0
            if edge.begins {
                count &+= edge.run.count
                metadata &+= step
            } else {
                count &-= edge.run.count
                metadata &-= step
            }
        }
        return segments
    }
}
