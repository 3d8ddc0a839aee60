package import Storage

/// Writes a damaged, missing or displaced copy of a GPT anew from the sound one.
///
/// What a power cut can leave: the copy that the plan reads from is written only after the other copy has been
/// written and flushed, so at every moment at least one copy is sound. A displaced backup is never written. The
/// protective MBR comes last, and of it only the partition entries: boot code and disk signature stay.
package struct GPTRepair: Sendable {
    /// What will be done, a sentence each.
    package let actions: [String]
    /// One write a phase.
    package let writes: OrderedWrites
    private let sectorSize: UInt32
    private let source: GPTCopy

    /// The repair that the disk needs; nil when its table is in order or it has none. Throws `refused` when no copy
    /// is sound or when a partition is in the way. Nothing is written.
    package static func plan(_ disk: any BlockDevice) throws(StorageError) -> GPTRepair? {
        guard disk.byteCount >= 512 else { return nil }
        let first = try disk.bytes(at: 0, count: 512)
        let mbr = MBRSector(first)
        guard let location = try DiskTable.locateGPT(disk, mbr: mbr) else {
            guard mbr?.protectiveEntry != nil else { return nil }
            throw .partition(
                .refused, .noGoodCopy,
                "neither copy of the GPT is sound, so there is nothing to repair it from")
        }
        // A GPT left over on a disk that is used otherwise is not to be brought back.
        guard mbr?.protectiveEntry != nil || location.primary.copy != nil,
            mbr.map({ !$0.entries.contains { $0.isUsed } || $0.protectiveEntry != nil }) ?? true,
            var planner = try GPTRepairPlanner(location, first)
        else { return nil }
        try planner.plan(mbr: mbr)
        guard !planner.writes.isEmpty else { return nil }
        return GPTRepair(
            actions: planner.actions, writes: planner.writes, sectorSize: location.geometry.sectorSize,
            source: planner.source)
    }

    /// Writes, with a barrier after each phase. Throws `refused`, code "table-changed", when the copy that the plan
    /// was made from is no longer what it was.
    package func commit(to disk: any WritableBlockDevice) throws(StorageError) {
        let geometry = DiskGeometry(byteCount: disk.byteCount, sectorSize: sectorSize)
        let now = try GPTCopy.read(disk, at: source.header.ownSector, geometry: geometry)
        guard case .copy(let copy) = now, copy == source else {
            throw .partition(.refused, .tableChanged, "the partition table changed since it was looked at")
        }
        try writes.commit(to: disk)
    }
}

extension Finding.Repair {
    /// A damaged, missing or displaced copy of a GPT is written anew from the sound one.
    package static let gpt = Finding.Repair("gpt")
}
