internal import Storage

/// Decides what divides a disk. A GPT counts when its MBR says so; an MBR counts when it has partitions and is
/// no file system's boot sector; all else is one volume.
enum DiskTable {
    /// Reads the table of a disk. `contents` is what the disk as a whole could be taken for.
    static func read(
        contents: [VolumeIdentity], _ partitions: inout PartitionProbe
    ) throws(StorageError) -> PartitionTable {
        let disk = partitions.device
        guard disk.byteCount >= 512 else { return PartitionTable(kind: .none, sectorSize: disk.sectorSize) }
        let first = try disk.bytes(at: 0, count: 512)
        let mbr = MBRSector(first)
        let location = try locateGPT(disk, mbr: mbr)
        let isVolume = contents.contains { $0.kind != .unknown }

        if let location, let table = GPTReader.table(location, mbr: mbr) {
            if mbr?.protectiveEntry != nil { return table }
            // No protective MBR: left over, when something newer describes the disk.
            let left = Finding(
                .warning, LayoutCode.gptLeftOver,
                "a GPT without a protective MBR is left over from an earlier use of the disk; it is not used")
            if let mbr, var dos = try readMBR(disk, mbr, isVolume: isVolume, &partitions) {
                dos.findings.append(left)
                return dos
            }
            if location.primary.copy == nil, isVolume {
                return PartitionTable(kind: .none, sectorSize: disk.sectorSize, findings: [left])
            }
            return table
        }
        if let mbr, var dos = try readMBR(disk, mbr, isVolume: isVolume, &partitions) {
            if mbr.protectiveEntry != nil {
                dos.findings.append(
                    Finding(
                        .damage, LayoutCode.gptLost,
                        "the MBR announces a GPT, and neither copy of it is readable"))
            }
            return dos
        }
        if let label = try BSDLabel.read(disk, at: 0), !isVolume { return bsdTable(label, disk) }
        return PartitionTable(
            kind: isVolume ? .none : foreignKind(first), sectorSize: disk.sectorSize,
            findings: isVolume ? [] : foreignFindings(first))
    }

    /// Looks for a GPT in the disk's own sectors first, then in the other sizes: an image file of a disk with
    /// 4096-byte sectors does not say so.
    static func locateGPT(_ disk: any BlockDevice, mbr: MBRSector?) throws(StorageError) -> GPTLocation? {
        var found: GPTLocation?
        for size in [disk.sectorSize] + GPTHeader.sectorSizes.filter({ $0 != disk.sectorSize }) {
            guard let location = try GPTLocation.find(disk, sectorSize: size, mbr: mbr) else { continue }
            if location.primary.copy != nil { return location }
            if found == nil, location.best != nil { found = location }
        }
        return found
    }

    private static func readMBR(
        _ disk: any BlockDevice, _ mbr: MBRSector, isVolume: Bool, _ partitions: inout PartitionProbe
    ) throws(StorageError) -> PartitionTable? {
        guard !mbr.looksLikeVolumeBootRecord(partitions.probe) else { return nil }
        let native = disk.sectorSize
        let other: UInt32 = native == 512 ? 4096 : 512
        let nativeSectors = disk.byteCount / UInt64(native)
        guard mbr.hasSaneEntry(sectorCount: nativeSectors) else {
            // A table that was made and never filled, unless it is only a boot sector's mark.
            let isEmpty = mbr.entries.allSatisfy { !$0.isUsed }
            return isEmpty && mbr.signature != 0 && !isVolume
                ? PartitionTable(
                    kind: .dos, sectorSize: native, diskIdentifier: MBRReader.hex8(mbr.signature))
                : nil
        }
        var reader = MBRReader(disk, sector: mbr, sectorSize: native)
        let table = try reader.read()
        guard mbr.hasSaneEntry(sectorCount: disk.byteCount / UInt64(other)) else { return table }
        // The table does not say what it counts in: where no partition shows a signature, try the other unit.
        guard try !showsContents(table, &partitions) else { return table }
        var otherReader = MBRReader(disk, sector: mbr, sectorSize: other)
        var otherTable = try otherReader.read()
        guard try showsContents(otherTable, &partitions) else { return table }
        otherTable.findings.append(
            Finding(
                .note, LayoutCode.mbrOtherSectorSize,
                "the partition table counts in sectors of \(other) bytes: that is where the partitions' contents are"
            )
        )
        return otherTable
    }

    /// Whether any partition holds something known. Looks at no more than the first sixteen.
    private static func showsContents(
        _ table: PartitionTable, _ partitions: inout PartitionProbe
    ) throws(StorageError) -> Bool {
        for entry in table.entries.filter(\.holdsContents).prefix(16) {
            if try !partitions.candidates(entry.byteRange).isEmpty { return true }
        }
        return false
    }

    private static func bsdTable(_ label: BSDLabel, _ disk: any BlockDevice) -> PartitionTable {
        var table = PartitionTable(kind: .bsd, sectorSize: disk.sectorSize)
        let geometry = DiskGeometry(byteCount: disk.byteCount, sectorSize: disk.sectorSize)
        for part in label.partitions(inSliceAt: 0, isFreeBSD: true) {
            var entry = PartitionEntry(
                number: table.entries.count + 1, startSector: part.start, sectorCount: part.count,
                geometry: geometry, typeName: BSDLabel.typeName(part.type), role: .bsd)
            entry.typeCode = part.type
            table.entries.append(entry)
        }
        table.noteMisfits()
        return table
    }

    /// Labels of other systems, by their magic numbers in the first sector.
    private static func foreignKind(_ sector: [UInt8]) -> PartitionTable.Kind {
        if sector.big(508, as: UInt16.self) == 0xdabe { return .sun }
        if sector.big(0, as: UInt32.self) == 0x0be5_a941 { return .sgi }
        if sector.big(0, as: UInt16.self) == 0x4552 { return .mac }
        return .none
    }

    private static func foreignFindings(_ sector: [UInt8]) -> [Finding] {
        let kind = foreignKind(sector)
        guard kind != .none else { return [] }
        return [
            Finding(
                .warning, LayoutCode.foreignLabel,
                "the disk has a \(kind.rawValue) disk label; its partitions are not read")
        ]
    }
}
