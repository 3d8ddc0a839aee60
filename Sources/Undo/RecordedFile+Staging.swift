internal import Synchronization

// The side of a file that a `HostTransaction` works with.

extension HostFile {
    func beginStaging(_ transaction: HostTransaction, index: Int) throws(StorageError) {
        let begun = state.withLock { state -> Bool in
            guard state.staged == nil else { return false }
            state.staged = Staging(
                transaction: transaction, index: index, length: state.length, visibleBase: state.length)
            return true
        }
        guard begun else {
            throw StorageError(
                .misuse, layer: "host file", code: "already-in-transaction",
                "is already part of a transaction",
                path: path)
        }
    }

    /// Ends staging; the recorded operations are the transaction's to apply or drop.
    func endStaging() { state.withLock { $0.staged = nil } }

    /// Begins again after the recorded operations were written.
    func restartStaging() {
        state.withLock { state in
            guard var staging = state.staged else { return }
            staging.overlay = PageOverlay()
            staging.length = state.length
            staging.visibleBase = state.length
            state.staged = staging
        }
    }

    /// A transaction's write that was recorded before: whole sectors, so that each holds at any time what it held
    /// after some write, whatever of several writes has reached the disk.
    func writeThrough(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        let end = offset + UInt64(bytes.count)
        let start = offset / UndoRecord.sectorSize * UndoRecord.sectorSize
        let length = diskByteCount
        let wholeEnd = max(end, min(end.roundedUp(to: UndoRecord.sectorSize) ?? end, length))
        if start == offset, wholeEnd == end {
            try writeDisk(bytes.span8, at: offset)
        } else {
            var whole =
                try start < length ? diskBytes(at: start, count: Int(min(offset, length) - start)) : []
            whole += [UInt8](repeating: 0, count: Int(offset - start) - whole.count)
            whole += bytes
            whole += try diskBytes(at: end, count: Int(wholeEnd - end))
            try writeDisk(whole.span8, at: start)
        }
        state.withLock { $0.length = max($0.length, end) }
    }

    /// A transaction's truncation that was recorded before. A shorter file loses part of a sector: not together with
    /// what else has not reached the disk yet.
    func truncateThrough(to length: UInt64) throws(StorageError) {
        let isShorter = length < diskByteCount
        if isShorter { try flushDisk() }
        try truncateDisk(to: length)
        if isShorter { try flushDisk() }
        state.withLock { $0.length = length }
    }

    /// The length on disk, whatever a transaction shows.
    var diskByteCount: UInt64 { state.withLock { $0.length } }

    /// Asks the host for the length again.
    func refreshLength() {
        guard !isBlockDevice, let length = hostLength else { return }
        state.withLock { $0.length = length }
    }

    /// Reads the disk below a transaction.
    func diskBytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        try result.withMutableBytes { (span) throws(StorageError) in try readDisk(into: &span, at: offset) }
        return result
    }

    /// Records a write when a transaction is open; false when there is none.
    func stageWrite(_ source: RawSpan, at offset: UInt64, end: UInt64) throws(StorageError) -> Bool {
        let before = state.withLock { state in
            state.staged.map { (edges: $0.overlay.edgesNotHeld(of: offset..<end), base: $0.visibleBase) }
        }
        guard let before else { return false }
        // One owner writes: what is not held here is not held below either. Readers do not wait for the disk.
        var edges: [UInt64: [UInt8]] = [:]
        for start in before.edges {
            edges[start] =
                start < before.base
                ? try diskBytes(at: start, count: Int(min(PageOverlay.pageSize, before.base - start))) : []
        }
        let taken = state.withLock { state -> Staging? in
            state.staged?.write(source, at: offset, edges: edges)
            return state.staged
        }
        guard let staging = taken else { return false }
        staging.transaction.record(
            .write(file: staging.index, offset: offset, bytes: source.array(0..<source.byteCount)),
            giving: GivenContents.ranges(of: source, at: offset, in: staging.overlay))
        return true
    }

    /// Records a truncation when a transaction is open; false when there is none.
    func stageTruncation(to length: UInt64) throws(StorageError) -> Bool {
        let taken = state.withLock { state -> Staging? in state.staged }
        guard var staging = taken else { return false }
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
        state.withLock { $0.staged = staging }
        return true
    }
}

extension HostFile.Staging {
    /// Shows a write; `edges` as `PageOverlay` needs them.
    fileprivate mutating func write(_ source: RawSpan, at offset: UInt64, edges: [UInt64: [UInt8]]) {
        _ = overlay.write(source, at: offset, edges: edges)
        length = max(length, offset + UInt64(source.byteCount))
    }
}
