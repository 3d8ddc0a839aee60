internal import Storage
internal import Synchronization

// Making the disk longer. In order: room at the end of the file for a fixed disk's blocks and for a table that has
// to move, the moved table in it, barrier; entries of a table that stays, through the log; then one log entry with
// the disk's size and, when the table moved, both copies of the region table.

extension VHDXMap {
    /// `disk` is this map's, opened for writing with nothing pending.
    func grow(_ disk: VHDXDisk, to size: UInt64) throws(StorageError) {
        guard let sizePlace = disk.metadata.sizePlace else { return }
        var metadata = disk.metadata
        metadata.byteCount = size
        let grown = VHDXTableLayout(metadata)
        var end = max(try checkTable(), file.byteCount).dividedRoundingUp(by: 1 << 20) << 20
        let needed = grown.entryCount * 8
        var table: Range<UInt64>?
        if needed > regions.bat.upperBound - regions.bat.lowerBound {
            table = end..<end + needed.dividedRoundingUp(by: 1 << 20) << 20
            end = table?.upperBound ?? end
        }
        let blocks = end
        if metadata.leavesBlocksAllocated {
            end += (grown.blockCount - layout.blockCount) * layout.blockSize
        }
        guard end <= UInt64(Int64.max) else {
            throw .vhdx(.refused, .fileTooLarge, "the file would be too large", path: file.path)
        }
        if file.byteCount < end { try file.truncate(to: end) }
        let new = NewEntries(
            old: layout, all: grown, firstBlock: metadata.leavesBlocksAllocated ? blocks : nil)
        if let table { try moveTable(to: table, new) }
        try file.flush()
        try state.withLock { (state) throws(StorageError) in
            var pages = VHDXPages(file: file)
            if table == nil {
                try new.forEachPiece { (bytes, first) throws(StorageError) in
                    try pages.put(bytes, at: regions.bat.lowerBound + first * 8)
                }
                try writeThroughLog(pages.changed, &state)
            }
            pages = VHDXPages(file: file)
            var bytes = [UInt8](repeating: 0, count: 8)
            bytes.storeLittle(size, at: 0)
            try pages.put(bytes, at: sizePlace)
            if let table {
                let copy = try VHDXRegions.moved(table: table, in: file)
                for offset in VHDXRegions.offsets { try pages.put(copy, at: offset) }
            }
            try writeThroughLog(pages.changed, &state)
        }
    }

    private func moveTable(to place: Range<UInt64>, _ new: NewEntries) throws(StorageError) {
        var done: UInt64 = 0
        while done < layout.entryCount * 8 {
            let count = Int(min(layout.entryCount * 8 - done, 1 << 16))
            try file.write(
                try file.bytes(at: regions.bat.lowerBound + done, count: count), at: place.lowerBound + done)
            done += UInt64(count)
        }
        try new.forEachPiece { (bytes, first) throws(StorageError) in
            // The room is a hole.
            if !bytes.span8.isAllZero { try file.write(bytes, at: place.lowerBound + first * 8) }
        }
    }
}

/// The table entries that a longer disk has more.
private struct NewEntries {
    let old: VHDXTableLayout
    let all: VHDXTableLayout
    /// Where the new blocks of a fixed disk lie, one behind the other.
    let firstBlock: UInt64?

    /// Their bytes from entry `first` on, in pieces.
    func forEachPiece(
        _ body: (_ bytes: [UInt8], _ first: UInt64) throws(StorageError) -> Void
    ) throws(StorageError) {
        var index = old.entryCount
        while index < all.entryCount {
            let count = min(all.entryCount - index, 1 << 13)
            var bytes = [UInt8](repeating: 0, count: Int(count) * 8)
            if let firstBlock {
                for slot in 0..<count where !all.isBitmap(VHDXTableIndex(index + slot)) {
                    let place =
                        firstBlock + (all.block(at: VHDXTableIndex(index + slot)) - old.blockCount)
                        * all.blockSize
                    bytes.storeLittle(VHDXEntry(.full, at: place).raw, at: Int(slot) * 8)
                }
            }
            try body(bytes, index)
            index += count
        }
    }
}

/// Pages of 4 KiB that are to change, for the log.
struct VHDXPages {
    let file: any ByteFile
    private var pages: [UInt64: (old: [UInt8], new: [UInt8])] = [:]

    init(file: any ByteFile) { self.file = file }

    /// Notes that `bytes` go to byte `offset` of the file.
    mutating func put(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let position = offset + UInt64(done)
            let page = position / 4096 * 4096
            let within = Int(position - page)
            let count = min(bytes.count - done, 4096 - within)
            if pages[page] == nil {
                let old = try file.bytes(at: page, count: 4096)
                pages[page] = (old, old)
            }
            pages[page]?.new.replaceSubrange(within..<within + count, with: bytes[done..<done + count])
            done += count
        }
    }

    /// Those that differ from the file, in order.
    var changed: [(offset: UInt64, bytes: [UInt8])] {
        pages.filter { $0.value.old != $0.value.new }.sorted { $0.key < $1.key }.map {
            (offset: $0.key, bytes: $0.value.new)
        }
    }
}
