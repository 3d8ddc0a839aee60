internal import Storage

extension Ext4Transaction {
    private var extentsPerBlock: Int { (geometry.blockSize - 12) / ExtentNode.entrySize }

    /// Builds the extent tree of `runs`, leaves first, and returns how many blocks it takes.
    func storeExtents(
        _ runs: [MappedRun], in inode: inout Inode, _ pool: inout TreeBlockPool
    ) throws(StorageError) -> UInt64 {
        var entries: [[UInt8]] = []
        for run in runs { appendExtents(of: run, to: &entries) }
        var depth = 0
        var used: UInt64 = 0
        while entries.count > 4 {
            var parents: [[UInt8]] = []
            var from = 0
            while from < entries.count {
                let to = min(from + extentsPerBlock, entries.count)
                let bytes = extentBlock(Array(entries[from..<to]), depth: depth, of: inode)
                let number = try pool.take(for: bytes, self)
                used += 1
                try store(bytes, at: number, role: .map)
                noteVerified(number, as: .extents(inode.number))
                parents.append(indexEntry(entries[from], child: number))
                from = to
            }
            entries = parents
            depth += 1
        }
        let root = node(entries, depth: depth, maximum: 4, byteCount: 60)
        inode.bytes.replaceSubrange(Inode.mapRange, with: root)
        return used
    }

    /// Extents of a run, cut to the lengths that one entry can say.
    private func appendExtents(of run: MappedRun, to entries: inout [[UInt8]]) {
        var rest = run
        while true {
            let isWritten: Bool
            let start: BlockNumber
            switch rest.place {
            case .written(let block): (isWritten, start) = (true, block)
            case .unwritten(let block): (isWritten, start) = (false, block)
            case .hole: return
            }
            // 32768 is the longest written extent; above it the length says unwritten.
            let limit = UInt64(ExtentNode.maximumLength) - (isWritten ? 0 : 1)
            let count = min(rest.count, limit)
            var entry = [UInt8](repeating: 0, count: ExtentNode.entrySize)
            entry.storeLittle(UInt32(truncatingIfNeeded: rest.logical), at: 0)
            entry.storeLittle(
                UInt16(truncatingIfNeeded: count + (isWritten ? 0 : UInt64(ExtentNode.maximumLength))), at: 4)
            entry.storeLittle(UInt16(truncatingIfNeeded: start.rawValue >> 32), at: 6)
            entry.storeLittle(UInt32(truncatingIfNeeded: start.rawValue), at: 8)
            entries.append(entry)
            guard count < rest.count else { return }
            rest = rest.droppingFirst(count)
        }
    }

    private func indexEntry(_ first: [UInt8], child: BlockNumber) -> [UInt8] {
        var entry = [UInt8](repeating: 0, count: ExtentNode.entrySize)
        entry.storeLittle(first.little(0) as UInt32, at: 0)
        entry.storeLittle(UInt32(truncatingIfNeeded: child.rawValue), at: 4)
        entry.storeLittle(UInt16(truncatingIfNeeded: child.rawValue >> 32), at: 8)
        return entry
    }

    private func node(_ entries: [[UInt8]], depth: Int, maximum: Int, byteCount: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        bytes += [UInt8](repeating: 0, count: 12)
        bytes.storeLittle(ExtentNode.magic, at: 0)
        bytes.storeLittle(UInt16(truncatingIfNeeded: entries.count), at: 2)
        bytes.storeLittle(UInt16(truncatingIfNeeded: maximum), at: 4)
        bytes.storeLittle(UInt16(truncatingIfNeeded: depth), at: 6)
        for entry in entries { bytes += entry }
        return bytes + [UInt8](repeating: 0, count: byteCount - bytes.count)
    }

    private func extentBlock(_ entries: [[UInt8]], depth: Int, of inode: Inode) -> [UInt8] {
        var bytes = node(entries, depth: depth, maximum: extentsPerBlock, byteCount: geometry.blockSize)
        if geometry.hasMetadataChecksums {
            let end = ExtentNode.entrySize * (extentsPerBlock + 1)
            let seed = geometry.inodeSeed(inode.number, generation: inode.generation)
            bytes.storeLittle(CRC32C.update(seed, bytes.span8.extracting(0..<end)), at: end)
        }
        return bytes
    }
}
