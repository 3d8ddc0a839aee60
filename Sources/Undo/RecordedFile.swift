package import HostIO
package import Storage
internal import Synchronization

/// A file whose writes, truncations and flushes a `HostTransaction` records instead of doing them, while one is open on it;
/// reads show the recorded state. Nothing below knows of it.
package final class RecordedFile: ByteFile {
    /// The file as it is, whatever is recorded.
    let base: any ByteFile
    let staged = Mutex<Staging?>(nil)

    /// The recorded state within a transaction.
    struct Staging: Sendable {
        let transaction: HostTransaction
        let index: Int
        var overlay = PageOverlay()
        var length: UInt64
        /// How much of the file below still counts: truncation and regrowth hide what was behind.
        var visibleBase: UInt64
    }

    /// A file that can be part of a transaction. All writing goes through this one from now on.
    package init(_ base: any ByteFile) { self.base = base }

    /// Opens a file of the host for writing.
    package static func open(
        _ path: String, locking: HostFile.Locking = .honour, among use: KernelUse = KernelUse()
    ) throws(StorageError) -> RecordedFile {
        RecordedFile(try HostFile.open(path, access: .write, locking: locking, among: use))
    }

    /// The file as it is, of one that is recorded or not.
    static func below(_ file: any ByteFile) -> any ByteFile { (file as? RecordedFile)?.base ?? file }

    package var path: String { base.path }
    package var access: FileAccess { base.access }
    package var identity: FileIdentity? { base.identity }
    package var hasFixedLength: Bool { base.hasFixedLength }
    package var sectorSize: UInt32 { base.sectorSize }
    package var incarnation: FileIncarnation? { base.incarnation }
    package var allocatedByteCount: UInt64? { base.allocatedByteCount }
    package var modificationTime: Int64? { base.modificationTime }
    package func putBack(modificationTime: Int64) { base.putBack(modificationTime: modificationTime) }
    package var nameCount: UInt64? { base.nameCount }
    package var keepsAttributes: Bool { base.keepsAttributes }
    package func setAttribute(_ name: String, to value: [UInt8]?) throws(StorageError) {
        try base.setAttribute(name, to: value)
    }
    package func refreshLength() { base.refreshLength() }
    package func startWriteback() { base.startWriteback() }
    package func awaitWriteback() throws(StorageError) { try base.awaitWriteback() }

    /// The length in bytes, as a transaction shows it.
    package var byteCount: UInt64 { staged.withLock { $0?.length } ?? base.byteCount }

    // MARK: Reading

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        guard let staging = staged.withLock({ $0 }) else { return try base.read(into: &target, at: offset) }
        try Cancellation.check()
        guard target.byteCount > 0 else { return }
        let count = UInt64(target.byteCount)
        guard let end = offset +? count, end <= staging.length else {
            throw shortFile(at: offset, target.byteCount)
        }
        let fromBase = offset < staging.visibleBase ? min(count, staging.visibleBase - offset) : 0
        if fromBase > 0 {
            var part = target.part(0..<Int(fromBase))
            try base.read(into: &part, at: offset)
        }
        target.zero(Int(fromBase)..<target.byteCount)
        staging.overlay.apply(to: &target, at: offset)
        if Witnesses.isReading {
            staging.transaction.note(witness: offset..<offset + fromBase, in: staging.index)
        }
    }

    package func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        if let length = staged.withLock({ $0?.length }) { return (true, length) }
        return try base.nextDataOrHole(at: offset)
    }

    // MARK: Writing

    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        guard isStaged else { return try base.write(source, at: offset) }
        try Cancellation.check()
        let end = try endOfWrite(at: offset, count: UInt64(source.byteCount))
        if source.byteCount > 0 { try stageWrite(source, at: offset, end: end) }
    }

    package func truncate(to length: UInt64) throws(StorageError) {
        guard isStaged else { return try base.truncate(to: length) }
        try requireWritable()
        try stageTruncation(to: length)
    }

    package func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        guard isStaged else { return try base.writeZeroes(at: offset, count: count) }
        try writeZeroesByWriting(at: offset, count: count)
    }

    package func flush() throws(StorageError) {
        guard let staging = staged.withLock({ $0 }) else { return try base.flush() }
        staging.transaction.record(.flush(file: staging.index))
        try staging.transaction.writeIfLarge()
    }

    /// False while a transaction is open: what is shared is not recorded.
    package func clone(
        _ source: any ByteFile, at offset: UInt64, count: UInt64, to target: UInt64
    ) -> Bool {
        guard !isStaged else { return false }
        return base.clone(source, at: offset, count: count, to: target)
    }

    package func cloneOrigin(at offset: UInt64) -> (file: any ByteFile, offset: UInt64)? {
        isStaged ? nil : base.cloneOrigin(at: offset)
    }

    private var isStaged: Bool { staged.withLock { $0 != nil } }
}

/// Files that can be part of a transaction wherever they are opened for writing or made.
package struct RecordedFiles: ByteFileStore {
    private let base: any ByteFileStore

    /// The files of another store.
    package init(_ base: any ByteFileStore = HostFiles()) { self.base = base }

    package func open(_ path: String, access: FileAccess) throws(StorageError) -> any ByteFile {
        recorded(try base.open(path, access: access))
    }

    package func openSibling(
        of sibling: String, name: String, access: FileAccess
    ) throws(StorageError) -> any ByteFile {
        recorded(try base.openSibling(of: sibling, name: name, access: access))
    }

    package func create(_ path: String) throws(StorageError) -> any ByteFile {
        recorded(try base.create(path))
    }

    package func remove(_ path: String) throws(StorageError) { try base.remove(path) }
    package func identity(of path: String) -> FileIdentity? { base.identity(of: path) }
    package func exists(_ path: String) -> Bool { base.exists(path) }
    package func isRegularFile(_ path: String) -> Bool { base.isRegularFile(path) }
    package func names(in directory: String) -> [String] { base.names(in: directory) }
    package func resolved(_ path: String) -> String? { base.resolved(path) }
    package func absolutePath(_ path: String) -> String { base.absolutePath(path) }

    /// What is only read is never part of a transaction.
    private func recorded(_ file: any ByteFile) -> any ByteFile {
        file.access == .write ? RecordedFile(file) : file
    }
}
