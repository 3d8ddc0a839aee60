import Storage
import Synchronization
import TestSupport
import Testing

/// What every file system reads its structures through.
struct MetadataStoreTests {
    /// What is read beside a write is the reader's alone: who comes later sees the write.
    @Test func whatIsReadBesideAWriteIsNotKept() throws {
        let device = ChangingDevice()
        let store = MetadataStore(device, layer: "test", cacheByteCount: 1 << 16)
        device.onRead {
            device.set(2)
            store.invalidate()
        }
        #expect(try store.bytes(at: 0, count: 512) == [UInt8](repeating: 1, count: 512))
        #expect(try store.bytes(at: 0, count: 512) == [UInt8](repeating: 2, count: 512))
        // The same where pieces are read ahead.
        device.onRead {
            device.set(3)
            store.invalidate()
        }
        #expect(try store.bytes(at: 512, count: 512) == [UInt8](repeating: 2, count: 512))
        for position in stride(from: UInt64(0), to: 8192, by: 512) {
            #expect(try store.bytes(at: position, count: 512) == [UInt8](repeating: 3, count: 512))
        }
    }

    /// Pieces that are asked for one after another cost few reads; what is kept costs none.
    @Test func piecesAreReadAheadAndKept() throws {
        let device = ChangingDevice()
        let store = MetadataStore(device, layer: "test", cacheByteCount: 1 << 20)
        for position in stride(from: UInt64(0), to: 64 << 10, by: 512) {
            _ = try store.bytes(at: position, count: 512)
        }
        #expect(device.readCount <= 4)
        let before = device.readCount
        for position in stride(from: UInt64(0), to: 64 << 10, by: 512) {
            _ = try store.bytes(at: position, count: 512)
        }
        #expect(device.readCount == before)
    }

    @Test func bytesBehindTheEndAreDamage() throws {
        let store = MetadataStore(ChangingDevice(), layer: "test", cacheByteCount: 1 << 16)
        for position in [ChangingDevice.length - 511, ChangingDevice.length, UInt64.max - 511] {
            let error = #expect(throws: StorageError.self) { try store.bytes(at: position, count: 512) }
            #expect(error?.kind == .corrupt)
            #expect(error?.code == "truncated-device")
            #expect(error?.layer == "test")
        }
        #expect(try store.bytes(at: ChangingDevice.length - 512, count: 512).count == 512)
    }
}

struct VolumeStateTests {
    @Test func warningsAreToldOnceAndBounded() {
        let state = VolumeState(layer: "test")
        for number in 0..<1000 {
            state.warn("warning \(number)")
            state.warn("warning \(number)")
        }
        #expect(state.warnings.count == 100)
        #expect(state.warnings.first == "warning 0")
        #expect(Set(state.warnings).count == 100)
    }

    /// One commit at a time, each of a transaction that began after the last one; a failed one forbids all others.
    @Test func commitsFollowEachOther() throws {
        let state = VolumeState(layer: "test")
        let device = MemoryDevice([UInt8](repeating: 0, count: 512))
        _ = try state.target(on: device)
        let began = state.generation
        try state.beginCommit(of: began)
        state.endCommit()
        let stale = #expect(throws: StorageError.self) { try state.beginCommit(of: began) }
        #expect(stale?.code == "transaction-stale")
        try state.beginCommit(of: state.generation)
        let beside = #expect(throws: StorageError.self) { try state.beginCommit(of: state.generation) }
        #expect(beside?.code == "transaction-stale")
        let failed = #expect(throws: StorageError.self) { _ = try state.target(on: device) }
        #expect(failed?.code == "commit-failed")
    }

    @Test func aDeviceThatIsOnlyReadIsNamed() {
        let error = #expect(throws: StorageError.self) {
            _ = try VolumeState(layer: "test").target(on: ChangingDevice())
        }
        #expect(error?.code == "read-only-device")
        #expect(error?.kind == .misuse)
    }
}

/// Every byte of it has one value, which somebody may change while it is read.
private final class ChangingDevice: BlockDevice {
    static let length: UInt64 = 1 << 20

    private let value = Mutex<UInt8>(1)
    private let reads = Mutex(0)
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    var byteCount: UInt64 { Self.length }
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [] }
    var readCount: Int { reads.withLock { $0 } }

    func set(_ byte: UInt8) { value.withLock { $0 = byte } }

    /// Called once, when the bytes of the next read are known and nobody has them yet.
    func onRead(_ body: @escaping @Sendable () -> Void) { action.withLock { $0 = body } }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        reads.withLock { $0 += 1 }
        let bytes = [UInt8](repeating: value.withLock { $0 }, count: target.byteCount)
        target.copy(bytes.span8, to: 0)
        let body = action.withLock { action in
            defer { action = nil }
            return action
        }
        body?()
    }

    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        Extent(range: offset..<byteCount, kind: .computed)
    }
}
