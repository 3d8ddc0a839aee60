internal import Storage
internal import Synchronization

// Writing in place. What a power cut can leave, at any point: blocks at the end of the file that no table names,
// and gaps; never a table entry or bitmap bit that points at something which is not there yet. The order:
//
//  1. the file is made longer and the footer written at its new end; barrier,
//  2. data (by `Image`) and the bitmaps of new blocks, where the old footer was and behind; barrier,
//  3. table entries of new blocks, bitmap bits of old ones; barrier.
//
// The footer's copy at the start is never touched.

extension VHDDynamicMap {
    /// What has been decided and is not in the file's tables yet.
    struct Writing: Sendable {
        /// Blocks that got a place: the sector of their bitmap.
        var newBlocks: [UInt64: UInt32] = [:]
        /// Where the space claimed for each begins: the gap in front of its bitmap is cleared with it.
        var gaps: [UInt64: UInt64] = [:]
        /// Bitmaps that differ from the file's, whole. A new block of a dynamic disk has none: it is full.
        var bitmaps: [UInt64: [UInt8]] = [:]
        /// Where the next block may go: the footer's place, rounded up.
        var end: UInt64
        /// Where the footer is now that blocks up to here may be written; 0 before the first.
        var reservedEnd: UInt64 = 0
        /// How many blocks to make room for next time.
        var reserve: UInt64 = 1
        var isChanged = false
    }

    /// More new blocks than this are not held in memory: they are committed.
    private static let pendingLimit = 4096

    func beginWriting() throws(StorageError) {
        if let writeRefusal { throw writeRefusal }
        guard !isFresh else { return }
        // The footer at the end counts too: nothing that is written may lie on it.
        try checkTable(limit: footer.endOffset)
    }

    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        try state.withLock { (state) throws(StorageError) in
            let block = offset / blockSize
            let start = block * blockSize
            let length = length(of: block)
            guard let sector = try place(of: block, &state) else {
                return .allocate(unit: 512, end: start + length)
            }
            let bits = try bitmap(of: block, at: sector, &state)
            let run = SectorBits.run(
                bits, from: Int((offset - start) / 512), limit: Int(length / 512), order: Self.bitOrder)
            let end = min(start + UInt64(run.end) * 512, start + length)
            return run.isSet
                ? .inPlace(file: 0, offset: dataOffset(sector) + (offset - start), end: end)
                : .allocate(unit: 512, end: end)
        }
    }

    /// A block gets its place whole, at the end of the file, which reads as zeros: only what is written needs
    /// writing. In a block that has a place, sectors come into being where they belong.
    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        try state.withLock { (state) throws(StorageError) in
            let block = range.lowerBound / blockSize
            let start = block * blockSize
            let end = min(range.upperBound, start + length(of: block))
            state.run = nil
            state.writing.isChanged = true
            let sector: UInt32
            if let known = try place(of: block, &state) {
                sector = known
            } else {
                if state.writing.newBlocks.count >= Self.pendingLimit { try commit(&state) }
                sector = try claim(block, &state)
                if isDifferencing {
                    state.writing.bitmaps[block] = [UInt8](repeating: 0, count: Int(bitmapSize))
                }
            }
            if isDifferencing || state.writing.newBlocks[block] == nil {
                var bits = try bitmap(of: block, at: sector, &state)
                SectorBits.set(
                    &bits,
                    Int((range.lowerBound - start) / 512)..<Int((end - start).dividedRoundingUp(by: 512)),
                    order: Self.bitOrder)
                state.writing.bitmaps[block] = bits
            }
            return Allocation(
                range: range.lowerBound..<end, file: 0,
                offset: dataOffset(sector) + (range.lowerBound - start))
        }
    }

    /// Chooses the place of a new block: bitmap right before a 4 KiB boundary, data behind it, as Windows does.
    private func claim(_ block: UInt64, _ state: inout State) throws(StorageError) -> UInt32 {
        let from = state.writing.end
        guard let dataStart = (from +? (bitmapSize + 511)).flatMap({ ($0 & ~511).roundedUp(to: 4096) }),
            let end = (dataStart +? blockSize)?.roundedUp(to: 4096),
            let sector = UInt32(exactly: (dataStart - bitmapSize) / 512), sector != Self.unused
        else {
            throw .vhd(
                .refused, .fileTooLarge, "the file is too large for another block", structure: "block",
                offset: from, path: file.path)
        }
        guard !file.hasFixedLength else {
            throw .vhd(
                .refused, .cannotGrow, "a new block is needed, and a VHD on a block device cannot grow",
                path: file.path)
        }
        if isFresh {
            try file.truncate(to: end)
        } else if end > state.writing.reservedEnd {
            // Room for several, twice as many each time: one barrier for many blocks.
            let room = (state.writing.reserve - 1) * (end - dataStart + 4096)
            try placeFooter(at: end + room)
            state.writing.reservedEnd = end + room
            state.writing.reserve = min(state.writing.reserve * 2, 32)
        }
        state.writing.newBlocks[block] = sector
        state.writing.gaps[block] = from
        state.writing.end = end
        return sector
    }

    /// Makes the file end with a footer at `offset`, durably. One write of one sector makes it longer: there is
    /// no moment at which the file ends without a footer.
    private func placeFooter(at offset: UInt64) throws(StorageError) {
        try file.write(footer.footer.bytes, at: offset)
        try file.flush()
    }

    func commit() throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in try commit(&state) }
    }

    private func commit(_ state: inout State) throws(StorageError) {
        let writing = state.writing
        guard writing.isChanged else {
            try file.flush()
            return
        }
        let blocks = writing.newBlocks.sorted { $0.value < $1.value }
        for (block, sector) in blocks {
            let start = UInt64(sector) * 512
            let from = min(writing.gaps[block] ?? start, start)
            let gap = [UInt8](repeating: 0, count: Int(min(start - from, 8192)))
            try file.write(gap + (writing.bitmaps[block] ?? fullBitmap), at: start - UInt64(gap.count))
        }
        try withdrawPromises(writing, &state)
        if isFresh { try placeFooter(at: writing.end) } else { try file.flush() }

        try writeEntries(blocks, &state)
        for (block, bits) in writing.bitmaps.sorted(by: { $0.key < $1.key }) {
            if writing.newBlocks[block] == nil, let sector = try place(of: block, &state) {
                try file.write(bits, at: UInt64(sector) * 512)
            }
            state.bitmaps.keep(bits, for: block)
        }
        try file.flush()

        state.writing = Writing(end: writing.end, reservedEnd: writing.reservedEnd, reserve: writing.reserve)
        // Room that was made and not used is given back, the footer first.
        if !isFresh, writing.reservedEnd > writing.end {
            try placeFooter(at: writing.end)
            try file.truncate(to: writing.end + UInt64(VHDFooter.byteCount))
            try file.flush()
            state.writing.reservedEnd = writing.end
        }
    }

    /// New blocks of a differencing disk are partial, whatever a batmap says of them.
    private func withdrawPromises(_ writing: Writing, _ state: inout State) throws(StorageError) {
        guard var batmap else { return }
        let full = fullBitmap
        var broken: [UInt64] = []
        for (block, bits) in writing.bitmaps where bits != full {
            if try batmap.promises(block, in: file) { broken.append(block) }
        }
        if !broken.isEmpty { try batmap.withdraw(broken, in: file) }
    }

    /// Writes the table entries of new blocks, neighbours together.
    private func writeEntries(
        _ blocks: [(key: UInt64, value: UInt32)], _ state: inout State
    ) throws(StorageError) {
        let sorted = blocks.sorted { $0.key < $1.key }
        var index = 0
        while index < sorted.count {
            let first = sorted[index].key
            var bytes: [UInt8] = []
            while index < sorted.count, sorted[index].key == first + UInt64(bytes.count / 4),
                bytes.count < TablePages.pageSize
            {
                bytes += [0, 0, 0, 0]
                bytes.storeBig(sorted[index].value, at: bytes.count - 4)
                index += 1
            }
            try file.write(bytes, at: header.tableOffset + first * 4)
            state.table.update(bytes, at: first * 4)
        }
    }
}
