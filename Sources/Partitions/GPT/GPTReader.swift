internal import Storage

/// Turns a located GPT into a partition table with findings about its copies.
enum GPTReader {
    /// Partitions that are listed at most.
    static let partitionLimit = 1024

    /// The table of the best copy; nil when there is none.
    static func table(_ location: GPTLocation, mbr: MBRSector?) -> PartitionTable? {
        guard let (copy, source) = location.best else { return nil }
        let header = copy.header
        let geometry = location.geometry
        var table = PartitionTable(
            kind: .gpt, sectorSize: geometry.sectorSize, diskIdentifier: header.diskGUID.description,
            source: source,
            usableSectors: header.firstUsable <= header.lastUsable
                ? header.firstUsable...header.lastUsable : nil)
        for index in 0..<header.entryCount {
            guard let entry = GPTEntry(copy.entryBytes, at: index * header.entrySize) else { continue }
            guard table.entries.count < partitionLimit else {
                table.findings.append(
                    Finding(
                        .warning, LayoutCode.gptPartitionLimit,
                        "more than \(partitionLimit) partitions; the rest is left out"))
                break
            }
            guard let made = entry.partition(number: index + 1, geometry: geometry) else {
                table.findings.append(
                    Finding(
                        .damage, LayoutCode.gptEntryBackwards,
                        "partition \(index + 1) ends before it begins and is left out"))
                continue
            }
            table.entries.append(made)
        }
        table.findings += GPTCheck.findings(location, mbr: mbr)
        table.noteMisfits()
        return table
    }
}

/// A used entry of a GPT's array (UEFI 2.10, 5.3.3). Entries may be longer than the 128 bytes that are defined.
struct GPTEntry {
    let type: UUID16
    let uuid: UUID16
    let first: UInt64
    /// Inclusive.
    let last: UInt64
    let attributes: UInt64
    let name: String

    /// The entry at byte `offset`; nil when the slot is not used. Traps unless 128 bytes are there.
    init?(_ bytes: [UInt8], at offset: Int) {
        type = UUID16(mixedEndian: bytes.span8, at: offset)
        guard !type.isZero else { return nil }
        uuid = UUID16(mixedEndian: bytes.span8, at: offset + 16)
        first = bytes.little(offset + 32)
        last = bytes.little(offset + 40)
        attributes = bytes.little(offset + 48)
        // 36 UTF-16 units up to a NUL; some tools fill the rest with FFFF.
        let units = (0..<36).map { bytes.little(offset + 56 + $0 * 2, as: UInt16.self) }
        name = String(decoding: units.prefix { $0 != 0 && $0 != 0xffff }, as: UTF16.self)
    }

    /// The partition; nil when its end is before its start.
    func partition(number: Int, geometry: DiskGeometry) -> PartitionEntry? {
        guard first > 0, last >= first, let count = (last - first) +? 1 else { return nil }
        var made = PartitionEntry(
            number: number, startSector: first, sectorCount: count, geometry: geometry,
            typeName: GPTType.name(type), role: .primary)
        made.typeGUID = type
        made.partitionUUID = uuid.description
        made.name = name.isEmpty ? nil : name
        made.attributes = attributes
        return made
    }
}
