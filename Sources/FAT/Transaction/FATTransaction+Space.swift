package import Storage

extension FATTransaction: RoomTransaction {
    /// Throws `no-space`, with the bytes that are free and those that are missing, where the volume cannot hold what a row of
    /// changes brings at any point of it. What directories grow by is not counted.
    package func requireRoom(for changes: [SpaceChange]) throws(StorageError) {
        try gate.requireOpen()
        var held: UInt64 = 0
        var given: UInt64 = 0
        var missing: UInt64 = 0
        let free = UInt64(space.clusters.count + stage.freed.count)
        for change in changes {
            // Lengths of other file systems' files come here too: what FAT can hold adds up without fear.
            try requireLength(change.new)
            held += geometry.clusterCount(for: change.new) + UInt64(change.newDirectories)
            missing = max(missing, held - min(held, free + given))
            given += geometry.clusterCount(for: change.old)
        }
        if missing > 0 { throw noSpace(missing) }
    }

    private func noSpace(_ missing: UInt64) -> StorageError {
        let size = UInt64(geometry.clusterSize)
        return .fat(
            .refused, .noSpace,
            "the volume is full: \(UInt64(freeAtFirst) * size) bytes are free, and \(missing * size) more are needed"
        )
    }
}

extension FATTransaction {
    /// Throws `no-space`, with the bytes that are missing, unless that many clusters are free or will be.
    func requireSpace(_ count: UInt64) throws(StorageError) {
        let free = UInt64(space.clusters.count + stage.freed.count)
        guard count > free else { return }
        throw noSpace(count - free)
    }

    /// Takes that many free clusters, those that follow each other where they do.
    func takeClusters(_ count: Int) throws(StorageError) -> [ClusterNumber] {
        if count > space.clusters.count { endStage() }
        try requireSpace(UInt64(count))
        var taken: [ClusterNumber] = []
        taken.reserveCapacity(count)
        let end = geometry.clusters.upperBound
        var start = geometry.clusters.contains(space.next) ? space.next : geometry.clusters.lowerBound
        while taken.count < count {
            if let cluster = space.clusters.first(in: start..<end) {
                space.clusters.remove(cluster)
                taken.append(ClusterNumber(cluster))
                start = cluster + 1
                continue
            }
            guard start != geometry.clusters.lowerBound else { break }
            start = geometry.clusters.lowerBound
        }
        if let last = taken.last { space.next = last.rawValue }
        return taken
    }

    /// Makes a chain of clusters that were taken.
    func link(_ clusters: [ClusterNumber]) throws(StorageError) {
        for (index, cluster) in clusters.enumerated() {
            let next = index + 1 < clusters.count ? clusters[index + 1].rawValue : geometry.endMark
            try patchTable(cluster.rawValue, to: next, in: .allocated)
        }
    }

    /// Puts contents into a chain of their own and returns its first cluster, 0 for none.
    func makeChain(_ bytes: [UInt8]) throws(StorageError) -> UInt32 {
        guard !bytes.isEmpty else { return 0 }
        let clusters = try takeClusters(bytes.count.dividedRoundingUp(by: geometry.clusterSize))
        fill(clusters, with: bytes)
        try link(clusters)
        return clusters[0].rawValue
    }

    /// Gives a chain back, to be used by what comes in another stage.
    func freeChain(from first: ClusterNumber) throws(StorageError) {
        guard first.rawValue != 0 else { return }
        // Another file may get its first cluster.
        tails = nil
        let clusters = try chain(from: first, limit: geometry.clusterCount).clusters
        for cluster in clusters {
            try patchTable(cluster.rawValue, to: 0, in: .freed)
            stage.freed.append(cluster.rawValue)
            forgetContents(of: cluster.rawValue)
        }
    }
}
