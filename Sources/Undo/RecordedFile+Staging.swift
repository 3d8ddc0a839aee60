internal import Storage
internal import Synchronization

// The side of a file that a `HostTransaction` works with.

extension RecordedFile {
    func beginStaging(_ transaction: HostTransaction, index: Int) throws(StorageError) {
        let length = base.byteCount
        let begun = staged.withLock { staged -> Bool in
            guard staged == nil else { return false }
            staged = Staging(transaction: transaction, index: index, length: length, visibleBase: length)
            return true
        }
        guard begun else {
            throw StorageError(
                .misuse, RecordingCode.alreadyInTransaction, "is already part of a transaction", path: path)
        }
    }

    /// Ends staging; the recorded operations are the transaction's to apply or drop.
    func endStaging() { staged.withLock { $0 = nil } }

    /// Begins again after the recorded operations were written.
    func restartStaging() {
        let length = base.byteCount
        staged.withLock { staged in
            guard var staging = staged else { return }
            staging.overlay = PageOverlay()
            staging.length = length
            staging.visibleBase = length
            staged = staging
        }
    }

    /// A transaction's write that was recorded before: whole sectors, so that each holds at any time what it held
    /// after some write, whatever of several writes has reached the disk.
    func writeThrough(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        let end = offset + UInt64(bytes.count)
        let start = offset / UndoRecord.sectorSize * UndoRecord.sectorSize
        let length = base.byteCount
        let wholeEnd = max(end, min(end.roundedUp(to: UndoRecord.sectorSize) ?? end, length))
        if start == offset, wholeEnd == end {
            try base.write(bytes, at: offset)
        } else {
            var whole =
                try start < length ? base.bytes(at: start, count: Int(min(offset, length) - start)) : []
            whole += [UInt8](repeating: 0, count: Int(offset - start) - whole.count)
            whole += bytes
            whole += try base.bytes(at: end, count: Int(wholeEnd - end))
            try base.write(whole, at: start)
        }
    }

    /// A transaction's truncation that was recorded before. A shorter file loses part of a sector: not together with
    /// what else has not reached the disk yet.
    func truncateThrough(to length: UInt64) throws(StorageError) {
        let isShorter = length < base.byteCount
        if isShorter { try base.flush() }
        try base.truncate(to: length)
        if isShorter { try base.flush() }
    }

    /// Records a write, which ends at `end`; nothing happens when no transaction is open.
    func stageWrite(_ source: RawSpan, at offset: UInt64, end: UInt64) throws(StorageError) {
        let before = staged.withLock { staged in
            staged.map { (edges: $0.overlay.edgesNotHeld(of: offset..<end), base: $0.visibleBase) }
        }
        guard let before else { return }
        // One owner writes: what is not held here is not held below either. Readers do not wait for the disk.
        var edges: [UInt64: [UInt8]] = [:]
        for start in before.edges {
            edges[start] =
                start < before.base
                ? try base.bytes(at: start, count: Int(min(PageOverlay.pageSize, before.base - start))) : []
        }
        let taken = staged.withLock { staged -> Staging? in
            staged?.write(source, at: offset, edges: edges)
            return staged
        }
        guard let staging = taken else { return }
        staging.transaction.record(
            .write(file: staging.index, offset: offset, bytes: source.array(0..<source.byteCount)),
            giving: GivenContents.ranges(of: source, at: offset, in: staging.overlay))
    }

    /// Records a truncation; nothing happens when no transaction is open.
    func stageTruncation(to length: UInt64) throws(StorageError) {
        guard var staging = staged.withLock({ $0 }) else { return }
        let size = UndoRecord.sectorSize
        var given: [[UInt8]] = []
        if length < staging.length, let end = staging.length.roundedUp(to: size),
            let cut = length.roundedUp(to: size)
        {
            if cut > length {
                var last = try bytes(at: cut - size, count: Int(length + size - cut))
                last += [UInt8](repeating: 0, count: Int(size) - last.count)
                given.append(GivenContents.sector(last, at: cut - size))
            }
            if cut < end { given.append(GivenContents.zeros(cut..<end)) }
        }
        staging.overlay.truncate(to: length)
        staging.visibleBase = min(staging.visibleBase, length)
        staging.length = length
        staging.transaction.record(.truncate(file: staging.index, length: length), giving: given)
        staged.withLock { $0 = staging }
    }
}

extension RecordedFile.Staging {
    /// Shows a write; `edges` as `PageOverlay` needs them.
    fileprivate mutating func write(_ source: RawSpan, at offset: UInt64, edges: [UInt64: [UInt8]]) {
        _ = overlay.write(source, at: offset, edges: edges)
        length = max(length, offset + UInt64(source.byteCount))
    }
}
