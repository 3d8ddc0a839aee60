import Storage
import TestSupport
import Testing

/// What an overlay shows, alone and beside a writer.
struct OverlayDeviceTests {
    @Test func writesStayInMemory() throws {
        // The last page is short.
        let base = MemoryDevice([UInt8](repeating: 7, count: 10_000))
        let overlay = OverlayDevice(base)
        #expect(overlay.isWritable)
        try overlay.write([1, 2, 3], at: 4095)
        try overlay.write([4], at: 9_999)
        try overlay.writeZeroes(at: 0, count: 4096)
        #expect(try overlay.bytes(at: 4094, count: 5) == [0, 0, 2, 3, 7])
        #expect(try overlay.bytes(at: 9_997, count: 3) == [7, 7, 4])
        #expect(try overlay.nextExtent(at: 0) == Extent(range: 0..<10_000, kind: .memory))
        #expect(base.events.isEmpty)
        #expect(throws: StorageError.self) { try overlay.write([1], at: 10_000) }
    }

    @Test func aFullOverlayRefuses() throws {
        let overlay = OverlayDevice(MemoryDevice(byteCount: 1 << 20), byteLimit: 8192)
        try overlay.write([1], at: 0)
        try overlay.write([1], at: 8192)
        let error = #expect(throws: StorageError.self) { try overlay.write([1], at: 16384) }
        #expect(error?.code == "overlay-full")
        #expect(try overlay.bytes(at: 8192, count: 1) == [1])
    }

    /// Each write is there as a whole or not at all, and never the base again.
    @Test func readersBesideAWriter() throws {
        let base = MemoryDevice([UInt8](repeating: 0xee, count: 64 << 10))
        let overlay = OverlayDevice(base)
        // Pages in part and whole, some touched for the first time while others read.
        let places = [(5_000, 9_000), (20_480, 4_096), (30_000, 100), (40_959, 8_194)]
        let slice = try SliceDevice(overlay, range: 0..<UInt64(60 << 10))
        try ReadersBesideAWriter(device: slice, places: places, base: 0xee).run()
        #expect(base.events.isEmpty)
    }
}
