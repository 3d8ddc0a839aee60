public import Storage
import Synchronization

/// A device in memory that records what was written and when it was flushed, so that a test can cut the power
/// after any of it.
public final class MemoryDevice: WritableBlockDevice {
    public enum Event: Sendable, Equatable {
        case write(offset: UInt64, bytes: [UInt8])
        case flush
    }

    private let state: Mutex<(bytes: [UInt8], events: [Event])>
    public let byteCount: UInt64
    public let sectorSize: UInt32
    public var hostFiles: [any ByteFile] { [] }

    public init(_ bytes: [UInt8], sectorSize: UInt32 = 512) {
        byteCount = UInt64(bytes.count)
        self.sectorSize = sectorSize
        state = Mutex((bytes, []))
    }

    public convenience init(byteCount: Int, sectorSize: UInt32 = 512) {
        self.init([UInt8](repeating: 0, count: byteCount), sectorSize: sectorSize)
    }

    public var contents: [UInt8] { state.withLock { $0.bytes } }
    public var events: [Event] { state.withLock { $0.events } }
    public func clearEvents() { state.withLock { $0.events = [] } }

    public func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        let bytes = state.withLock { $0.bytes }
        target.copy(bytes.span8.extracting(Int(offset)..<Int(offset) + target.byteCount), to: 0)
    }

    public func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        return Extent(range: offset..<byteCount, kind: .memory)
    }

    public func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(source.byteCount))
        let bytes = source.array(0..<source.byteCount)
        state.withLock { state in
            state.bytes.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
            state.events.append(.write(offset: offset, bytes: bytes))
        }
    }

    public func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: count)
        try writeZeroesByWriting(at: offset, count: count)
    }

    public func flush() throws(StorageError) { state.withLock { $0.events.append(.flush) } }

    /// What `initial` becomes when the power fails after the first `count` events.
    public static func replay(_ initial: [UInt8], _ events: some Sequence<Event>) -> [UInt8] {
        var bytes = initial
        for case .write(let offset, let data) in events {
            bytes.replaceSubrange(Int(offset)..<Int(offset) + data.count, with: data)
        }
        return bytes
    }
}
