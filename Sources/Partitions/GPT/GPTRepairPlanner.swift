internal import Storage

/// Works out the writes of a `GPTRepair`.
struct GPTRepairPlanner {
    let location: GPTLocation
    /// The copy to believe.
    let source: GPTCopy
    private let firstSector: [UInt8]
    private let last: UInt64
    private let entrySectors: UInt64
    private(set) var actions: [String] = []
    private(set) var writes = OrderedWrites()

    /// Nil when no copy is sound.
    init?(_ location: GPTLocation, _ firstSector: [UInt8]) throws(StorageError) {
        guard let best = location.best else { return nil }
        self.location = location
        self.firstSector = firstSector
        source = best.copy
        last = location.geometry.sectorCount - 1
        entrySectors = best.copy.header.entrySectorCount(location.geometry)
    }

    mutating func plan(mbr: MBRSector?) throws(StorageError) {
        let header = source.header
        let backupStart = last - min(entrySectors, last)
        let isBackupSound =
            location.backup.copy.map { isSame($0) && $0.header.alternateSector == 1 } ?? false
        // Where the disk's end is not where the table has it, the usable space ends in front of the new backup.
        let endsElsewhere = header.ownSector != last && header.alternateSector != last
        let lastUsable =
            endsElsewhere || header.lastUsable >= backupStart && !isBackupSound
            ? backupStart - min(1, backupStart) : header.lastUsable

        if location.primary.copy == nil {
            // Points to the sound copy until there is one at the end.
            let primary = try primaryCopy(alternate: header.ownSector, lastUsable: header.lastUsable)
            let from = header.ownSector == last ? "the backup" : "the backup at sector \(header.ownSector)"
            add("write the primary GPT at sector 1 from \(from)", primary)
        }
        if !isBackupSound {
            try requireRoom(from: backupStart)
            add(
                "write the backup GPT at the disk's end, sector \(last)",
                copy(own: last, alternate: 1, entries: backupStart, lastUsable: lastUsable))
        }
        if endsElsewhere || header.ownSector == 1 && lastUsable != header.lastUsable {
            let primary =
                header.ownSector == 1
                ? copy(own: 1, alternate: last, entries: header.entriesSector, lastUsable: lastUsable)
                : try primaryCopy(alternate: last, lastUsable: lastUsable)
            // The entries are there already.
            add("enter the backup's place and the disk's size in the primary GPT", Array(primary.suffix(1)))
        }
        planMBR(mbr)
    }

    private func isSame(_ copy: GPTCopy) -> Bool { copy.header.describesSameTable(as: source.header) }

    /// Each write is a phase of its own.
    private mutating func add(_ action: String, _ phases: [(name: String, write: OrderedWrites.Write)]) {
        actions.append(action)
        for phase in phases { writes.add(phase.name, [phase.write]) }
    }

    // MARK: Copies

    private func primaryCopy(
        alternate: UInt64, lastUsable: UInt64
    ) throws(StorageError) -> [(name: String, write: OrderedWrites.Write)] {
        // Sector 2 is where the array begins in every table but a few that say otherwise.
        guard 2 + entrySectors <= source.header.firstUsable else {
            throw .partition(
                .refused, .noRoomForBackup,
                "the primary GPT's entries do not fit in front of the first usable sector")
        }
        return copy(own: 1, alternate: alternate, entries: 2, lastUsable: lastUsable)
    }

    private func copy(
        own: UInt64, alternate: UInt64, entries: UInt64, lastUsable: UInt64
    ) -> [(name: String, write: OrderedWrites.Write)] {
        var header = source.header.bytes
        header.storeLittle(own, at: 24)
        header.storeLittle(alternate, at: 32)
        header.storeLittle(lastUsable, at: 48)
        header.storeLittle(entries, at: 72)
        // Checked when the header was read: 92 up to the sector's size.
        let size = Int(header.little(12, as: UInt32.self))
        header.storeLittle(GPTHeader.checksum(header, headerSize: size), at: 16)
        let sector = UInt64(location.geometry.sectorSize)
        return [
            ("GPT entries at sector \(entries)", .init(offset: entries * sector, bytes: source.entryBytes)),
            ("GPT header at sector \(own)", .init(offset: own * sector, bytes: header)),
        ]
    }

    /// No partition may reach into the place of the backup.
    private func requireRoom(from start: UInt64) throws(StorageError) {
        for index in 0..<source.header.entryCount {
            guard let entry = GPTEntry(source.entryBytes, at: index * source.header.entrySize) else {
                continue
            }
            guard entry.last < start else {
                throw .partition(
                    .refused, .noRoomForBackup,
                    "partition \(index + 1) reaches to sector \(entry.last), where the backup GPT must go; the disk is too short"
                )
            }
        }
        guard start > source.header.firstUsable else {
            throw .partition(.refused, .noRoomForBackup, "the disk is too short for a backup GPT")
        }
    }

    // MARK: MBR

    private static let entriesOffset = 446

    /// A protective entry that covers the disk. Hybrid MBRs are left alone.
    private mutating func planMBR(_ mbr: MBRSector?) {
        let count = UInt32(clamping: last)
        guard let mbr, mbr.protectiveEntry != nil else {
            let table = firstSector[Self.entriesOffset..<510]
            guard table.allSatisfy({ $0 == 0 }) else { return }
            var bytes = [UInt8](repeating: 0, count: 66)
            bytes.replaceSubrange(0..<8, with: [0, 0, 2, 0, MBRType.protective, 0xff, 0xff, 0xff])
            bytes.storeLittle(UInt32(1), at: 8)
            bytes.storeLittle(count, at: 12)
            bytes[64] = 0x55
            bytes[65] = 0xaa
            add(
                "write the protective MBR's entry",
                [("protective MBR", .init(offset: UInt64(Self.entriesOffset), bytes: bytes))])
            return
        }
        let used = mbr.entries.indices.filter { mbr.entries[$0].isUsed }
        // Many tools write all ones whatever the size; Linux takes that as well.
        guard used.count == 1, let slot = used.first, mbr.entries[slot].start == 1,
            mbr.entries[slot].count != count,
            mbr.entries[slot].count != .max
        else { return }
        var bytes = [UInt8](repeating: 0, count: 4)
        bytes.storeLittle(count, at: 0)
        add(
            "enter the disk's size in the protective MBR",
            [("protective MBR", .init(offset: UInt64(Self.entriesOffset + slot * 16 + 12), bytes: bytes))])
    }
}
