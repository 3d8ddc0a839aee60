internal import Storage

extension VolumeCheck {
    /// Clusters that are in use and belong to nothing, and the count of free ones.
    mutating func checkTable() throws(StorageError) -> FreeSpace {
        var free = ClusterSet(clusterCount: geometry.clusterCount)
        var lost: UInt32 = 0
        var firstLost: UInt32?
        let claimed = claimed
        let geometry = geometry
        try fileSystem.forEachTableValue { (cluster, value) throws(StorageError) in
            switch TableEntry(value, geometry) {
            case .free: free.insert(cluster)
            case .bad: break
            case .next, .end, .invalid:
                if !claimed.contains(cluster) {
                    lost += 1
                    if firstLost == nil { firstLost = cluster }
                }
            }
        }
        if let firstLost {
            add(
                .leak, .lostClusters,
                "\(lost) clusters are in use and belong to no file, the first of them \(firstLost)",
                structure: "FAT",
                offset: geometry.tablePlace(of: firstLost, in: geometry.activeTable).offset)
        }
        var next = ClusterNumber.first.rawValue
        if let information = try fileSystem.informationSector() {
            if geometry.clusters.contains(information.nextFree) { next = information.nextFree }
            if information.freeCount != InformationSector.unknown, Int(information.freeCount) != free.count {
                add(
                    .warning, .wrongFreeCount,
                    "\(information.freeCount) clusters are said to be free, and \(free.count) are",
                    structure: "FSInfo",
                    offset: geometry.informationOffset)
            }
        }
        return FreeSpace(clusters: free, next: next)
    }
}
