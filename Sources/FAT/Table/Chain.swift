internal import Storage

/// The clusters of a file in their order, as runs.
struct Chain: Sendable {
    struct Run: Sendable, Equatable {
        /// Number of its first cluster within the file.
        let index: UInt32
        let first: ClusterNumber
        var count: UInt32
    }

    private(set) var runs: [Run] = []
    private(set) var count: UInt32 = 0
    /// The last cluster is marked as the last; otherwise reading stopped before it.
    var isWhole = false

    mutating func append(_ cluster: ClusterNumber) {
        if let last = runs.last, last.first.rawValue + last.count == cluster.rawValue {
            runs[runs.count - 1].count += 1
        } else {
            runs.append(Run(index: count, first: cluster, count: 1))
        }
        count += 1
    }

    /// The clusters from number `index` on that follow each other on the volume; nil behind the end.
    func run(at index: UInt32) -> (first: ClusterNumber, count: UInt32)? {
        guard index < count else { return nil }
        let run = runs[runs.firstIndex { $0.index > index } - 1]
        let skip = index - run.index
        return (ClusterNumber(run.first.rawValue + skip), run.count - skip)
    }

    /// Every cluster.
    var clusters: [ClusterNumber] {
        runs.flatMap { run in (0..<run.count).map { ClusterNumber(run.first.rawValue + $0) } }
    }

    var last: ClusterNumber? { runs.last.map { ClusterNumber($0.first.rawValue + $0.count - 1) } }
}

extension [Chain.Run] {
    fileprivate func firstIndex(_ isBehind: (Chain.Run) -> Bool) -> Int { firstIndex(sortedBy: isBehind) }
}

extension VolumeView {
    /// The chain that begins with `first`: all of it, or its first `limit` clusters. Throws `corrupt` where it leaves the
    /// volume, meets a free or a bad cluster, or runs in a circle.
    func chain(from first: ClusterNumber, limit: UInt32) throws(StorageError) -> Chain {
        if let kept = keptChain(first), kept.isWhole || kept.count >= limit { return kept }
        let generation = generation
        var chain = Chain()
        var cluster = first
        // Brent: one cluster is remembered, each time twice as long; a circle comes back to it.
        var (remembered, steps, patience): (ClusterNumber, UInt32, UInt32) = (first, 0, 1)
        guard geometry.contains(first) else { throw outOfRange(first.rawValue, in: first) }
        while chain.count < limit {
            chain.append(cluster)
            if chain.count % 0x10000 == 0 { try Cancellation.check() }
            switch try tableEntry(of: cluster) {
            case .next(let next): cluster = next
            case .end: chain.isWhole = true
            case .free:
                throw .fat(
                    .corrupt, .freeClusterInChain,
                    "the chain that begins with cluster \(first) goes on to cluster \(cluster), which is free; run "
                        + "fsck.vfat", structure: "FAT", offset: place(of: cluster))
            case .bad:
                throw .fat(
                    .corrupt, .badClusterInChain,
                    "the chain that begins with cluster \(first) leads through cluster \(cluster), which is marked as bad; "
                        + "run fsck.vfat", structure: "FAT", offset: place(of: cluster))
            case .invalid(let value): throw outOfRange(value, in: first, at: cluster)
            }
            if chain.isWhole { break }
            guard cluster != remembered else {
                throw .fat(
                    .corrupt, .chainLoop,
                    "the chain that begins with cluster \(first) runs in a circle; run fsck.vfat",
                    structure: "FAT", offset: place(of: cluster))
            }
            steps += 1
            if steps == patience {
                (remembered, steps) = (cluster, 0)
                patience = patience *? 2 ?? patience
            }
        }
        keep(chain, of: first, readIn: generation)
        return chain
    }

    private func place(of cluster: ClusterNumber) -> UInt64 {
        geometry.tablePlace(of: cluster.rawValue, in: geometry.activeTable).offset
    }

    private func outOfRange(
        _ value: UInt32, in first: ClusterNumber, at cluster: ClusterNumber? = nil
    ) -> StorageError {
        .fat(
            .corrupt, .clusterOutOfRange,
            "the chain that begins with cluster \(first) leads to cluster \(value), and the volume has clusters 2 to "
                + "\(geometry.clusterCount &+ 1); run fsck.vfat",
            structure: cluster == nil ? "directory entry" : "FAT", offset: cluster.map { place(of: $0) })
    }
}
