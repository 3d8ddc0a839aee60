internal import Storage
internal import Synchronization

/// The map of a VDI of any type: blocks in any order, found through the block map.
final class VDIMap: WritableImageMap {
    let file: any ByteFile
    let byteCount: UInt64
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [file] }

    let isDifferencing: Bool
    let isFixed: Bool
    let blockSize: UInt64
    let blockCount: UInt64
    /// Made in this session and named by nobody yet: no order of writes matters before the first commit.
    let isFresh: Bool

    let state: Mutex<State>

    /// What changes: the header and the map's pages, and what has been decided and is not in the file yet.
    struct State: Sendable {
        var header: VDIHeader
        var table: TablePages
        var writing = Writing()
        /// The last long run that was found, so that small reads within it need no search.
        var run: Extent?
    }

    /// The map that `header` describes. `byteCount` is another than the header's while a disk becomes longer.
    init(_ file: any ByteFile, header: VDIHeader, byteCount: UInt64? = nil, isFresh: Bool = false) {
        self.file = file
        self.byteCount = byteCount ?? header.diskSize
        self.isFresh = isFresh
        isDifferencing = header.isDifferencing
        isFixed = header.kind == .fixed
        blockSize = UInt64(header.blockSize)
        blockCount = self.byteCount.dividedRoundingUp(by: blockSize)
        let start = header.mapOffset
        let table = TablePages(byteCount: UInt64(header.blockCount) * 4) {
            (offset, count) throws(StorageError) in
            try file.bytes(at: start + offset, count: count)
        }
        state = Mutex(State(header: header, table: table))
    }

    // MARK: Reading

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        try state.withLock { (state) throws(StorageError) in
            if let run = state.run, run.range.contains(offset) {
                return run.clamped(to: offset..<run.range.upperBound) ?? run
            }
            var extent = try piece(at: offset, &state)
            var pieces = 0
            while extent.range.upperBound < byteCount, pieces < Self.mergeLimit {
                // What is wrong further on is told when it is asked for.
                guard let next = try? piece(at: extent.range.upperBound, &state), continues(extent, next)
                else {
                    break
                }
                extent.range = offset..<next.range.upperBound
                pieces += 1
            }
            // Writing fills a static disk's holes without coming by here.
            if !isFixed { state.run = extent }
            return extent
        }
    }

    /// More blocks than this are not put together in one go: one call stays short on any map.
    private static let mergeLimit = 1 << 16

    private func continues(_ extent: Extent, _ next: Extent) -> Bool {
        guard case .plain(let file, let offset) = extent.kind else { return next.kind == extent.kind }
        return next.kind
            == .plain(file: file, offset: offset + (next.range.lowerBound - extent.range.lowerBound))
    }

    /// A run that does not leave its block.
    private func piece(at offset: UInt64, _ state: inout State) throws(StorageError) -> Extent {
        let block = VDIBlock(offset / blockSize)
        let start = block.rawValue * blockSize
        let end = start + length(of: block)
        switch try entry(of: block, &state) {
        case .free: return Extent(range: offset..<end, kind: isDifferencing ? .absent : .zero)
        case .zero: return Extent(range: offset..<end, kind: .zero)
        case .placed(let slot):
            let host = hostOffset(of: slot, state.header) + (offset - start)
            guard isFixed else { return Extent(range: offset..<end, kind: .plain(file: 0, offset: host)) }
            // All of it is here, and most of it may never have been written.
            let run = try file.nextDataOrHole(at: host)
            let stop = min(end, offset + max(run.end, host + 1) - host)
            return Extent(range: offset..<stop, kind: run.isData ? .plain(file: 0, offset: host) : .zero)
        }
    }

    /// Guest bytes in a block: all of it but in the last one.
    func length(of block: VDIBlock) -> UInt64 { min(blockSize, byteCount - block.rawValue * blockSize) }

    /// Where a block's data begins.
    func hostOffset(of slot: VDISlot, _ header: VDIHeader) -> UInt64 {
        header.dataOffset + UInt64(slot.rawValue) * header.stride + UInt64(header.blockExtra)
    }

    /// A block's entry as it stands or is about to. Throws for a place that cannot be.
    func entry(of block: VDIBlock, _ state: inout State) throws(StorageError) -> VDIEntry {
        if let new = state.writing.newBlocks[block] { return .placed(new) }
        let offset = block.rawValue * 4
        let page = try state.table.page(holding: offset)
        let within = Int(offset % UInt64(TablePages.pageSize))
        guard within + 4 <= page.count else { return .free }
        let entry = VDIEntry(raw: page.little(within))
        if case .placed(let slot) = entry { try check(slot, of: block, state.header) }
        return entry
    }

    /// Throws unless the guest's part of a block lies in the file.
    func check(_ slot: VDISlot, of block: VDIBlock, _ header: VDIHeader) throws(StorageError) {
        let start = hostOffset(of: slot, header)
        guard start + length(of: block) <= file.byteCount else {
            throw .vdi(
                .corrupt, .blockOutsideFile,
                "block \(block.rawValue) is said to be at byte \(start.hex), which is outside the file; "
                    + "the file may be truncated", structure: "block map",
                offset: header.mapOffset + block.rawValue * 4)
        }
    }

    // MARK: The whole map

    /// A block and its place, which come first in the order: 8 bytes, so that the largest map bears all of them.
    struct Placed: Comparable, Sendable {
        private let raw: UInt64
        init(_ slot: VDISlot, _ block: VDIBlock) { raw = UInt64(slot.rawValue) << 32 | block.rawValue }
        var slot: VDISlot { VDISlot(UInt32(truncatingIfNeeded: raw >> 32)) }
        var block: VDIBlock { VDIBlock(raw & 0xffff_ffff) }
        static func < (left: Placed, right: Placed) -> Bool { left.raw < right.raw }
    }

    /// Maps up to this size are checked whole when a disk is opened; larger ones before the first write.
    static let eagerLimit: UInt64 = 1 << 20

    /// The place behind the last block that has one. Throws when a block lies outside the file, or two in one place.
    @discardableResult
    func checkTable() throws(StorageError) -> VDISlot {
        try state.withLock { (state) throws(StorageError) in
            var found: [Placed] = []
            try forEachPlaced(&state) { (block, slot, header) throws(StorageError) in
                try check(slot, of: block, header)
                found.append(Placed(slot, block))
            }
            found.sort()
            for (one, next) in zip(found, found.dropFirst()) where one.slot == next.slot {
                throw Self.overlap(one.block, next.block, state.header)
            }
            return VDISlot(found.last.map { $0.slot.rawValue + 1 } ?? 0)
        }
    }

    /// Calls `body` for each block that the map gives a place, in the disk's order.
    func forEachPlaced(
        _ state: inout State, _ body: (VDIBlock, VDISlot, VDIHeader) throws(StorageError) -> Void
    ) throws(StorageError) {
        var index: UInt64 = 0
        while index < blockCount {
            let page = try state.table.page(holding: index * 4)
            guard page.count >= 4 else { return }
            for number in 0..<min(UInt64(page.count / 4), blockCount - index) {
                guard case .placed(let slot) = VDIEntry(raw: page.little(Int(number) * 4)) else { continue }
                try body(VDIBlock(index + number), slot, state.header)
            }
            index += UInt64(page.count / 4)
        }
    }

    static func overlap(_ one: VDIBlock, _ other: VDIBlock, _ header: VDIHeader) -> StorageError {
        .vdi(
            .corrupt, .blocksOverlap,
            "blocks \(one.rawValue) and \(other.rawValue) lie in one place of the file",
            structure: "block map", offset: header.mapOffset + other.rawValue * 4)
    }
}
