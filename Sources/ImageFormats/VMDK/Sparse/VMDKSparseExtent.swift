internal import Storage
internal import Synchronization

/// A sparse extent, hosted or ESX's: a grain directory leads to grain tables, whose entries are the sectors of the grains.
/// Positions given to it are bytes from the extent's own start.
///
/// Grain table entries: 0 not in this image, 1 zeros, else a sector of the file. (VMware, "Virtual Disk Format
/// 5.0", "Hosted Sparse Extents"; 1 is only used by writers that set flag 4, and can never be a grain.)
final class VMDKSparseExtent: Sendable {
    let file: any ByteFile
    /// The file's place among the map's host files.
    let fileIndex: Int
    let header: VMDKSparseHeader
    let warnings: [String]
    /// Whether its directories contradict the file, so that it must not be changed.
    let isDamaged: Bool
    let state: Mutex<State>

    struct State: Sendable {
        var directory: VMDKGrainDirectory
        /// Tables as they are on disk.
        var cache = BoundedCache<Int, [UInt32]>(budget: VMDKSparseExtent.cacheLimit)
        /// Tables with entries that are not on disk yet, or that were put together from what is left of a stream.
        var pending: [Int: [UInt32]] = [:]
        /// Where the next grain may go; 0 until something was allocated.
        var nextFree: UInt64 = 0
        /// Where free space begins by what this session wrote into a header that keeps it; 0: nothing yet.
        var freeOffset: UInt64 = 0
        /// Metadata that no grain may overlap, once something was written.
        var metadata = RangeSet<UInt64>()
    }

    /// Bytes of tables that are kept.
    private static let cacheLimit = 2 << 20
    /// Absent tables that one answer may cover, so that a small read does not walk a whole directory.
    private static let absentLimit = 4096
    /// Bytes of tables that lie behind one another and are read at a time.
    private static let readAhead = 64 << 10

    /// An extent over a directory that was read or made for `header`. `tables` count where the file's own do not.
    init(
        _ file: any ByteFile, fileIndex: Int, header: VMDKSparseHeader, directory: VMDKGrainDirectory,
        tables: [Int: [UInt32]] = [:], warnings: [String] = []
    ) {
        self.file = file
        self.fileIndex = fileIndex
        self.header = header
        self.warnings = directory.warnings + warnings
        isDamaged = directory.isDamaged
        state = Mutex(State(directory: directory, pending: tables))
    }

    // MARK: Extents

    /// The run at byte `offset`, not past the end of its grain table unless nothing is there. `base` is where the
    /// extent begins on the disk: the answer counts from the disk's start.
    func extent(at offset: UInt64, base: UInt64) throws(StorageError) -> Extent {
        let (index, slot) = place(of: offset)
        guard let table = try table(index) else {
            let end = min(UInt64(endOfAbsentTables(from: index)) * header.tableSpan, header.byteCount)
            return Extent(range: base + offset..<base + end, kind: .absent)
        }
        let entry = table[slot]
        if header.isPlaceless(entry) {
            let end = grainEnd(index, run(table, from: slot, step: 0))
            return Extent(range: base + offset..<base + end, kind: entry == 0 ? .absent : .zero)
        }
        if header.isCompressed { return try compressedGrain(at: offset, entry: entry, base: base) }
        let start = grainStart(index, slot)
        let position = try position(of: entry, index, slot)
        let end = endOfPlainRun(table, index, slot, entry: entry, position: position)
        return Extent(
            range: base + offset..<base + end,
            kind: .plain(file: fileIndex, offset: position + (offset - start)))
    }

    /// The table and the entry in it for byte `offset`, which lies inside the extent.
    func place(of offset: UInt64) -> (index: Int, slot: Int) {
        let grain = offset / header.grainSize
        let entries = UInt64(header.entriesPerTable)
        return (Int(grain / entries), Int(grain % entries))
    }

    /// The extent's byte at which a grain begins.
    func grainStart(_ index: Int, _ slot: Int) -> UInt64 {
        UInt64(index) * header.tableSpan + UInt64(slot) * header.grainSize
    }

    /// The byte at which the grains before `slot` end.
    func grainEnd(_ index: Int, _ slot: Int) -> UInt64 { min(grainStart(index, slot), header.byteCount) }

    /// The slot behind the run of entries that begins at `slot` and grows by `step` each.
    func run(_ table: [UInt32], from slot: Int, step: UInt32) -> Int {
        var next = slot + 1
        var expected = table[slot] &+ step
        while next < table.count, table[next] == expected {
            next += 1
            expected &+= step
        }
        return next
    }

    /// The extent's byte at which a run of grains that follow one another in the file ends. Grains past the end of
    /// the file are no part of it: they fail when they are read themselves.
    func endOfPlainRun(
        _ table: [UInt32], _ index: Int, _ slot: Int, entry: UInt32, position: UInt64
    ) -> UInt64 {
        // The entry may have come from the redundant table; then it stands alone.
        guard table[slot] == entry, position == VMDKSector(entry).offset else {
            return grainEnd(index, slot + 1)
        }
        let step = UInt32(header.grainSize / VMDKSparseHeader.sectorSize)
        let last = run(table, from: slot, step: step)
        let available = file.byteCount - position
        let start = grainStart(index, slot)
        let end = grainEnd(index, last)
        guard end - start > available else { return end }
        return max(start + available / header.grainSize * header.grainSize, grainEnd(index, slot + 1))
    }

    /// Where the grain of an entry lies in the file. Where the entry cannot be right the redundant table is asked.
    private func position(of entry: UInt32, _ index: Int, _ slot: Int) throws(StorageError) -> UInt64 {
        if let position = checked(entry, index, slot) { return position }
        if let copy = try redundantEntry(index, slot), copy > 1, let position = checked(copy, index, slot) {
            return position
        }
        throw .vmdk(
            .corrupt, .grainPlace, "a grain lies past the end of the file; is it truncated?",
            structure: "grain table \(index)", field: "entry \(slot)",
            offset: VMDKSector(entry).offset, path: file.path)
    }

    /// The grain's position when the file has all of it that belongs to the disk.
    func checked(_ entry: UInt32, _ index: Int, _ slot: Int) -> UInt64? {
        let position = VMDKSector(entry).offset
        let needed = header.isCompressed ? 4 : grainEnd(index, slot + 1) - grainStart(index, slot)
        return position >= header.ownByteCount && position + needed <= file.byteCount ? position : nil
    }

    // MARK: Tables

    private func endOfAbsentTables(from index: Int) -> Int {
        state.withLock { state in
            var next = index + 1
            let end = min(state.directory.entries.count, index + Self.absentLimit)
            while next < end, state.directory.entries[next] == 0, state.pending[next] == nil {
                next += 1
            }
            return next
        }
    }

    /// The entries of a table, changes included; nil when the directory has none.
    func table(_ index: Int) throws(StorageError) -> [UInt32]? {
        let (known, sectors) = state.withLock { state -> ([UInt32]?, ArraySlice<UInt32>) in
            if let table = state.pending[index] ?? state.cache.value(for: index) { return (table, []) }
            return (nil, followers(of: index, in: state.directory.entries))
        }
        if let known { return known }
        guard let first = sectors.first, first != 0 else { return nil }
        let size = header.tableByteCount
        let offset = VMDKSector(first).offset
        // The directory's check left entries that neither copy has right.
        guard offset + UInt64(size) <= file.byteCount else {
            throw .vmdk(
                .corrupt, .grainTable, "the grain table lies past the end of the file; is it truncated?",
                structure: "grain directory", field: "entry \(index)", offset: offset, path: file.path)
        }
        let stride = Int(tableStride)
        let bytes = try file.availableBytes(at: offset, count: (sectors.count - 1) * stride + size)
        var result: [UInt32]?
        var loaded: [(Int, [UInt32])] = []
        for step in 0..<sectors.count where step * stride + size <= bytes.count {
            let table = Array(bytes[step * stride..<step * stride + size]).littleEndianWords
            if step == 0 { result = table }
            loaded.append((index + step, table))
        }
        state.withLock { state in
            // A table that came meanwhile may be newer than what was read.
            for (index, table) in loaded where state.cache.value(for: index) == nil {
                state.cache.keep(table, for: index, cost: size)
            }
        }
        return result
    }

    /// Bytes from one table to the next where writers lay them out in a row: whole sectors.
    private var tableStride: UInt64 {
        UInt64(header.tableByteCount).dividedRoundingUp(by: VMDKSparseHeader.sectorSize)
            * VMDKSparseHeader.sectorSize
    }

    /// The sectors of the tables from `index` on that lie in a row in the file.
    private func followers(of index: Int, in entries: [UInt32]) -> ArraySlice<UInt32> {
        guard entries.indices.contains(index) else { return [] }
        let step = UInt32(tableStride / VMDKSparseHeader.sectorSize)
        var end = index + 1
        while end < entries.count, end - index < max(Self.readAhead / header.tableByteCount, 1),
            entries[index] != 0,
            entries[end] == entries[end - 1] &+ step
        {
            end += 1
        }
        return entries[index..<end]
    }
}
