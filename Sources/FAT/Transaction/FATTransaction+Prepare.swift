package import Storage

extension FATTransaction {
    /// Lays the writes out: the stages in their order, the count of free clusters behind them. The transaction takes no
    /// further operations.
    package func prepare() throws(StorageError) -> any PreparedChange {
        try finish()
        var layout = Layout(fileSystem)
        for stage in stages {
            for phase in Stage.Phase.allCases { try layout.add(stage, phase) }
        }
        if !layout.writes.isEmpty { try addCount(to: &layout) }
        return PreparedFATChange(self, layout.writes)
    }

    /// FSInfo: how many clusters are free, and the one that was taken last.
    private func addCount(to layout: inout Layout) throws(StorageError) {
        guard let offset = geometry.informationOffset, let held = try fileSystem.informationSector() else {
            return
        }
        let count =
            held.freeCount == InformationSector.unknown ? held.freeCount : UInt32(space.clusters.count)
        var bytes = [UInt8](repeating: 0, count: 8)
        bytes.storeLittle(count, at: 0)
        bytes.storeLittle(space.next, at: 4)
        try layout.add(
            "count", [.bytes(offset + UInt64(InformationSector.freeCountOffset), bytes)], contents: [])
    }
}

/// Sectors as the phases leave them, one phase after the other.
private struct Layout {
    private let fileSystem: FATFileSystem
    private var units: [UInt64: [UInt8]] = [:]
    private(set) var writes = OrderedWrites()

    init(_ fileSystem: FATFileSystem) { self.fileSystem = fileSystem }

    mutating func add(_ stage: Stage, _ phase: Stage.Phase) throws(StorageError) {
        try add(
            phase.name, stage.patches[phase] ?? [], contents: phase == .contents ? stage.contents : [])
    }

    mutating func add(
        _ name: String, _ patches: [Stage.Patch], contents: [OrderedWrites.Write]
    ) throws(StorageError) {
        var touched: [UInt64: [UInt8]] = [:]
        let geometry = fileSystem.geometry
        for patch in patches {
            switch patch {
            case .bytes(let offset, let bytes): try store(bytes, at: offset, &touched)
            case .table(let cluster, let value):
                for table in geometry.keptTables {
                    let place = geometry.tablePlace(of: cluster, in: table)
                    var bytes = try self.bytes(at: place.offset, count: place.count)
                    geometry.setTableValue(value, of: cluster, in: &bytes)
                    try store(bytes, at: place.offset, &touched)
                }
            }
        }
        let changed = touched.filter { units[$0.key] != $0.value }.keys.sorted()
        writes.add(
            name,
            contents.sorted { $0.offset < $1.offset }
                + changed.map { OrderedWrites.Write(offset: $0, bytes: units[$0] ?? []) },
            areUnreferenced: changed.isEmpty)
    }

    private func unit(at start: UInt64) throws(StorageError) -> [UInt8] {
        if let held = units[start] { return held }
        return try fileSystem.metadata(at: start, count: Int(FATTransaction.unit))
    }

    private func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var result: [UInt8] = []
        var position = offset
        while result.count < count {
            let start = position / FATTransaction.unit * FATTransaction.unit
            let unit = try self.unit(at: start)
            let part = unit[Int(position - start)...].prefix(count - result.count)
            result += part
            position += UInt64(part.count)
        }
        return result
    }

    /// `touched` gets what a unit was before the phase.
    private mutating func store(
        _ bytes: [UInt8], at offset: UInt64, _ touched: inout [UInt64: [UInt8]]
    ) throws(StorageError) {
        var position = offset
        let end = offset + UInt64(bytes.count)
        while position < end {
            let start = position / FATTransaction.unit * FATTransaction.unit
            var unit = try self.unit(at: start)
            if touched[start] == nil { touched[start] = unit }
            let stop = min(end, start + FATTransaction.unit)
            unit.replaceSubrange(
                Int(position - start)..<Int(stop - start),
                with: bytes[Int(position - offset)..<Int(stop - offset)])
            units[start] = unit
            position = stop
        }
    }
}
