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

    /// A transaction's write that was recorded before.
    func writeThrough(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        try writeDisk(bytes.span8, at: offset)
        state.withLock { $0.length = max($0.length, offset + UInt64(bytes.count)) }
    }

    /// A transaction's truncation that was recorded before.
    func truncateThrough(to length: UInt64) throws(StorageError) {
        try truncateDisk(to: length)
        state.withLock { $0.length = length }
    }

    /// The length on disk, whatever a transaction shows.
    var diskByteCount: UInt64 { state.withLock { $0.length } }

    /// Reads the disk below a transaction.
    func diskBytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        try result.withMutableBytes { (span) throws(StorageError) in try readDisk(into: &span, at: offset) }
        return result
    }

    /// Records a write when a transaction is open; false when there is none.
    func stageWrite(_ source: RawSpan, at offset: UInt64, end: UInt64) throws(StorageError) -> Bool {
        let taken = state.withLock { state -> Staging? in state.staged }
        guard var staging = taken else { return false }
        // One owner writes: nobody changes the staging between here and the store below.
        state.withLock { $0.staged?.overlay = PageOverlay() }
        defer { state.withLock { $0.staged = staging } }
        let base = staging.visibleBase
        try staging.overlay.write(source, at: offset) { (pageStart) throws(StorageError) in
            guard pageStart < base else { return [] }
            return try diskBytes(at: pageStart, count: Int(min(PageOverlay.pageSize, base - pageStart)))
        }
        staging.length = max(staging.length, end)
        staging.transaction.record(
            .write(file: staging.index, offset: offset, bytes: source.array(0..<source.byteCount)))
        return true
    }
}
