internal import Storage
internal import Synchronization

// Writing in place. What a power cut can leave, at any point: a pending log that opening replays, and space at the
// end of the file that no table names. The order:
//
//  1. before the first change of a session: a pending log is replayed; then a header with new GUIDs, twice;
//  2. data (by `Image`): over sectors that are here, or at the end of the file; barrier,
//  3. table and bitmap pages as one log entry; barrier,
//  4. a header that names the log's GUID: from here on the change has happened; barrier,
//  5. the pages in their places; barrier,
//  6. a header without log GUID, twice.
//
// The log is written before the header names it, so a reader finds a whole entry or none.

extension VHDXMap {
    /// What has been decided and is not in the file's tables yet.
    struct Writing: Sendable {
        /// Table entries by index.
        var entries: [VHDXTableIndex: VHDXEntry] = [:]
        /// Bitmap parts of partial blocks, whole, by block.
        var bitmaps: [UInt64: [UInt8]] = [:]
        var bitmapByteCount = 0
        /// Where the file ends.
        var end: UInt64
        var isChanged = false
    }

    /// More than this is not held in memory: it is committed.
    private static let pendingEntryLimit = 4096
    private static let pendingBitmapLimit = 4 << 20

    func beginWriting() throws(StorageError) {
        guard !isFresh else { return }
        guard log != nil else {
            throw .vhdx(
                .refused, .logPlace,
                "the header names no usable log; the disk can be read, not written in place",
                structure: "header", field: "LogOffset", path: file.path)
        }
        let end = try checkTable()
        try state.withLock { (state) throws(StorageError) in
            guard state.headers.current.sequence <= UInt64.max - 1024 else {
                throw .vhdx(
                    .refused, .sequenceOverflow, "the header's sequence number cannot be raised",
                    structure: "header", field: "SequenceNumber", path: file.path)
            }
            if let replay = state.replay {
                try replay.write(to: file)
                try file.flush()
                state.replay = nil
                state.run = nil
                state.table = Self.table(file, regions, layout, nil)
            }
            state.writing.end = max(state.writing.end, end)
            let (write, data) = (try UUID16.random(), try UUID16.random())
            for _ in 0..<2 {
                try state.headers.update(file) { (header) throws(StorageError) in
                    header.logGUID = VHDXGUID.zero
                    header.fileWriteGUID = write
                    header.dataWriteGUID = data
                }
            }
        }
    }

    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        try state.withLock { (state) throws(StorageError) in
            let block = offset / layout.blockSize
            let start = block * layout.blockSize
            let end = start + length(of: block)
            let entry = try entry(of: block, &state)
            switch entry.state {
            case .full:
                return .inPlace(file: 0, offset: entry.offset + (offset - start), end: end)
            case .partial:
                let run = SectorBits.run(
                    try bitmap(of: block, &state), from: Int((offset - start) / layout.sectorSize),
                    limit: Int((end - start).dividedRoundingUp(by: layout.sectorSize)), order: Self.bitOrder)
                let stop = min(start + UInt64(run.end) * layout.sectorSize, end)
                return run.isSet
                    ? .inPlace(file: 0, offset: entry.offset + (offset - start), end: stop)
                    : .allocate(unit: layout.sectorSize, end: stop)
            default:
                return .allocate(unit: layout.sectorSize, end: end)
            }
        }
    }

    /// A block gets its place whole, at the end of the file, which reads as zeros: only what is written needs
    /// writing. Over a parent it holds the sectors that were written; where the child said zero, all of it.
    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        try state.withLock { (state) throws(StorageError) in
            if state.writing.entries.count >= Self.pendingEntryLimit
                || state.writing.bitmapByteCount >= Self.pendingBitmapLimit
            {
                try commit(&state)
            }
            let block = range.lowerBound / layout.blockSize
            let start = block * layout.blockSize
            let end = min(range.upperBound, start + length(of: block))
            let old = try entry(of: block, &state)
            state.run = nil
            state.writing.isChanged = true
            var place = old.offset
            switch old.state {
            case .full: break
            case .partial:
                try set(
                    range.lowerBound - start..<end - start, of: block, try bitmap(of: block, &state), &state)
            default:
                place = try claim(layout.blockSize, &state)
                let isWhole = range.lowerBound == start && end == start + length(of: block)
                let isPartial = isDifferencing && old.state == .notPresent && !isWhole
                state.writing.entries[layout.index(ofBlock: block)] = VHDXEntry(
                    isPartial ? .partial : .full, at: place)
                guard isPartial else { break }
                let index = layout.index(ofBitmapFor: block)
                if try entry(at: index, &state).state != .full {
                    state.writing.entries[index] = VHDXEntry(.full, at: try claim(1 << 20, &state))
                }
                // Whatever the bitmap said of the block before.
                try set(
                    range.lowerBound - start..<end - start, of: block,
                    [UInt8](repeating: 0, count: Int(layout.bitmapSize)), &state)
            }
            return Allocation(
                range: range.lowerBound..<end, file: 0, offset: place + (range.lowerBound - start))
        }
    }

    /// Marks bytes of a block as here.
    private func set(
        _ range: Range<UInt64>, of block: UInt64, _ old: [UInt8], _ state: inout State
    ) throws(StorageError) {
        var bits = old
        SectorBits.set(
            &bits,
            Int(
                range.lowerBound / layout.sectorSize)..<Int(
                    range.upperBound.dividedRoundingUp(by: layout.sectorSize)),
            order: Self.bitOrder)
        if state.writing.bitmaps.updateValue(bits, forKey: block) == nil {
            state.writing.bitmapByteCount += bits.count
        }
    }

    /// Room at the end of the file, at a multiple of 1 MiB.
    private func claim(_ count: UInt64, _ state: inout State) throws(StorageError) -> UInt64 {
        guard let start = state.writing.end.roundedUp(to: VHDXRegions.alignment), let end = start +? count,
            end <= UInt64(Int64.max)
        else {
            throw .vhdx(
                .refused, .fileTooLarge, "the file is too large for another block",
                offset: state.writing.end, path: file.path)
        }
        guard !file.hasFixedLength else {
            throw .vhdx(
                .refused, .cannotGrow, "a new block is needed, and a VHDX on a block device cannot grow",
                path: file.path)
        }
        try file.truncate(to: end)
        state.writing.end = end
        return start
    }

    func commit() throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in try commit(&state) }
    }

    private func commit(_ state: inout State) throws(StorageError) {
        guard state.writing.isChanged else { return try file.flush() }
        fillWholeBlocks(&state)
        try file.flush()
        let pages = try changedPages(&state)
        if isFresh {
            for page in pages { try file.write(page.bytes, at: page.offset) }
            try file.flush()
        } else {
            try writeThroughLog(pages, &state)
        }
        for page in pages where regions.bat.contains(page.offset) {
            state.table.update(page.bytes, at: page.offset - regions.bat.lowerBound)
        }
        for (block, bits) in state.writing.bitmaps { state.bitmaps.keep(bits, for: block) }
        state.writing = Writing(end: state.writing.end)
    }

    /// A partial block of which every sector is here becomes a full one.
    private func fillWholeBlocks(_ state: inout State) {
        for (block, bits) in state.writing.bitmaps {
            let limit = Int(length(of: block).dividedRoundingUp(by: layout.sectorSize))
            let run = SectorBits.run(bits, from: 0, limit: limit, order: Self.bitOrder)
            guard run.isSet, run.end == limit, let entry = try? entry(of: block, &state) else { continue }
            state.writing.entries[layout.index(ofBlock: block)] = VHDXEntry(.full, at: entry.offset)
        }
    }

    /// The 4 KiB pages of table and bitmaps that change, as they will be, in order.
    private func changedPages(_ state: inout State) throws(StorageError) -> [(offset: UInt64, bytes: [UInt8])]
    {
        var pages = VHDXPages(file: file)
        for (index, entry) in state.writing.entries {
            var bytes = [UInt8](repeating: 0, count: 8)
            bytes.storeLittle(entry.raw, at: 0)
            try pages.put(bytes, at: regions.bat.lowerBound + index.byteOffset)
        }
        for (block, bits) in state.writing.bitmaps {
            let bitmap = try entry(at: layout.index(ofBitmapFor: block), &state)
            try pages.put(bits, at: bitmap.offset + layout.bitmapOffset(ofBlock: block))
        }
        return pages.changed
    }

    /// Steps 3 to 6, for as many pages at a time as the log holds.
    func writeThroughLog(
        _ pages: [(offset: UInt64, bytes: [UInt8])], _ state: inout State
    ) throws(StorageError) {
        guard let log else { return }
        let sectors = Int(min((log.upperBound - log.lowerBound) / 4096, 1024))
        // One sector in 129 is descriptors.
        let capacity = sectors - VHDXLogEntry.descriptorSectors(sectors)
        var done = 0
        while done < pages.count {
            let part = Array(pages[done..<min(done + capacity, pages.count)])
            let guid = try UUID16.random()
            let entry = VHDXLogEntry.encoded(
                pages: part, sequence: 1, position: 0, guid: guid, fileSize: file.byteCount)
            try file.write(entry, at: log.lowerBound)
            try file.flush()
            try state.headers.update(file) { (header) throws(StorageError) in header.logGUID = guid }
            for page in part { try file.write(page.bytes, at: page.offset) }
            try file.flush()
            for _ in 0..<2 {
                try state.headers.update(file) { (header) throws(StorageError) in
                    header.logGUID = VHDXGUID.zero
                }
            }
            done += part.count
        }
    }
}
