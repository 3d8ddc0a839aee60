internal import Storage

/// Which clusters of the file are referred to, and how often: what the refcounts ought to say.
struct QCOW2References {
    /// Clusters with the same references.
    struct Segment: Equatable {
        var clusters: Range<UInt64>
        /// References to each.
        var count: UInt64
        /// How many of them make it a table, or the header.
        var metadata: UInt64

        /// A table shares the cluster with something else.
        var overlaps: Bool { metadata > 0 && count > metadata || metadata > 1 }
    }

    private struct Edge {
        var cluster: UInt64
        /// What begins here, less what ends.
        var count: UInt64
        var metadata: UInt64
    }

    /// As they came: they may overlap.
    private var runs: [Segment] = []
    /// At this many they are put together.
    private var mergeCount = mergeStep
    private static let mergeStep = 1 << 20
    /// An image whose references are still more than this when they are put together is not one that was written.
    private static let limit = 2 << 20

    /// Notes references. Runs that go on where the last one ended are merged, so a file that was written in order takes
    /// little memory, and so does one that was written in any other order, when it is put together. Throws when that
    /// does not help.
    mutating func add(
        _ clusters: Range<UInt64>, count: UInt64 = 1, isMetadata: Bool = false
    ) throws(StorageError) {
        guard !clusters.isEmpty else { return }
        let metadata = isMetadata ? count : 0
        if let last = runs.last, last.clusters.upperBound == clusters.lowerBound, last.count == count,
            last.metadata == metadata
        {
            runs[runs.count - 1].clusters = last.clusters.lowerBound..<clusters.upperBound
            return
        }
        runs.append(Segment(clusters: clusters, count: count, metadata: metadata))
        guard runs.count >= mergeCount else { return }
        runs = Self.merged(segments())
        guard runs.count <= Self.limit else {
            throw .memoryBound(
                "qcow2",
                "its clusters lie in more than \(Self.limit) places, too scattered to be checked in bounded memory; use "
                    + "qemu-img check", structure: "L2 table")
        }
        mergeCount = runs.count + Self.mergeStep
    }

    /// Everything that is referred to, in order, each cluster once.
    func segments() -> [Segment] {
        var edges: [Edge] = []
        edges.reserveCapacity(2 * runs.count)
        for run in runs {
            edges.append(Edge(cluster: run.clusters.lowerBound, count: run.count, metadata: run.metadata))
            edges.append(
                Edge(cluster: run.clusters.upperBound, count: 0 &- run.count, metadata: 0 &- run.metadata))
        }
        edges.sort { $0.cluster < $1.cluster }
        var segments: [Segment] = []
        var count: UInt64 = 0
        var metadata: UInt64 = 0
        var position: UInt64 = 0
        for edge in edges {
            if edge.cluster > position, count > 0 {
                segments.append(Segment(clusters: position..<edge.cluster, count: count, metadata: metadata))
            }
            position = edge.cluster
            count &+= edge.count
            metadata &+= edge.metadata
        }
        return segments
    }

    private static func merged(_ segments: [Segment]) -> [Segment] {
        var result: [Segment] = []
        for segment in segments {
            if let last = result.last, last.clusters.upperBound == segment.clusters.lowerBound,
                last.count == segment.count, last.metadata == segment.metadata
            {
                result[result.count - 1].clusters = last.clusters.lowerBound..<segment.clusters.upperBound
            } else {
                result.append(segment)
            }
        }
        return result
    }
}
