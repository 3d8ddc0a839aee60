internal import Synchronization

/// All changes to one or more host files, recorded first and then applied together under undo records.
///
/// Between `init` and `commit` every write, truncation and flush of the files lands in memory, and reads show
/// it. So a change through any number of layers is known down to the host byte before the first of them is
/// written; `commit` makes the undo records durable and then repeats the operations in their order, barriers
/// included.
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

    /// What has been recorded so far, for tests that cut the power after any of it.
    @_spi(Testing)
    public var recordedOperations: [Operation] { operations.withLock { $0 } }

    private let files: [HostFile]
    private let operations: Mutex<[Operation]> = Mutex([])

    /// Begins on `files`, all opened for writing and in no other transaction.
    public init(_ files: [HostFile]) throws(StorageError) {
        self.files = files
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

    func record(_ operation: Operation) { operations.withLock { $0.append(operation) } }

    /// Whether nothing has been written since it began.
    public var isEmpty: Bool {
        operations.withLock { operations in
            operations.allSatisfy { if case .flush = $0 { true } else { false } }
        }
    }

    /// Bytes that `commit` will write to the files.
    public var writtenByteCount: Int {
        operations.withLock { operations in
            operations.reduce(0) { sum, operation in
                if case .write(_, _, let bytes) = operation { sum + bytes.count } else { sum }
            }
        }
    }

    /// Forgets everything; the files are as they were.
    public func rollBack() {
        for file in files { file.endStaging() }
        operations.withLock { $0 = [] }
    }

    /// Makes undo records durable (unless `undo` is false), then the changes. On an error after the records were
    /// made, they stay hot: the next opening for writing rolls back, and so does `UndoRecord.recover`.
    public func commit(undo: Bool = true) throws(StorageError) {
        let operations = self.operations.withLock { $0 }
        if isEmpty { return rollBack() }
        var records: [UndoRecord.Pending] = []
        if undo {
            do throws(StorageError) {
                records = try UndoRecord.prepare(files: files, operations: operations)
            } catch {
                rollBack()
                throw error
            }
        }
        for file in files { file.endStaging() }
        for operation in operations {
            switch operation {
            case .write(let file, let offset, let bytes):
                try files[file].write(bytes, at: offset)
            case .truncate(let file, let length):
                try files[file].truncate(to: length)
            case .flush(let file):
                try files[file].flush()
            }
        }
        for file in files { try file.flush() }
        for record in records { try record.markDone() }
        self.operations.withLock { $0 = [] }
    }
}
