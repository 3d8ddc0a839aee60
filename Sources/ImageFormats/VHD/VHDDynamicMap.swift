internal import Storage
internal import Synchronization

/// The map of a dynamic or differencing disk: blocks in any order, each behind its sector bitmap, found through
/// the block allocation table (BAT).
///
/// A clear bit in a sector bitmap means zeros in a dynamic disk and the parent's sector in a differencing one.
final class VHDDynamicMap: WritableImageMap {
    /// A BAT entry of a block that has no place.
    static let unused = UInt32.max
    static let bitOrder = SectorBits.Order.mostSignificantFirst

    let file: any ByteFile
    let byteCount: UInt64
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [file] }

    let footer: VHDFooterPlacement
    let headerOffset: UInt64
    let header: VHDDynamicHeader
    let isDifferencing: Bool
    let blockSize: UInt64
    let bitmapSize: UInt64
    let blockCount: UInt64
    /// Made in this session and named by nobody yet: no order of writes matters before the first commit.
    let isFresh: Bool
    let writeRefusal: StorageError?
    let batmap: VHDBatmap?

    let state: Mutex<State>

    /// What changes: caches, and what has been decided and is not in the file's tables yet.
    struct State: Sendable {
        var table: TablePages
        var bitmaps: SectorBitCache
        var writing: Writing
        /// The last long run that was found, so that small reads within it need no search.
        var run: Extent?
    }

    init(
        _ file: any ByteFile, footer: VHDFooterPlacement, header: VHDDynamicHeader, byteCount: UInt64,
        batmap: VHDBatmap? = nil, writeRefusal: StorageError?, isFresh: Bool = false
    ) {
        self.file = file
        self.footer = footer
        self.header = header
        self.byteCount = byteCount
        self.isFresh = isFresh
        self.writeRefusal = writeRefusal
        self.batmap = batmap
        headerOffset = footer.footer.dataOffset
        isDifferencing = footer.footer.kind == .differencing
        blockSize = UInt64(header.blockSize)
        bitmapSize = header.bitmapSize
        blockCount = byteCount.dividedRoundingUp(by: blockSize)
        let start = header.tableOffset
        let table = TablePages(byteCount: blockCount * 4) { (offset, count) throws(StorageError) in
            try file.bytes(at: start + offset, count: count)
        }
        state = Mutex(
            State(table: table, bitmaps: .forBitmaps, writing: Writing(end: footer.endOffset)))
    }

    // MARK: Reading

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        try state.withLock { (state) throws(StorageError) in
            if let run = state.run, run.range.contains(offset) {
                return run.clamped(to: offset..<run.range.upperBound) ?? run
            }
            var extent = try piece(at: offset, &state)
            if case .plain = extent.kind { return extent }
            var pieces = 0
            while extent.range.upperBound < byteCount, pieces < Self.mergeLimit {
                // What is wrong further on is told when it is asked for.
                guard let next = try? piece(at: extent.range.upperBound, &state) else { break }
                guard next.kind == extent.kind else { break }
                extent.range = offset..<next.range.upperBound
                pieces += 1
            }
            state.run = extent
            return extent
        }
    }

    /// A piece may cost reading a bitmap: one call puts no more than this together.
    private static let mergeLimit = 256

    /// A run that does not leave its block, or goes over several that have no place.
    private func piece(at offset: UInt64, _ state: inout State) throws(StorageError) -> Extent {
        let nothing: Extent.Kind = isDifferencing ? .absent : .zero
        let block = offset / blockSize
        guard let sector = try place(of: block, &state) else {
            let end = try endOfUnused(from: block, &state)
            return Extent(range: offset..<min(end * blockSize, byteCount), kind: nothing)
        }
        let within = offset - block * blockSize
        let length = length(of: block)
        let bits = try bitmap(of: block, at: sector, &state)
        let run = SectorBits.run(
            bits, from: Int(within / 512), limit: Int(length / 512), order: Self.bitOrder)
        let end = min(block * blockSize + UInt64(run.end) * 512, byteCount)
        return Extent(
            range: offset..<end,
            kind: run.isSet ? .plain(file: 0, offset: dataOffset(sector) + within) : nothing)
    }

    /// Where a block's data begins whose bitmap is at `sector`.
    func dataOffset(_ sector: UInt32) -> UInt64 { UInt64(sector) * 512 + bitmapSize }

    /// The sector of a block's bitmap, nil when it has no place. Throws for a place that cannot be.
    func place(of block: UInt64, _ state: inout State) throws(StorageError) -> UInt32? {
        if let new = state.writing.newBlocks[block] { return new }
        let page = try state.table.page(holding: block * 4)
        let within = Int(block * 4 % UInt64(TablePages.pageSize))
        guard within + 4 <= page.count else { return nil }
        let sector: UInt32 = page.big(within)
        guard sector != Self.unused else { return nil }
        try check(sector, of: block, limit: file.byteCount)
        return sector
    }

    /// The first block from `block` (unused itself) on that has a place.
    private func endOfUnused(from block: UInt64, _ state: inout State) throws(StorageError) -> UInt64 {
        var index = block + 1
        let hasNew = !state.writing.newBlocks.isEmpty
        while index < blockCount {
            let page = try state.table.page(holding: index * 4)
            let first = index * 4 / UInt64(TablePages.pageSize) * UInt64(TablePages.pageSize) / 4
            let stop = min(first + UInt64(page.count / 4), blockCount)
            guard stop > index else { return index }
            let span = page.span8
            while index < stop {
                if span.big(Int(index - first) * 4, as: UInt32.self) != Self.unused { return index }
                if hasNew, state.writing.newBlocks[index] != nil { return index }
                index += 1
            }
        }
        return blockCount
    }

    /// Guest bytes in a block: all of it but in the last one.
    func length(of block: UInt64) -> UInt64 { min(blockSize, byteCount - block * blockSize) }

    /// Throws unless a block whose bitmap is at `sector` lies below `limit` and off the disk's
    /// tables. The last block may be cut off behind the disk's end.
    func check(_ sector: UInt32, of block: UInt64, limit: UInt64) throws(StorageError) {
        let entry = header.tableOffset + block * 4
        let start = UInt64(sector) * 512
        let needed = bitmapSize + length(of: block)
        guard start <= limit, needed <= limit - start else {
            throw .vhd(
                .corrupt, .blockOutsideFile,
                "block \(block) is said to be at byte \(start.hex), which is outside the file; the file may be "
                    + "truncated", structure: "block allocation table", offset: entry)
        }
        let end = start + needed
        for (from, length) in metadata where from < end && start - min(start, from) < length {
            throw .vhd(
                .corrupt, .blockInMetadata,
                "block \(block) is said to be at byte \(start.hex), where the disk's own tables are",
                structure: "block allocation table", offset: entry)
        }
    }

    /// What no block may lie on: the footer's copy, the header, the table, the batmap.
    private var metadata: [(start: UInt64, count: UInt64)] {
        [
            (0, UInt64(VHDFooter.byteCount)), (headerOffset, UInt64(VHDDynamicHeader.byteCount)),
            (header.tableOffset, blockCount * 4),
        ] + (batmap?.ranges ?? [])
    }

    /// The sector bitmap of a block that has a place.
    func bitmap(of block: UInt64, at sector: UInt32, _ state: inout State) throws(StorageError) -> [UInt8] {
        if let changed = state.writing.bitmaps[block] { return changed }
        // A new block of a dynamic disk: all its sectors are there, zeros until written.
        if state.writing.newBlocks[block] != nil { return fullBitmap }
        if let known = state.bitmaps.value(for: block) { return known }
        let bits = try file.bytes(at: UInt64(sector) * 512, count: Int(bitmapSize))
        state.bitmaps.keep(bits, for: block)
        return bits
    }

    var fullBitmap: [UInt8] { [UInt8](repeating: 0xff, count: Int(bitmapSize)) }
}
