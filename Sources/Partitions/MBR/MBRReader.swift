internal import Storage

/// Reads the DOS partition table of a disk with Linux's numbers: the MBR's slots are 1 to 4, logical
/// partitions 5 and up in the order of their chain, a BSD label's partitions behind those.
struct MBRReader {
    /// Logical partitions that are listed at most. Linux itself stops at 256 minors.
    static let logicalLimit = 256

    let disk: any BlockDevice
    let geometry: DiskGeometry
    private let sector: MBRSector
    private var table: PartitionTable
    private var nextNumber = 5

    /// `sector` is the disk's first; `sectorSize` the unit that its numbers are taken in.
    init(_ disk: any BlockDevice, sector: MBRSector, sectorSize: UInt32) {
        self.disk = disk
        self.sector = sector
        geometry = DiskGeometry(byteCount: disk.byteCount, sectorSize: sectorSize)
        table = PartitionTable(
            kind: .dos, sectorSize: sectorSize, diskIdentifier: Self.hex8(sector.signature))
    }

    /// The table. Damage in an extended chain ends the chain with a finding; only input errors throw.
    mutating func read() throws(StorageError) -> PartitionTable {
        for (slot, entry) in sector.entries.enumerated() where entry.isUsed {
            let role: PartitionEntry.Role =
                entry.type == MBRType.protective ? .protective : entry.isExtended ? .extended : .primary
            add(entry, number: slot + 1, start: UInt64(entry.start), role: role)
        }
        for entry in table.entries where entry.role == .extended { try readChain(of: entry) }
        let slices = table.entries.filter { MBRType.bsdTypes.contains($0.typeCode ?? 0) }
        for slice in slices { try readBSDLabel(in: slice) }
        table.noteMisfits()
        return table
    }

    private mutating func add(
        _ entry: MBRSector.Entry, number: Int, start: UInt64, role: PartitionEntry.Role
    ) {
        var made = PartitionEntry(
            number: number, startSector: start, sectorCount: UInt64(entry.count), geometry: geometry,
            typeName: MBRType.name(entry.type), role: role)
        made.typeCode = entry.type
        made.attributes = UInt64(entry.flag)
        made.partitionUUID = partitionUUID(number)
        table.entries.append(made)
    }

    /// Follows the chain of extended boot records. A record's data entries count from the record itself, its
    /// link from the start of the first extended partition; a record without data is a deleted partition.
    private mutating func readChain(of extended: PartitionEntry) throws(StorageError) {
        let first = extended.startSector
        var record = first
        var recordLength = extended.sectorCount
        var visited: Set<UInt64> = []
        while true {
            guard visited.insert(record).inserted else {
                return note(
                    .logicalLoop, "the chain of logical partitions runs in a circle at sector \(record)")
            }
            guard visited.count <= Self.logicalLimit else {
                return note(
                    .logicalLimit, "more than \(Self.logicalLimit) logical partitions; the rest is left out"
                )
            }
            guard let offset = geometry.offset(ofSector: record) else {
                return note(
                    .logicalPastEnd, "an extended boot record at sector \(record) is behind the disk's end"
                )
            }
            guard let ebr = MBRSector(try disk.bytes(at: offset, count: 512)) else {
                return note(.logicalNoRecord, "there is no extended boot record at sector \(record)")
            }
            for (slot, entry) in ebr.entries.enumerated() where entry.isUsed && !entry.isExtended {
                let start = record + UInt64(entry.start)
                let end = start + UInt64(entry.count)
                // Linux takes the third and fourth entry only where they fit: some systems leave rubbish there.
                let fits =
                    UInt64(entry.start) + UInt64(entry.count) <= recordLength && start >= first
                    && end <= first + extended.sectorCount
                if slot >= 2 && !fits { continue }
                add(entry, number: nextNumber, start: start, role: .logical)
                nextNumber += 1
            }
            guard let link = ebr.entries.first(where: { $0.isUsed && $0.isExtended }) else { return }
            record = first + UInt64(link.start)
            recordLength = UInt64(link.count)
        }
    }

    private mutating func readBSDLabel(in slice: PartitionEntry) throws(StorageError) {
        guard !slice.byteRange.isEmpty, let label = try BSDLabel.read(disk, at: slice.byteRange.lowerBound)
        else { return }
        for part in label.partitions(inSliceAt: slice.startSector, isFreeBSD: slice.typeCode == 0xa5) {
            // "c" repeats the slice itself.
            if part.start == slice.startSector && part.count == slice.sectorCount { continue }
            guard part.start >= slice.startSector,
                part.start + part.count <= slice.startSector + slice.sectorCount
            else { continue }
            var made = PartitionEntry(
                number: nextNumber, startSector: part.start, sectorCount: part.count, geometry: geometry,
                typeName: BSDLabel.typeName(part.type), role: .bsd)
            made.typeCode = part.type
            made.partitionUUID = partitionUUID(nextNumber)
            table.entries.append(made)
            nextNumber += 1
        }
        note(.bsdLabel, "partition \(slice.number) holds a BSD disk label", .note)
    }

    private mutating func note(
        _ code: LayoutCode, _ message: String, _ severity: Severity = .warning
    ) {
        table.findings.append(Finding(severity, code, message))
    }

    /// PARTUUID of a DOS partition: signature, dash, number, both hexadecimal.
    private func partitionUUID(_ number: Int) -> String {
        Self.hex8(sector.signature) + "-"
            + (number < 256 ? [UInt8(number)].hexString : String(number, radix: 16))
    }

    static func hex8(_ value: UInt32) -> String {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }.hexString
    }
}
