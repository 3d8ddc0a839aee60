import Storage
import Synchronization
@_spi(Testing) import TestSupport
import Testing

/// Phases, barriers, what is written together, and what an error says.
struct OrderedWritesTests {
    private static func bytes(_ value: UInt8, _ count: Int) -> [UInt8] {
        [UInt8](repeating: value, count: count)
    }

    @Test func aFlushAfterEachPhase() throws {
        var writes = OrderedWrites()
        writes.add("first", [.init(offset: 512, bytes: [1]), .init(offset: 0, bytes: [2])])
        writes.add("none", [])
        var more = OrderedWrites()
        more.add("second", [.init(offset: 512, bytes: [3])])
        writes.add(more)
        let device = MemoryDevice(byteCount: 1024)
        try writes.commit(to: device)
        #expect(
            device.events == [
                .write(offset: 512, bytes: [1]), .write(offset: 0, bytes: [2]), .flush,
                .write(offset: 512, bytes: [3]), .flush,
            ])
        #expect(writes.phases.map(\.name) == ["first", "second"] && writes.byteCount == 3)
        let nothing = MemoryDevice(byteCount: 512)
        try OrderedWrites().commit(to: nothing)
        #expect(nothing.events.isEmpty)
    }

    @Test func neighboursOfAPhaseAreOneWrite() throws {
        var writes = OrderedWrites()
        let all = Array(UInt8(0)..<8)
        writes.add(
            "one",
            [
                .init(offset: 100, bytes: [9, 9]), .init(offset: 102, slice: all[2..<5]),
                .init(offset: 105, byteCount: 2, item: 7, of: Numbers()),
                .init(offset: 108, bytes: [4]),
            ])
        writes.add("two", [.init(offset: 109, bytes: [5])])
        let device = MemoryDevice(byteCount: 512)
        try writes.commit(to: device)
        #expect(
            device.events == [
                .write(offset: 100, bytes: [9, 9, 2, 3, 4, 7, 8]), .write(offset: 108, bytes: [4]), .flush,
                .write(offset: 109, bytes: [5]), .flush,
            ])
    }

    @Test func runsAreBounded() throws {
        var writes = OrderedWrites()
        let block = Self.bytes(3, 4096)
        writes.add("one", (0..<600).map { .init(offset: UInt64($0) * 4096, bytes: block) })
        let device = MemoryDevice(byteCount: 600 * 4096)
        try writes.commit(to: device)
        let sizes = device.events.compactMap { event in
            if case .write(_, let bytes) = event { bytes.count } else { nil }
        }
        #expect(sizes == [1 << 20, 1 << 20, 88 * 4096])
        #expect(device.contents == Self.bytes(3, 600 * 4096))
    }

    @Test func blocksAreCountedAsTheyAreTouched() {
        var writes = OrderedWrites()
        writes.add("one", [.init(offset: 1024, bytes: Self.bytes(1, 1024))])
        writes.add(
            "two", [.init(offset: 4095, bytes: [1, 2]), .init(offset: 8192, bytes: Self.bytes(1, 8192))])
        #expect(writes.blockCount(of: 4096) == 1 + 2 + 2)
        #expect(writes.blockCount(of: 1024) == 1 + 2 + 8)
        #expect(OrderedWrites().blockCount(of: 4096) == 0)
    }

    /// What is fetched is fetched in its own phase, after what came before is durable.
    @Test func contentsAreFetchedWhenTheyAreWritten() throws {
        let device = MemoryDevice(byteCount: 2048)
        var writes = OrderedWrites()
        writes.add("log", [.init(offset: 1024, bytes: Self.bytes(7, 512))])
        writes.add(
            "home",
            [
                .init(offset: 0, byteCount: 512, item: 1024, of: Place(device: device))
            ])
        #expect(try writes.phases[1].writes[0].bytes() == Self.bytes(0, 512))
        try writes.commit(to: device)
        #expect(Array(device.contents.prefix(512)) == Self.bytes(7, 512))
    }

    @Test func aDeviceTooShortIsRefusedBeforeAnyWrite() {
        var writes = OrderedWrites()
        writes.add("one", [.init(offset: 0, bytes: [1])])
        writes.add("two", [.init(offset: .max, bytes: [1])])
        let device = MemoryDevice(byteCount: 512)
        let error = #expect(throws: StorageError.self) { try writes.commit(to: device) }
        #expect(error?.kind == .misuse && error?.phase == nil && device.events.isEmpty)
    }

    /// Whichever call fails, the error says in which phase, and no later one has begun.
    @Test func anErrorNamesItsPhase() throws {
        var writes = OrderedWrites()
        writes.add("log", [.init(offset: 0, bytes: [1]), .init(offset: 512, bytes: [2])])
        writes.add("commit", [.init(offset: 1024, bytes: [3])])
        for call in 0..<5 {
            let device = FailingDevice(MemoryDevice(byteCount: 2048), failingCall: call)
            let error = #expect(throws: StorageError.self) { try writes.commit(to: device) }
            #expect(error?.phase == (call < 3 ? "log" : "commit"))
            #expect(error?.description.contains(call < 3 ? "phase \"log\"" : "phase \"commit\"") == true)
            #expect(device.base.events.count == call)
        }
        var fetched = OrderedWrites()
        fetched.add("log", [.init(offset: 0, bytes: [1])])
        fetched.add(
            "home",
            [
                .init(offset: 0, byteCount: 1, item: 512, of: Place(device: MemoryDevice(byteCount: 512)))
            ])
        let error = #expect(throws: StorageError.self) {
            try fetched.commit(to: MemoryDevice(byteCount: 512))
        }
        #expect(error?.phase == "home" && error?.code == "out-of-range")
    }

    /// The harness goes through every phase of any such value.
    @Test func powerCutsOfAnyOrderedWrites() throws {
        var writes = OrderedWrites()
        writes.add("data", [.init(offset: 1024, bytes: Self.bytes(2, 1024))])
        writes.add("pointer", [.init(offset: 0, bytes: Self.bytes(1, 512))])
        var phases: [String?] = []
        var torn = 0
        let after = try PowerCut.replay(writes, onto: Self.bytes(0, 2048), subsets: 20) { state in
            if phases.last != state.phase { phases.append(state.phase) }
            // Whoever sees the pointer sees the data.
            if state.image[0] == 1 { #expect(Array(state.image[1024...]) == Self.bytes(2, 1024)) }
            if state.image[1024] != state.image[1536] { torn += 1 }
        }
        #expect(phases == ["data", "pointer", nil] && torn > 0)
        #expect(after[0] == 1 && after[1024] == 2)
    }
}

/// The item's number, and 8.
private struct Numbers: OrderedWrites.Source {
    func fetch(_ item: Int, into target: inout MutableRawSpan) throws(StorageError) {
        target.copy([UInt8(item), 8].span8, to: 0)
    }
}

/// What a device holds at the item's place.
private struct Place: OrderedWrites.Source {
    let device: MemoryDevice
    func fetch(_ item: Int, into target: inout MutableRawSpan) throws(StorageError) {
        try device.read(into: &target, at: UInt64(item))
    }
}

/// Fails one call of write or flush, counted from 0, and all after it.
private final class FailingDevice: WritableBlockDevice {
    let base: MemoryDevice
    private let left: Mutex<Int>

    init(_ base: MemoryDevice, failingCall: Int) {
        self.base = base
        left = Mutex(failingCall)
    }

    var byteCount: UInt64 { base.byteCount }
    var sectorSize: UInt32 { base.sectorSize }
    var hostFiles: [any ByteFile] { [] }
    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try base.read(into: &target, at: offset)
    }
    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent { try base.nextExtent(at: offset) }
    func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try count()
        try base.write(source, at: offset)
    }
    func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try writeZeroesByWriting(at: offset, count: count)
    }
    func flush() throws(StorageError) {
        try count()
        try base.flush()
    }

    private func count() throws(StorageError) {
        let fails = left.withLock { left in
            left -= 1
            return left < 0
        }
        if fails { throw .io("test", operation: "write", errno: 5) }
    }
}
