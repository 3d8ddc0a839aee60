internal import Glibc
internal import Synchronization

/// All changes to one or more host files as one: recorded first, then applied together under undo records.
///
/// Between `init` and `commit` every write, truncation and flush of the files lands in memory, and reads show
/// it. So a change through any number of layers is known down to the host byte before the first of them is
/// written; `commit` makes the undo records durable and then repeats the operations in their order, barriers
/// included.
///
/// A change that outgrows `memoryLimit` does not wait for `commit`: at a barrier, what was there is saved in the undo
/// records and synced, and what is recorded so far is written. Memory stays flat, `rollBack` still brings every byte
/// back, and a cut leaves hot records, which the next opening for writing rolls back.
public final class HostTransaction: Sendable {
    /// One recorded operation; `file` counts in the files that the transaction was begun on.
    @_spi(Testing)
    public enum Operation: Sendable, Equatable {
        /// pwrite.
        case write(file: Int, offset: UInt64, bytes: [UInt8])
        /// ftruncate.
        case truncate(file: Int, length: UInt64)
        /// fdatasync.
        case flush(file: Int)
    }

    /// Bytes of changes that are held in memory unless a caller says otherwise.
    public static let usualMemoryLimit = 32 << 20

    private struct Progress: Sendable {
        /// Recorded and not yet written.
        var operations: [Operation] = []
        var byteCount = 0
        /// The undo records begun, by file.
        var segments: [Int: UndoWriter] = [:]
        /// The files may differ from what they were.
        var hasWritten = false
    }

    private let files: [HostFile]
    private let memoryLimit: Int
    private let transactionID: [UInt8]
    private let progress = Mutex(Progress())

    /// Begins on `files`, all opened for writing and in no other transaction.
    public init(
        _ files: [HostFile], memoryLimit: Int = HostTransaction.usualMemoryLimit
    ) throws(StorageError) {
        self.files = files
        self.memoryLimit = memoryLimit
        transactionID = try SystemRandom.bytes(16)
        var begun: [HostFile] = []
        do throws(StorageError) {
            for (index, file) in files.enumerated() {
                try file.beginStaging(self, index: index)
                begun.append(file)
            }
        } catch {
            for file in begun { file.endStaging() }
            throw error
        }
    }

    /// What has been recorded and not yet written, for tests that cut the power after any of it.
    @_spi(Testing)
    public var recordedOperations: [Operation] { progress.withLock { $0.operations } }

    /// Whether nothing has been written since it began.
    public var isEmpty: Bool {
        progress.withLock { progress in
            !progress.hasWritten
                && progress.operations.allSatisfy { if case .flush = $0 { true } else { false } }
        }
    }

    func record(_ operation: Operation) {
        progress.withLock { progress in
            // However small a write is, a page of the file is held for reading it back.
            if case .write(_, _, let bytes) = operation {
                progress.byteCount += max(bytes.count, Int(PageOverlay.pageSize))
            }
            progress.operations.append(operation)
        }
    }

    /// Called at a barrier: writes what is recorded when it is more than memory shall hold.
    func writeIfLarge() throws(StorageError) {
        guard progress.withLock({ $0.byteCount > memoryLimit }) else { return }
        var state = take()
        defer { put(state) }
        let new = try save(&state)
        try sync(&state, new)
        try write(&state)
        for file in files { file.restartStaging() }
    }

    /// Forgets everything, and takes back what was written: the files are as they were. Should that fail, the
    /// undo records stay hot, and the next opening for writing tries again.
    public func rollBack() {
        let state = take()
        for file in files { file.endStaging() }
        guard state.hasWritten else {
            for (_, segment) in state.segments.sorted(by: { $0.key < $1.key }) { segment.discard() }
            return
        }
        do throws(StorageError) {
            for file in state.segments.keys.sorted() {
                // A segment that does not count yet guards nothing, and the one below it is another change's.
                guard
                    let record = try UndoRecord.read(for: files[file].path, transactionID: transactionID)
                else { continue }
                try record.restore(files[file], record.openLog())
            }
            for (_, segment) in state.segments.sorted(by: { $0.key < $1.key }) {
                try segment.mark(.rolledBack)
            }
        } catch {
            return
        }
        for (_, segment) in state.segments.sorted(by: { $0.key < $1.key }) { segment.discard() }
    }

    /// Makes undo records durable, then the changes. On an error everything is taken back, as by `rollBack`.
    public func commit() throws(StorageError) {
        guard !isEmpty else { return rollBack() }
        var state = take()
        do throws(StorageError) {
            let new = try save(&state)
            for file in state.segments.keys.sorted() {
                try state.segments[file]?.seal(lengthAfter: files[file].byteCount)
            }
            try sync(&state, new)
            for file in files { file.endStaging() }
            try write(&state)
            for file in files { try file.flush() }
        } catch {
            put(state)
            rollBack()
            throw error
        }
        // The first mark decides: a change over several files stands from there on.
        for (_, segment) in state.segments.sorted(by: { $0.key < $1.key }) { try segment.markDone() }
    }

    // MARK: Steps

    private func take() -> Progress {
        progress.withLock { progress in
            let taken = progress
            progress = Progress()
            return taken
        }
    }

    private func put(_ state: Progress) { progress.withLock { $0 = state } }

    /// Saves in the undo records what the recorded operations will change. Returns the files whose records are new.
    private func save(_ state: inout Progress) throws(StorageError) -> [Int] {
        let touched = touchedRanges(state.operations)
        let new = touched.keys.filter { state.segments[$0] == nil }.sorted()
        let isAlone = state.segments.count + new.count == 1
        let time = Self.now()
        for file in new {
            state.segments[file] = try UndoWriter(
                besides: files[file], transactionID: transactionID, time: time,
                state: isAlone ? .hot : .prepared)
        }
        let paths = state.segments.keys.sorted().map { HostDirectory.absolutePath(files[$0].path) }
        let old = state.segments.keys.filter { !new.contains($0) }.sorted()
        for file in new + old {
            // No record names another that is not durable: anything written may reach the disk at once.
            if file == old.first { for file in new { try state.segments[file]?.sync() } }
            let own = HostDirectory.absolutePath(files[file].path)
            try state.segments[file]?.addSiblings(paths.filter { $0 != own })
            try state.segments[file]?.save(touched[file] ?? [])
        }
        return new
    }

    /// Makes the records durable; only then new ones among several are marked hot.
    private func sync(_ state: inout Progress, _ new: [Int]) throws(StorageError) {
        for file in state.segments.keys.sorted() { try state.segments[file]?.sync() }
        guard state.segments.count > 1 else { return }
        for file in new { try state.segments[file]?.mark(.hot) }
    }

    /// Repeats the recorded operations on the files.
    private func write(_ state: inout Progress) throws(StorageError) {
        state.hasWritten = true
        for operation in state.operations {
            switch operation {
            case .write(let file, let offset, let bytes): try files[file].writeThrough(bytes, at: offset)
            case .truncate(let file, let length): try files[file].truncateThrough(to: length)
            case .flush(let file): try files[file].flushDisk()
            }
        }
        state.operations = []
        state.byteCount = 0
    }

    /// What the operations change in each file that they change, in order and merged.
    private func touchedRanges(_ operations: [Operation]) -> [Int: [Range<UInt64>]] {
        var touched: [Int: [Range<UInt64>]] = [:]
        var lengths = files.map(\.diskByteCount)
        for operation in operations {
            switch operation {
            case .write(let file, let offset, let bytes):
                let end = offset + UInt64(bytes.count)
                if offset < end { touched[file, default: []].append(offset..<end) }
                lengths[file] = max(lengths[file], end)
            case .truncate(let file, let length):
                // What a shorter file loses counts as changed.
                touched[file, default: []] += length < lengths[file] ? [length..<lengths[file]] : []
                lengths[file] = length
            case .flush: break
            }
        }
        return touched.mapValues(Self.merged)
    }

    private static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        var result: [Range<UInt64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    private static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
