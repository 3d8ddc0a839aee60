internal import Storage
internal import Synchronization

/// The map of a VHDX disk of any kind.
final class VHDXMap: WritableImageMap {
    static let bitOrder = SectorBits.Order.leastSignificantFirst

    let file: any ByteFile
    let byteCount: UInt64
    let sectorSize: UInt32
    var hostFiles: [any ByteFile] { [file] }

    let regions: VHDXRegions
    let log: Range<UInt64>?
    let layout: VHDXTableLayout
    let isDifferencing: Bool
    /// Made in this session and named by nobody yet: no order of writes matters before the first commit.
    let isFresh: Bool
    /// The length that a pending log gives the file.
    private let replayedSize: UInt64

    let state: Mutex<State>

    /// What changes: caches, and what has been decided and is not in the file's tables yet.
    struct State: Sendable {
        var headers: VHDXHeaders
        var table: TablePages
        /// A pending log, until it is replayed on disk.
        var replay: VHDXReplay?
        var bitmaps: SectorBitCache
        var writing: Writing
        /// The last long run that was found, so that small reads within it need no search.
        var run: Extent?
    }

    init(_ disk: VHDXDisk, isFresh: Bool = false) {
        let file = disk.file
        self.file = file
        self.isFresh = isFresh
        byteCount = disk.metadata.byteCount
        sectorSize = disk.metadata.sectorSize
        regions = disk.regions
        log = disk.log
        layout = VHDXTableLayout(disk.metadata)
        isDifferencing = disk.metadata.hasParent
        replayedSize = disk.replay?.fileSize ?? 0
        state = Mutex(
            State(
                headers: disk.headers, table: Self.table(file, regions, layout, disk.replay),
                replay: disk.replay, bitmaps: .forBitmaps,
                writing: Writing(end: max(file.byteCount, replayedSize))))
    }

    /// The block allocation table in the file, a pending log applied.
    static func table(
        _ file: any ByteFile, _ regions: VHDXRegions, _ layout: VHDXTableLayout, _ replay: VHDXReplay?
    ) -> TablePages {
        let start = regions.bat.lowerBound
        return TablePages(byteCount: layout.entryCount * 8) { (offset, count) throws(StorageError) in
            try VHDXDisk.bytes(of: file, replay, at: start + offset, count: count)
        }
    }

    // MARK: Reading

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        try state.withLock { (state) throws(StorageError) in
            if let run = state.run, run.range.contains(offset) {
                return run.clamped(to: offset..<run.range.upperBound) ?? run
            }
            var extent = try piece(at: offset, &state)
            var pieces: UInt64 = 0
            while extent.range.upperBound < byteCount, pieces < Self.mergeLimit {
                // What is wrong further on is told when it is asked for.
                guard let next = try? piece(at: extent.range.upperBound, &state) else { break }
                guard continues(extent, next) else { break }
                extent.range = offset..<next.range.upperBound
                pieces += 1
            }
            state.run = extent
            return extent
        }
    }

    /// More pieces than this are not put together in one go: one call stays short on any table.
    private static let mergeLimit: UInt64 = 1 << 16

    private func continues(_ extent: Extent, _ next: Extent) -> Bool {
        guard case .plain(let file, let offset) = extent.kind else { return next.kind == extent.kind }
        return next.kind
            == .plain(file: file, offset: offset + (next.range.lowerBound - extent.range.lowerBound))
    }

    /// A run that does not leave its block, or goes over several of which nothing is here.
    private func piece(at offset: UInt64, _ state: inout State) throws(StorageError) -> Extent {
        let block = offset / layout.blockSize
        let start = block * layout.blockSize
        let end = start + length(of: block)
        let entry = try entry(of: block, &state)
        switch entry.state {
        case .notPresent:
            let next = try endOfNotPresent(from: block, &state)
            return Extent(
                range: offset..<min(next * layout.blockSize, byteCount),
                kind: isDifferencing ? .absent : .zero)
        case .full:
            let last = try endOfContiguous(from: block, at: entry.offset, &state)
            let end = min(last * layout.blockSize, byteCount)
            return placed(offset..<end, at: entry.offset + (offset - start), state)
        case .partial:
            let bits = try bitmap(of: block, &state)
            let run = SectorBits.run(
                bits, from: Int((offset - start) / layout.sectorSize),
                limit: Int((end - start).dividedRoundingUp(by: layout.sectorSize)), order: Self.bitOrder)
            let range = offset..<min(start + UInt64(run.end) * layout.sectorSize, end)
            return run.isSet
                ? placed(range, at: entry.offset + (offset - start), state)
                : Extent(range: range, kind: .absent)
        case .undefined, .zero, .unmapped, .unmappedDraft, nil:
            return Extent(range: offset..<end, kind: .zero)
        }
    }

    /// Guest bytes that lie at `host`, or the first part of them that is all in the file or all in a pending log.
    private func placed(_ range: Range<UInt64>, at host: UInt64, _ state: State) -> Extent {
        guard let replay = state.replay else {
            return Extent(range: range, kind: .plain(file: 0, offset: host))
        }
        let limit = host + (range.upperBound - range.lowerBound)
        let size = file.byteCount
        // What the log adds behind the file's end is in memory too.
        if host >= size { return Extent(range: range, kind: .memory) }
        let inFile = min(limit, size)
        let (changed, end) =
            replay.touches(host / 4096 * 4096..<inFile)
            ? replay.isChanged(at: host, limit: inFile) : (false, inFile)
        return Extent(
            range: range.lowerBound..<range.lowerBound + (end - host),
            kind: changed ? .memory : .plain(file: 0, offset: host))
    }

    func readMemory(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        let count = target.byteCount
        let bytes = try state.withLock { (state) throws(StorageError) -> [UInt8] in
            var bytes: [UInt8] = []
            while bytes.count < count {
                let position = offset + UInt64(bytes.count)
                let block = position / layout.blockSize
                let start = block * layout.blockSize
                let step = min(count - bytes.count, Int(start + length(of: block) - position))
                let host = try entry(of: block, &state).offset + (position - start)
                bytes += try VHDXDisk.bytes(of: file, state.replay, at: host, count: step)
            }
            return bytes
        }
        target.copy(bytes.span8, to: 0)
    }

    /// Guest bytes in a block: all of it but in the last one.
    func length(of block: UInt64) -> UInt64 { min(layout.blockSize, byteCount - block * layout.blockSize) }

    // MARK: The table

    /// The entry at `index` of the table, as it stands or is about to.
    func entry(at index: VHDXTableIndex, _ state: inout State) throws(StorageError) -> VHDXEntry {
        if let new = state.writing.entries[index] { return new }
        let page = try state.table.page(holding: index.byteOffset)
        let within = Int(index.byteOffset % UInt64(TablePages.pageSize))
        guard within + 8 <= page.count else { return VHDXEntry(raw: 0) }
        return VHDXEntry(raw: page.little(within))
    }

    /// A block's entry. Throws for a state or place that cannot be.
    func entry(of block: UInt64, _ state: inout State) throws(StorageError) -> VHDXEntry {
        let index = layout.index(ofBlock: block)
        let entry = try entry(at: index, &state)
        try check(entry, index: index, count: length(of: block))
        return entry
    }

    /// The first block from `block` (not present itself) on that is in another state.
    private func endOfNotPresent(from block: UInt64, _ state: inout State) throws(StorageError) -> UInt64 {
        var index = layout.index(ofBlock: block).rawValue + 1
        let last = layout.index(ofBlock: layout.blockCount - 1).rawValue
        let hasNew = !state.writing.entries.isEmpty
        while index <= last {
            let page = try state.table.page(holding: index * 8)
            let first = index * 8 / UInt64(TablePages.pageSize) * UInt64(TablePages.pageSize) / 8
            let stop = min(first + UInt64(page.count / 8), last + 1)
            guard stop > index else { break }
            let span = page.span8
            if !hasNew, span.isAllZero {
                index = stop
                continue
            }
            while index < stop {
                let isOther =
                    span.little(Int(index - first) * 8, as: UInt64.self) & 7 != 0
                    || hasNew && state.writing.entries[VHDXTableIndex(index)] != nil
                if isOther, !layout.isBitmap(VHDXTableIndex(index)) {
                    return layout.block(at: VHDXTableIndex(index))
                }
                index += 1
            }
        }
        return layout.blockCount
    }

    /// The block behind those from `block` on that lie one after the other in the file from `host` on: all of a fixed
    /// disk. Looks no further than is known to be sound.
    private func endOfContiguous(
        from block: UInt64, at host: UInt64, _ state: inout State
    ) throws(StorageError) -> UInt64 {
        guard state.replay == nil, state.writing.entries.isEmpty else { return block + 1 }
        var limit = file.byteCount
        for table in [log, regions.bat, regions.metadata] {
            if let start = table?.lowerBound, start >= host { limit = min(limit, start) }
        }
        var index = layout.index(ofBlock: block).rawValue + 1
        let last = layout.index(ofBlock: layout.blockCount - 1).rawValue
        var place = host + layout.blockSize
        while index <= last, index - layout.index(ofBlock: block).rawValue < Self.mergeLimit * 64 {
            let page = try state.table.page(holding: index * 8)
            let first = index * 8 / UInt64(TablePages.pageSize) * UInt64(TablePages.pageSize) / 8
            let stop = min(first + UInt64(page.count / 8), last + 1)
            guard stop > index else { break }
            let span = page.span8
            while index < stop {
                if !layout.isBitmap(VHDXTableIndex(index)) {
                    let raw: UInt64 = span.little(Int(index - first) * 8)
                    guard raw & ~0xf_fff8 == place | 6, place < limit, limit - place >= layout.blockSize
                    else {
                        return layout.block(at: VHDXTableIndex(index))
                    }
                    place += layout.blockSize
                }
                index += 1
            }
        }
        return index > last ? layout.blockCount : layout.block(at: VHDXTableIndex(index))
    }

    /// Throws unless the state exists and `count` bytes at the entry's place lie in the file and off its tables.
    func check(_ entry: VHDXEntry, index: VHDXTableIndex, count: UInt64) throws(StorageError) {
        let place = regions.bat.lowerBound + index.byteOffset
        func bad(_ code: VHDXCode, _ message: String) -> StorageError {
            .vhdx(.corrupt, code, message, structure: "block allocation table", offset: place)
        }
        guard let state = entry.state, state != .partial || isDifferencing else {
            throw bad(
                .blockState, "entry \(index.rawValue) has state \(entry.raw & 7), which means nothing here")
        }
        guard state == .full || state == .partial else { return }
        let start = entry.offset
        guard let end = start +? count, end <= fileSize else {
            throw bad(
                .blockOutsideFile,
                "a block is said to be at byte \(start.hex), which is outside the file; the file may be truncated"
            )
        }
        let isOnTable = [log, regions.bat, regions.metadata].contains { $0?.overlaps(start..<end) == true }
        guard start >= VHDXRegions.alignment, !isOnTable else {
            throw bad(
                .blockInMetadata,
                "a block is said to be at byte \(start.hex), where the disk's own tables are")
        }
    }

    /// The file's length once a pending log is replayed.
    var fileSize: UInt64 { max(file.byteCount, replayedSize) }

    // MARK: Sector bitmaps

    /// The part of its chunk's sector bitmap that is a partial block's.
    func bitmap(of block: UInt64, _ state: inout State) throws(StorageError) -> [UInt8] {
        if let changed = state.writing.bitmaps[block] { return changed }
        if let known = state.bitmaps.value(for: block) { return known }
        let index = layout.index(ofBitmapFor: block)
        let entry = try entry(at: index, &state)
        guard entry.state == .full else {
            throw .vhdx(
                .corrupt, .bitmapMissing,
                "block \(block) is partly here and there is no bitmap to say which part",
                structure: "block allocation table", offset: regions.bat.lowerBound + index.byteOffset)
        }
        try check(entry, index: index, count: 1 << 20)
        let bits = try VHDXDisk.bytes(
            of: file, state.replay, at: entry.offset + layout.bitmapOffset(ofBlock: block),
            count: Int(layout.bitmapSize))
        state.bitmaps.keep(bits, for: block)
        return bits
    }
}
