internal import Storage
internal import Synchronization

extension VHDXMap {
    /// Tables up to this size are checked whole when a disk is opened; larger ones before the first write.
    static let eagerTableLimit: UInt64 = 4 << 20
    /// Larger files cannot be of this format: 64 TiB of data and what goes with it.
    private static let fileLimit: UInt64 = 128 << 40

    /// Throws when an entry has a state or place that cannot be, or two blocks share bytes of the file. Returns
    /// where the last block ends, which may be behind the file's end if the file was cut to the disk's.
    @discardableResult
    func checkTable() throws(StorageError) -> UInt64 {
        var end: UInt64 = 0
        guard fileSize <= Self.fileLimit else {
            throw .vhdx(.corrupt, .fileTooLarge, "the file is larger than any VHDX", path: file.path)
        }
        // A bit a MiB of the file: 16 MiB of memory for the largest there can be.
        var taken = [UInt64](repeating: 0, count: Int(fileSize >> 26) + 1)
        try state.withLock { (state) throws(StorageError) in
            var index: UInt64 = 0
            while index < layout.entryCount {
                let page = try state.table.page(holding: index * 8)
                guard page.count >= 8 else { break }
                let span = page.span8
                let count = min(UInt64(page.count / 8), layout.entryCount - index)
                if !span.isAllZero {
                    for slot in 0..<count {
                        let entry = VHDXEntry(raw: span.little(Int(slot) * 8))
                        end = max(end, try mark(entry, index: VHDXTableIndex(index + slot), in: &taken))
                    }
                }
                index += count
            }
        }
        return end
    }

    /// Checks an entry, notes the space it takes, and returns where that ends.
    private func mark(
        _ entry: VHDXEntry, index: VHDXTableIndex, in taken: inout [UInt64]
    ) throws(StorageError) -> UInt64 {
        let isBitmap = layout.isBitmap(index)
        // Without a parent nothing refers to bitmaps, and old versions of qemu left garbage there.
        if isBitmap, !isDifferencing { return 0 }
        let block = layout.block(at: index)
        guard isBitmap || block < layout.blockCount else { return 0 }
        if isBitmap, entry.state != .full { return 0 }
        try check(entry, index: index, count: isBitmap ? 1 << 20 : length(of: block))
        guard entry.state == .full || entry.state == .partial else { return 0 }
        let size = isBitmap ? 1 << 20 : layout.blockSize
        for unit in (entry.offset >> 20)..<((entry.offset >> 20) + (size >> 20)) {
            let word = Int(unit / 64)
            guard word < taken.count else { break }
            guard taken[word] & 1 << (unit % 64) == 0 else {
                throw .vhdx(
                    .corrupt, .blocksOverlap, "two blocks share byte \((unit << 20).hex) of the file",
                    structure: "block allocation table", offset: regions.bat.lowerBound + index.byteOffset)
            }
            taken[word] |= 1 << (unit % 64)
        }
        return entry.offset + size
    }

    /// Reports every entry that cannot be, and space that no entry names.
    func reportTable(_ report: (Finding) -> Void) throws(StorageError) {
        guard fileSize <= Self.fileLimit else {
            return report(
                Finding(.damage, VHDXCode.fileTooLarge, "the file is larger than any VHDX"))
        }
        var taken = [UInt64](repeating: 0, count: Int(fileSize >> 26) + 1)
        try state.withLock { (state) throws(StorageError) in
            for index in (0..<layout.entryCount).lazy.map(VHDXTableIndex.init) {
                do throws(StorageError) {
                    let entry = try entry(at: index, &state)
                    guard entry.raw != 0 else { continue }
                    _ = try mark(entry, index: index, in: &taken)
                    if entry.state == .partial, !layout.isBitmap(index) {
                        _ = try bitmap(of: layout.block(at: index), &state)
                    }
                } catch {
                    guard error.kind == .corrupt else { throw error }
                    report(Finding(error))
                }
            }
        }
        let used = taken.reduce(UInt64(0)) { $0 + UInt64($1.nonzeroBitCount) } << 20
        let tables = [log, regions.bat, regions.metadata].reduce(VHDXRegions.alignment) {
            $0 + ($1.map { $0.upperBound - $0.lowerBound } ?? 0)
        }
        // Makers leave a gap between the tables and the first block: what no block fits in was none.
        guard used + tables < fileSize, fileSize - used - tables >= layout.blockSize else { return }
        report(
            Finding(
                .leak, VHDXCode.leakedSpace,
                "\(fileSize - used - tables) bytes of the file belong to no block"))
    }
}
