internal import Glibc
internal import HostIO
public import Storage
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
        /// What the recorded operations make of sectors, by file.
        var given: [Int: GivenContents] = [:]
        /// What was read as a witness since the last part, by file.
        var witnesses: [Int: RangeSet<UInt64>] = [:]
        /// The undo records begun, by file.
        var segments: [Int: UndoWriter] = [:]
        /// Files that were written and not flushed since.
        var unflushed: Set<Int> = []
        /// The files may differ from what they were.
        var hasWritten = false
    }

    let files: [RecordedFile]
    private let memoryLimit: Int
    private let place: UndoPlace
    private let diskLengthBefore: UInt64?
    private let transactionID: [UInt8]
    private let progress = Mutex(Progress())

    /// Begins on `files`, all of them `RecordedFile`s that were opened for writing and are in no other transaction. Their
    /// undo records will lie in `place`. A change that makes the guest's disk longer says how many bytes it has:
    /// before that many are all again, whoever takes it back is asked (`DiskLengthCheck`).
    ///
    /// Throws `misuse`, code "not-recorded" or "already-in-transaction".
    public init(
        _ files: [any ByteFile], memoryLimit: Int = HostTransaction.usualMemoryLimit,
        records place: UndoPlace = UndoPlace(), diskLengthBefore: UInt64? = nil
    ) throws(StorageError) {
        var recorded: [RecordedFile] = []
        for file in files {
            guard let file = file as? RecordedFile else {
                throw StorageError(
                    .misuse, RecordingCode.notRecorded,
                    "was not opened as a file whose changes can be recorded",
                    path: file.path)
            }
            recorded.append(file)
        }
        self.files = recorded
        self.memoryLimit = memoryLimit
        self.place = place
        self.diskLengthBefore = diskLengthBefore
        transactionID = try SystemRandom.bytes(16)
        var begun: [RecordedFile] = []
        do throws(StorageError) {
            for (index, file) in recorded.enumerated() {
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

    /// `given` has the ranges of `GivenContents` that the operation makes.
    func record(_ operation: Operation, giving given: [[UInt8]] = []) {
        progress.withLock { progress in
            // However small a write is, a page of the file is held for reading it back.
            if case .write(_, _, let bytes) = operation {
                progress.byteCount += max(bytes.count, Int(PageOverlay.pageSize))
            }
            progress.operations.append(operation)
            switch operation {
            case .write(let file, _, _), .truncate(let file, _):
                for range in given {
                    progress.given[file, default: GivenContents()].append(range)
                    progress.byteCount += range.count
                }
            case .flush: break
            }
        }
    }

    /// Takes note of what the change relies on.
    func note(witness range: Range<UInt64>, in file: Int) {
        guard !range.isEmpty else { return }
        progress.withLock { $0.witnesses[file, default: RangeSet()].insert(contentsOf: range) }
    }

    /// Called at a barrier: writes what is recorded when it is more than memory shall hold.
    func writeIfLarge() throws(StorageError) {
        guard progress.withLock({ $0.byteCount > memoryLimit }) else { return }
        var state = take()
        defer { put(state) }
        try save(&state, isPart: true)
        try sync(&state)
        try write(&state)
        for file in files { file.restartStaging() }
    }

    /// Forgets everything, and takes back what was written. Returns whether the files are as they were. Should that
    /// fail, or be stopped by a request that has stood for `time`, the undo records stay hot, and the next opening for
    /// writing goes on with it.
    @discardableResult
    public func rollBack(within time: Duration = UndoRecord.takingBackTime) -> Bool {
        Cancellation.delaying(by: time) { takeBack() }
    }

    /// Rolls back, and returns the error that was the reason, which says so when that did not come to its end.
    public func rollBack(after error: StorageError) -> StorageError {
        guard !rollBack() else { return error }
        var error = error
        error.message +=
            "; what had been written is not all taken back yet: the next opening for writing goes on with that"
        error.remedies.append(.undo)
        return error
    }

    private func takeBack() -> Bool {
        var state = take()
        for file in files { file.endStaging() }
        let begun = state.segments.keys.sorted()
        do throws(StorageError) {
            // A segment that is not hot guards nothing.
            let hot = begun.filter { state.segments[$0]?.isHot == true }
            for file in hot { try state.segments[file]?.restore() }
            for file in hot { try state.segments[file]?.markRolledBack() }
        } catch {
            return false
        }
        for file in begun { state.segments[file]?.discard() }
        return true
    }

    /// Makes undo records durable, then the changes. On an error everything is taken back, as by `rollBack`; or, where that is
    /// one of the records that cannot be marked as done after another was, or as not done, the change stands, which the error says.
    public func commit() throws(StorageError) {
        guard !isEmpty else {
            rollBack()
            return
        }
        var state = take()
        do throws(StorageError) {
            try save(&state)
            for file in state.segments.keys {
                state.segments[file]?.seal(lengthAfter: files[file].byteCount)
            }
            try sync(&state)
            try write(&state)
            for file in state.unflushed.sorted() { try files[file].base.flush() }
            // Only now, or a read would show what was there before.
            for file in files { file.endStaging() }
        } catch {
            put(state)
            throw rollBack(after: error)
        }
        try finish(&state)
    }

    /// Marks the change as done. The first mark decides: a change over several files stands from there on.
    private func finish(_ state: inout Progress) throws(StorageError) {
        let order = state.segments.keys.sorted()
        var count = 0
        do throws(StorageError) {
            try Cancellation.shielding { () throws(StorageError) in
                for file in order {
                    try state.segments[file]?.markDone()
                    count += 1
                }
            }
        } catch {
            var error = error
            var isHot = false
            if count == 0, let first = order.first {
                isHot = Cancellation.shielding { (try? state.segments[first]?.markHot()) != nil }
            }
            guard isHot else {
                error.message +=
                    "; the change is complete, and its undo record does not say so yet: the next opening for writing does"
                error.remedies.append(.undo)
                throw error
            }
            put(state)
            throw rollBack(after: error)
        }
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

    /// Saves in the undo records what the recorded operations will change, and what they will make of it. Of a part of the
    /// change also what the rest relies on: the part itself may be nothing but contents for free space.
    private func save(_ state: inout Progress, isPart: Bool = false) throws(StorageError) {
        let touched = touchedRanges(state.operations)
        let witnesses = isPart ? state.witnesses : [:]
        state.witnesses = [:]
        let known = Set(touched.keys).union(witnesses.keys).sorted()
        let time = Self.now()
        // Before anything of them is written.
        try HostFile.requireNotUsedByKernel(
            known.filter { state.segments[$0] == nil }.map { files[$0].base })
        for file in known where state.segments[file] == nil {
            state.segments[file] = try UndoWriter(
                of: files[file].base, in: place, transactionID: transactionID, time: time,
                diskLengthBefore: diskLengthBefore)
        }
        let paths = state.segments.keys.sorted().map { HostDirectory.absolutePath(files[$0].path) }
        for file in state.segments.keys.sorted() {
            let own = HostDirectory.absolutePath(files[file].path).hostBytes
            try state.segments[file]?.addSiblings(paths.filter { $0.hostBytes != own })
            try state.segments[file]?.save(touched[file]?.ranges ?? [])
            try state.segments[file]?.add(witnesses: witnesses[file] ?? RangeSet())
            guard let touched = touched[file] else { continue }
            try state.segments[file]?.add(
                state.given.removeValue(forKey: file) ?? GivenContents(), lengths: touched.lengths)
        }
    }

    /// Makes all records durable; only then do they count, one after the other.
    private func sync(_ state: inout Progress) throws(StorageError) {
        for file in state.segments.keys.sorted() { try state.segments[file]?.sync() }
        for file in state.segments.keys.sorted() { try state.segments[file]?.begin() }
    }

    /// Repeats the recorded operations on the files. A request to stop waits: what is begun is sooner done than undone.
    private func write(_ state: inout Progress) throws(StorageError) {
        state.hasWritten = true
        try Cancellation.shielding { () throws(StorageError) in try repeatOperations(&state) }
    }

    private func repeatOperations(_ state: inout Progress) throws(StorageError) {
        for operation in state.operations {
            switch operation {
            case .write(let file, let offset, let bytes):
                try files[file].writeThrough(bytes, at: offset)
                state.unflushed.insert(file)
            case .truncate(let file, let length):
                try files[file].truncateThrough(to: length)
                state.unflushed.insert(file)
            case .flush(let file):
                try files[file].base.flush()
                state.unflushed.remove(file)
            }
        }
        state.operations = []
        state.byteCount = 0
    }

    private static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
