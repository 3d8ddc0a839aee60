internal import Storage
internal import Synchronization

// The order that makes a power cut harmless:
//
//   1. grains (the image wrote them), tables that no directory names yet, the file's length, the unclean mark, and the next
//      free sector where the header keeps one: ESX would write over what lies behind it
//   2. barrier
//   3. entries of existing tables in both copies, directory entries of new tables
//   4. barrier
//   5. the unclean mark goes
//
// A cut before 4 leaves each entry old or new, in each copy for itself; what a new one names is on disk since 2.
// Both copies are written from the first one's content: where an earlier cut left them different, they agree again.

extension VMDKSparseExtent {
    /// The two copies of the directory and the tables.
    private typealias Copy = WritableKeyPath<VMDKGrainDirectory, [UInt32]> & Sendable

    /// Makes everything durable, tables after grains.
    func commit() throws(StorageError) {
        let (pending, old) = state.withLock { ($0.pending, $0.directory) }
        guard !pending.isEmpty else { return try file.flush() }
        let indices = pending.keys.sorted()
        var directory = old
        if !header.isUnclean { try file.write([1], at: header.uncleanOffset) }

        var written: [(sector: VMDKSector, table: [UInt32])] = []
        var waiting: [(sector: VMDKSector, table: [UInt32])] = []
        let copies: [any Copy] =
            directory.redundantOffset == nil ? [\.entries] : [\.entries, \.redundantEntries]
        let missing = copies.map { copy in indices.filter { directory[keyPath: copy][$0] == 0 } }
        var free = try claimTables(missing.reduce(0) { $0 + $1.count })
        for (copy, missing) in zip(copies, missing) {
            for index in missing {
                directory[keyPath: copy][index] = free.rawValue
                written.append((free, pending[index] ?? []))
                free.rawValue += UInt32(tableSectors)
            }
            let known = indices.filter { old[keyPath: copy][$0] != 0 }
            waiting += known.map { (VMDKSector(directory[keyPath: copy][$0]), pending[$0] ?? []) }
        }
        try write(written)
        // The last grain may not have been written to its end.
        let end = state.withLock { $0.nextFree }
        if file.byteCount < end { try file.truncate(to: end) }
        try moveFreeSector(to: end)
        try file.flush()

        try write(waiting)
        for (copy, missing) in zip(copies, missing) {
            let offset = copy == \.entries ? directory.offset : directory.redundantOffset ?? 0
            try write(entries: directory[keyPath: copy], changed: missing, at: offset)
        }
        try file.flush()
        finish(directory, pending)
        if !header.isUnclean {
            try file.write([0], at: header.uncleanOffset)
            try file.flush()
        }
    }

    /// Writes where free space begins, in extents that keep it. It never goes back.
    private func moveFreeSector(to end: UInt64) throws(StorageError) {
        guard let known = header.freeOffset else { return }
        let isBehind = state.withLock { state -> Bool in
            guard end > max(state.freeOffset, known) else { return false }
            state.freeOffset = end
            return true
        }
        guard isBehind, let sector = VMDKSector(containing: end) else { return }
        try file.write([sector.rawValue].littleEndianBytes, at: VMDKSparseHeader.freeSectorOffset)
    }

    private var tableSectors: UInt64 {
        UInt64(header.tableByteCount).dividedRoundingUp(by: VMDKSparseHeader.sectorSize)
    }

    /// The sector at which room for `count` tables begins; the first when none is needed.
    private func claimTables(_ count: Int) throws(StorageError) -> VMDKSector {
        guard count > 0 else { return VMDKSector(0) }
        let bytes = UInt64(count) * tableSectors * VMDKSparseHeader.sectorSize
        guard let first = VMDKSector(containing: try claim(bytes)) else { throw fileFull }
        return first
    }

    /// Writes tables, those that lie behind one another in one piece.
    private func write(_ tables: [(sector: VMDKSector, table: [UInt32])]) throws(StorageError) {
        let pieceLimit = 1 << 20
        let ordered = tables.sorted { $0.sector < $1.sector }
        var piece: [UInt8] = []
        var start: UInt64 = 0
        for (sector, table) in ordered {
            let offset = sector.offset
            if !piece.isEmpty, offset != start + UInt64(piece.count) || piece.count >= pieceLimit {
                try file.write(piece, at: start)
                piece = []
            }
            if piece.isEmpty { start = offset }
            piece += table.littleEndianBytes
        }
        if !piece.isEmpty { try file.write(piece, at: start) }
    }

    private func write(
        entries: [UInt32], changed: [Int], at offset: UInt64
    ) throws(StorageError) {
        guard let first = changed.first, let last = changed.last else { return }
        try file.write(Array(entries[first...last]).littleEndianBytes, at: offset + UInt64(first) * 4)
    }

    /// From here on the disk's tables are the pending ones.
    private func finish(_ directory: VMDKGrainDirectory, _ written: [Int: [UInt32]]) {
        state.withLock { state in
            state.directory = directory
            state.metadata = RangeSet()
            for (index, table) in written {
                state.pending[index] = nil
                state.cache.change(index) { $0 = table }
            }
        }
    }
}

extension [UInt32] {
    /// The numbers as little-endian bytes.
    var littleEndianBytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count * 4)
        bytes.withMutableBytes { span in
            for index in indices { span.storeLittle(self[index], at: index * 4) }
        }
        return bytes
    }
}
