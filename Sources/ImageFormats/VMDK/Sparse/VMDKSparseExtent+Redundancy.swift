internal import Storage
internal import Synchronization

extension VMDKSparseExtent {
    /// Tables larger than this, all together, are not read to open a disk: those of 64 GiB with ordinary grains.
    private static let eagerLimit = 4 << 20

    /// A sentence when grains are read by the copy of a table because the table names no place in the file. Of large disks, and
    /// of those without copies, only the check looks at that.
    func tableWarnings() throws(StorageError) -> [String] {
        let hasCopies = state.withLock { !$0.directory.redundantEntries.isEmpty }
        guard hasCopies, !header.isCompressed, header.tableCount * header.tableByteCount <= Self.eagerLimit
        else {
            return []
        }
        var replaced = 0
        var lost = 0
        for index in 0..<header.tableCount {
            // A table that is lost as a whole is told with the directory.
            guard let table = try? table(index) else { continue }
            for slot in table.indices where !header.isPlaceless(table[slot]) {
                guard grainStart(index, slot) < header.byteCount, checked(table[slot], index, slot) == nil
                else {
                    continue
                }
                if let copy = try redundantEntry(index, slot), copy > 1, checked(copy, index, slot) != nil {
                    replaced += 1
                } else {
                    lost += 1
                }
            }
        }
        var warnings: [String] = []
        if replaced > 0 {
            warnings.append(
                "\(replaced) entries of the grain tables are damaged; the redundant tables are used for them")
        }
        if lost > 0 {
            warnings.append("\(lost) entries of the grain tables are damaged; their data cannot be read")
        }
        return warnings
    }

    /// The entry of the copy of a table; nil where there is none.
    func redundantEntry(_ index: Int, _ slot: Int) throws(StorageError) -> UInt32? {
        let sector = state.withLock { state in
            state.directory.redundantEntries.indices.contains(index)
                ? state.directory.redundantEntries[index] : 0
        }
        guard sector != 0 else { return nil }
        let at = VMDKSector(sector).offset + UInt64(slot) * 4
        let bytes = try file.availableBytes(at: at, count: 4)
        return bytes.count == 4 ? bytes.little(0) : nil
    }
}
