import Storage
import Synchronization

/// Takes bytes one behind the other and keeps them, as a pipe's reader would; one call of it may fail.
final class MemoryOutput: ByteOutput {
    private struct State: Sendable {
        var bytes: [UInt8] = []
        var calls = 0
        var flushes = 0
        var largest = 0
    }

    let path = "(pipe)"
    private let failing: Int?
    private let state = Mutex(State())

    init(failing: Int? = nil) { self.failing = failing }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var calls: Int { state.withLock { $0.calls } }
    var flushes: Int { state.withLock { $0.flushes } }
    var largest: Int { state.withLock { $0.largest } }

    func append(_ bytes: RawSpan) throws(StorageError) {
        let taken = bytes.array(0..<bytes.byteCount)
        let fails = state.withLock { state in
            defer { state.calls += 1 }
            if state.calls == failing { return true }
            state.bytes += taken
            state.largest = max(state.largest, taken.count)
            return false
        }
        if fails { throw StorageError(.io, layer: "test", code: "broken", "the pipe broke") }
    }

    func startWriteback() {}
    func flush() throws(StorageError) { state.withLock { $0.flushes += 1 } }
}
