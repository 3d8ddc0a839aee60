package import Storage

/// A change of a volume, collected in memory: sectors and contents as they will be, over the volume as it is. Reading
/// through it shows the change.
package final class FATTransaction: ContentsTransaction, NamesTransaction, AttributesTransaction,
    LabelTransaction, GatedTransaction, VolumeView
{
    /// What a disk writes whole or not at all, however large the volume calls its sectors.
    static let unit: UInt64 = 512
    /// Held contents and patches beyond this are better committed.
    private static let byteLimit = 64 << 20
    private static let patchLimit = 1 << 18

    let fileSystem: FATFileSystem
    let device: any WritableBlockDevice
    let geometry: Geometry
    let codePage: CodePage
    /// The time of the change.
    let now: Timestamp
    let generation: UInt64
    /// Free clusters, without those that the open stage frees.
    var space: FreeSpace
    /// How many clusters were free before the change: what others say is free.
    let freeAtFirst: Int
    private(set) var stages: [Stage] = []
    var stage = Stage()
    package var gate = TransactionGate(layer: FATCode.layer)
    /// Tables, directories and boot sectors as they will be, by unit.
    private var units: [UInt64: [UInt8]] = [:]
    /// Clusters of new contents, the last of a file perhaps shorter.
    private var contents: [UInt32: ArraySlice<UInt8>] = [:]
    private var chains: [ClusterNumber: Chain] = [:]
    /// The last cluster of the file that was added to last.
    var tails: (first: ClusterNumber, size: UInt32, last: ClusterNumber)?
    private var heldByteCount = 0

    init(
        _ fileSystem: FATFileSystem, _ device: any WritableBlockDevice, _ space: FreeSpace, now: Timestamp
    ) {
        self.fileSystem = fileSystem
        self.device = device
        self.space = space
        freeAtFirst = space.clusters.count
        self.now = now
        geometry = fileSystem.geometry
        codePage = fileSystem.codePage
        generation = fileSystem.generation
    }

    /// It holds much, or many small changes.
    package var shouldBeCommitted: Bool {
        heldByteCount > Self.byteLimit || gate.changeCount > Self.patchLimit
    }

    /// Takes no further operations.
    func finish() throws(StorageError) {
        try gate.close()
        endStage()
    }

    // MARK: Changing

    /// What follows comes when all before is on the disk.
    func endStage() {
        for cluster in stage.freed { space.clusters.insert(cluster) }
        if !stage.isEmpty { stages.append(stage) }
        stage = Stage()
    }

    /// Changes bytes of a directory or a boot sector: those of one slot, or of a new cluster.
    func patch(_ bytes: [UInt8], at offset: UInt64, in phase: Stage.Phase) throws(StorageError) {
        let target = Stage.Target.bytes(offset)
        if !stage.takes(target, in: phase) { endStage() }
        stage.add(.bytes(offset, bytes), target, in: phase)
        try store(bytes, at: offset)
    }

    /// Changes what the tables say of a cluster.
    func patchTable(_ cluster: UInt32, to value: UInt32, in phase: Stage.Phase) throws(StorageError) {
        let target = Stage.Target.table(cluster)
        if !stage.takes(target, in: phase) { endStage() }
        stage.add(.table(cluster, value), target, in: phase)
        for table in geometry.keptTables {
            let place = geometry.tablePlace(of: cluster, in: table)
            var bytes = try metadata(at: place.offset, count: place.count)
            geometry.setTableValue(value, of: cluster, in: &bytes)
            try store(bytes, at: place.offset)
        }
        chains = [:]
    }

    private func store(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        gate.noteChange()
        let first = offset / Self.unit * Self.unit
        let end = (offset + UInt64(bytes.count)).dividedRoundingUp(by: Self.unit) * Self.unit
        for start in stride(from: first, to: end, by: Int(Self.unit)) {
            var held = try metadata(at: start, count: Int(Self.unit))
            let from = max(start, offset)
            let to = min(start + Self.unit, offset + UInt64(bytes.count))
            held.replaceSubrange(
                Int(from - start)..<Int(to - start), with: bytes[Int(from - offset)..<Int(to - offset)])
            units[start] = held
        }
    }

    /// Puts a file's contents into clusters that were free.
    func fill(_ clusters: [ClusterNumber], with bytes: [UInt8]) {
        gate.noteChange()
        heldByteCount += bytes.count
        for (index, cluster) in clusters.enumerated() {
            let start = index * geometry.clusterSize
            let slice = bytes[start..<min(start + geometry.clusterSize, bytes.count)]
            contents[cluster.rawValue] = slice
            let rest = geometry.clusterSize - slice.count
            // What is left of the last cluster tells nothing of what was there before.
            stage.add(
                contents: rest == 0 ? slice : slice + [UInt8](repeating: 0, count: rest),
                at: geometry.byteOffset(of: cluster))
        }
    }

    /// Forgets what a cluster was given, which is free now.
    func forgetContents(of cluster: UInt32) { contents[cluster] = nil }

    // MARK: VolumeView

    /// FAT.
    package var kind: VolumeIdentity.Kind { .vfat }

    func metadata(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var bytes = try fileSystem.metadata(at: offset, count: count)
        let end = offset + UInt64(count)
        for start in stride(from: offset / Self.unit * Self.unit, to: end, by: Int(Self.unit)) {
            guard let held = units[start] else { continue }
            let from = max(start, offset)
            let to = min(start + Self.unit, end)
            bytes.replaceSubrange(
                Int(from - offset)..<Int(to - offset), with: held[Int(from - start)..<Int(to - start)])
        }
        return bytes
    }

    func readData(
        into target: inout MutableRawSpan, from cluster: ClusterNumber, skip: Int
    ) throws(StorageError) {
        var done = 0
        var number = cluster.rawValue + UInt32(skip / geometry.clusterSize)
        var offset = skip % geometry.clusterSize
        while done < target.byteCount {
            let count = min(geometry.clusterSize - offset, target.byteCount - done)
            var part = target.part(done..<done + count)
            if let held = contents[number] {
                let bytes = Array(held.dropFirst(offset).prefix(count))
                part.copy(bytes.span8, to: 0)
                part.zero(bytes.count..<count)
            } else {
                try fileSystem.readData(into: &part, from: ClusterNumber(number), skip: offset)
            }
            done += count
            offset = 0
            number += 1
        }
    }

    func keptChain(_ first: ClusterNumber) -> Chain? { chains[first] }

    func keep(_ chain: Chain, of first: ClusterNumber, readIn generation: UInt64) {
        if chains.count > 64 { chains = [:] }
        chains[first] = chain
    }
}
