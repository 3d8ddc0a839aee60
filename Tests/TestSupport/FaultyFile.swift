package import Storage
internal import Synchronization

/// A file of which one call fails, once: the host's disk is full, or the cable was loose.
package final class FaultyFile: ByteFile {
    private let base: any ByteFile
    /// What marking fails with.
    private let attributeError: Int32?
    /// Calls that change something are counted down to the one that fails.
    private let left: Mutex<Int?>

    /// What can be wrong.
    package enum Code: String, LayerCode {
        package static let layer = "faulty file"
        case fault
    }

    /// A file whose call number `call`, counted from 0 over writes, truncations and flushes, fails; nil: none does.
    package init(_ base: any ByteFile, failingAt call: Int? = nil, attributeError: Int32? = nil) {
        self.base = base
        self.attributeError = attributeError
        left = Mutex(call)
    }

    /// Whether the fault is still to come.
    package var isArmed: Bool { left.withLock { $0 != nil } }

    package var path: String { base.path }
    package var access: FileAccess { base.access }
    package var identity: FileIdentity? { base.identity }
    package var byteCount: UInt64 { base.byteCount }
    package var hasFixedLength: Bool { base.hasFixedLength }
    package var sectorSize: UInt32 { base.sectorSize }
    package var incarnation: FileIncarnation? { base.incarnation }
    package func refreshLength() { base.refreshLength() }
    package var keepsAttributes: Bool { base.keepsAttributes }
    package func setAttribute(_ name: String, to value: [UInt8]?) throws(StorageError) {
        if let attributeError, value != nil {
            throw .io("host file", operation: "fsetxattr", errno: attributeError, path: path)
        }
        try base.setAttribute(name, to: value)
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try base.read(into: &target, at: offset)
    }

    package func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        try base.nextDataOrHole(at: offset)
    }

    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        if isDue {
            // Half of it arrives, as on a disk that fills up, and no sector in part.
            let end = (offset + UInt64(source.byteCount / 2)) / 512 * 512
            if end > offset { try base.write(source.extracting(0..<Int(end - offset)), at: offset) }
            throw fault
        }
        try base.write(source, at: offset)
    }

    package func truncate(to length: UInt64) throws(StorageError) {
        if isDue { throw fault }
        try base.truncate(to: length)
    }

    package func flush() throws(StorageError) {
        if isDue { throw fault }
        try base.flush()
    }

    private var isDue: Bool {
        left.withLock { left in
            guard let count = left else { return false }
            left = count == 0 ? nil : count - 1
            return count == 0
        }
    }

    private var fault: StorageError {
        StorageError(.io, Code.fault, "a call failed, as asked for", path: path)
    }
}
