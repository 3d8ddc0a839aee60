internal import Storage
internal import Synchronization

// Writing in place. What a power cut can leave, at any point: blocks at the end of the file that no entry names, and a
// count in the header that includes them; never an entry of a block that is not there, or that the count leaves out
// (VirtualBox puts its next block behind the counted ones). The order:
//
//  1. before the first change of a session: a new modification identifier, so that children know; barrier,
//  2. data (by `Image`), new blocks at the end of the file; barrier,
//  3. the header's count; barrier,
//  4. entries of new blocks; barrier.

extension VDIMap {
    /// What has been decided and is not in the file's tables yet.
    struct Writing: Sendable {
        /// Blocks that got a place.
        var newBlocks: [VDIBlock: VDISlot] = [:]
        /// Where the next block goes.
        var next = VDISlot(0)
        var isChanged = false
    }

    /// More new blocks than this are not held in memory: they are committed.
    private static let pendingLimit = 4096

    func beginWriting() throws(StorageError) {
        let next = try checkTable()
        try state.withLock { (state) throws(StorageError) in
            guard state.header.blockExtra == 0 else {
                throw .vdi(
                    .unsupported, .blockExtra,
                    "has \(state.header.blockExtra) bytes of somebody's own in front of each block; it can be read, "
                        + "not written in place", structure: "header", field: "block extra",
                    offset: UInt64(VDIHeader.Field.blockExtra), path: file.path,
                    remedies: [.convert(options: [])])
            }
            state.writing.next = next
            guard !isFresh else { return }
            state.header.modification = try UUID16.random()
            let field = VDIHeader.Field.modification..<VDIHeader.Field.modification + 16
            try file.write(state.header.bytes.span8.extracting(field), at: UInt64(field.lowerBound))
            // Blocks that were counted and never named hold whatever was written to them: their space is taken anew,
            // as zeros.
            let end = state.header.dataOffset + UInt64(next.rawValue) * blockSize
            if !file.hasFixedLength, file.byteCount > end { try file.truncate(to: end) }
            try file.flush()
        }
    }

    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        try state.withLock { (state) throws(StorageError) in
            let block = VDIBlock(offset / blockSize)
            let start = block.rawValue * blockSize
            let end = start + length(of: block)
            switch try entry(of: block, &state) {
            case .placed(let slot):
                return .inPlace(
                    file: 0, offset: hostOffset(of: slot, state.header) + (offset - start), end: end)
            case .free where isDifferencing:
                // A block is here or it is not: the parent's bytes come along.
                return .allocate(unit: blockSize, end: end)
            case .free, .zero:
                return .allocate(unit: 512, end: end)
            }
        }
    }

    /// A block gets its place whole, at the end of the file, which reads as zeros: only what is written needs writing.
    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        try state.withLock { (state) throws(StorageError) in
            let block = VDIBlock(range.lowerBound / blockSize)
            let start = block.rawValue * blockSize
            let end = min(range.upperBound, start + length(of: block))
            if state.writing.newBlocks.count >= Self.pendingLimit { try commit(&state) }
            let slot = try claim(&state)
            state.run = nil
            state.writing.isChanged = true
            state.writing.newBlocks[block] = slot
            return Allocation(
                range: range.lowerBound..<end, file: 0,
                offset: hostOffset(of: slot, state.header) + (range.lowerBound - start))
        }
    }

    private func claim(_ state: inout State) throws(StorageError) -> VDISlot {
        let slot = state.writing.next
        guard slot.rawValue < VDIEntry.slotLimit else {
            throw .vdi(.refused, .fileTooLarge, "the file is too large for another block", path: file.path)
        }
        guard !file.hasFixedLength else {
            throw .vdi(
                .refused, .cannotGrow, "a new block is needed, and a VDI on a block device cannot grow",
                path: file.path)
        }
        try file.truncate(to: hostOffset(of: slot, state.header) + blockSize)
        state.writing.next = VDISlot(slot.rawValue + 1)
        return slot
    }

    func commit() throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in try commit(&state) }
    }

    private func commit(_ state: inout State) throws(StorageError) {
        try file.flush()
        guard state.writing.isChanged else { return }
        // Counts that others left too high say that there are more blocks: they go down with the last entry.
        let count = state.writing.next.rawValue
        if state.header.allocatedCount != count {
            state.header.allocatedCount = count
            let field = VDIHeader.Field.allocatedCount..<VDIHeader.Field.allocatedCount + 4
            try file.write(state.header.bytes.span8.extracting(field), at: UInt64(field.lowerBound))
            if !isFresh { try file.flush() }
        }
        try writeEntries(state.writing.newBlocks.sorted { $0.key < $1.key }, &state)
        try file.flush()
        state.writing.newBlocks = [:]
        state.writing.isChanged = false
    }

    /// Writes the entries of new blocks, neighbours together.
    private func writeEntries(
        _ blocks: [(key: VDIBlock, value: VDISlot)], _ state: inout State
    ) throws(StorageError) {
        var index = 0
        while index < blocks.count {
            let first = blocks[index].key.rawValue
            var bytes: [UInt8] = []
            while index < blocks.count, blocks[index].key.rawValue == first + UInt64(bytes.count / 4),
                bytes.count < TablePages.pageSize
            {
                bytes += [0, 0, 0, 0]
                bytes.storeLittle(blocks[index].value.rawValue, at: bytes.count - 4)
                index += 1
            }
            try file.write(bytes, at: state.header.mapOffset + first * 4)
            state.table.update(bytes, at: first * 4)
        }
    }
}
