internal import Storage

/// Where the copies of a disk's GPT were looked for and what was found there.
struct GPTLocation: Sendable {
    /// A place that was looked at.
    struct Attempt: Sendable {
        var sector: UInt64
        var found: GPTCopy.Found
        var copy: GPTCopy? { if case .copy(let copy) = found { copy } else { nil } }
        var flaw: GPTHeader.Flaw? {
            if case .flawed(let flaw) = found { flaw } else { nil }
        }
    }

    let geometry: DiskGeometry
    /// At sector 1.
    let primary: Attempt
    /// At the last sector.
    let backup: Attempt
    /// At the primary's alternate address, or where the protective MBR ends, when that is another place.
    let displaced: Attempt?

    /// The copy to believe, in the order of the specification, and where it was.
    var best: (copy: GPTCopy, source: PartitionTable.Source)? {
        if let copy = primary.copy { return (copy, .primary) }
        if let copy = backup.copy { return (copy, .backup) }
        if let copy = displaced?.copy { return (copy, .displacedBackup) }
        return nil
    }

    /// Looks in all places for tables that count in sectors of `sectorSize` bytes.
    static func find(
        _ disk: any BlockDevice, sectorSize: UInt32, mbr: MBRSector?
    ) throws(StorageError) -> GPTLocation? {
        let geometry = DiskGeometry(byteCount: disk.byteCount, sectorSize: sectorSize)
        guard geometry.sectorCount >= 3 else { return nil }
        let last = geometry.sectorCount - 1
        let primary = Attempt(sector: 1, found: try GPTCopy.read(disk, at: 1, geometry: geometry))
        let backup = Attempt(sector: last, found: try GPTCopy.read(disk, at: last, geometry: geometry))
        let displaced = try findDisplaced(disk, geometry: geometry, primary: primary, mbr: mbr)
        return GPTLocation(geometry: geometry, primary: primary, backup: backup, displaced: displaced)
    }

    private static func findDisplaced(
        _ disk: any BlockDevice, geometry: DiskGeometry, primary: Attempt, mbr: MBRSector?
    ) throws(StorageError) -> Attempt? {
        var places: [UInt64] = []
        // The field is worth a look even where the header around it is damaged: what is there is verified too.
        if primary.flaw != .noSignature, let offset = geometry.offset(ofSector: 1) {
            places.append(try disk.bytes(at: offset, count: 512).little(32))
        }
        if let entry = mbr?.protectiveEntry, entry.count != .max {
            places.append(UInt64(entry.start) + UInt64(entry.count) - (entry.count > 0 ? 1 : 0))
        }
        var looked: Attempt?
        for sector in places where sector > 1 && sector < geometry.sectorCount - 1 {
            let attempt = Attempt(
                sector: sector, found: try GPTCopy.read(disk, at: sector, geometry: geometry))
            if attempt.copy != nil { return attempt }
            looked = looked ?? attempt
        }
        return looked
    }
}
