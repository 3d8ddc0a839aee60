internal import Synchronization

/// Takes bytes one behind the other: a new file, a member of an archive, a pipe. One caller at a time.
package protocol ByteOutput: AnyObject, Sendable {
    /// What it is called, for messages.
    var path: String { get }

    /// Takes all of `bytes`, behind what it has.
    func append(_ bytes: RawSpan) throws(StorageError)

    /// Asks the host to begin writing back what it has.
    func startWriteback()

    /// What it has is on stable storage, where it is kept on any.
    func flush() throws(StorageError)
}

/// A file as an output, from one of its bytes on.
package final class FileOutput: ByteOutput {
    private let file: any ByteFile
    private let end: Mutex<UInt64>

    /// The file's path.
    package var path: String { file.path }
    /// The file's byte behind the last one that was taken.
    package var position: UInt64 { end.withLock { $0 } }

    /// What is appended goes into `file` from byte `start` on.
    package init(_ file: any ByteFile, at start: UInt64 = 0) {
        self.file = file
        end = Mutex(start)
    }

    package func append(_ bytes: RawSpan) throws(StorageError) {
        let start = position
        let next = try file.endOfWrite(at: start, count: UInt64(bytes.byteCount))
        try file.write(bytes, at: start)
        end.withLock { $0 = next }
    }

    package func startWriteback() { file.startWriteback() }

    package func flush() throws(StorageError) {
        // Waiting for the bulk of it can be interrupted; a flush cannot.
        try file.awaitWriteback()
        try file.flush()
    }
}
