import HostIO
import Storage
import TestSupport
import Testing

/// What every device has to hold, for those of Storage.
struct DeviceConformanceTests {
    /// Data and zeros, no multiple of a page.
    private static let contents =
        SeededBytes.block(150_000, seed: 5) + [UInt8](repeating: 0, count: 70_000)
        + SeededBytes.block(801, seed: 6)

    @Test func memoryIsADevice() throws {
        var contents = Self.contents
        let device = MemoryDevice(contents)
        try BlockDeviceSuite.reads(device, contents)
        try BlockDeviceSuite.writes(device, &contents)
        try BlockDeviceSuite.reads(device, contents)
    }

    @Test func aFileIsADevice() throws {
        let directory = try TemporaryDirectory()
        var contents = Self.contents
        let device = try FileDevice(directory.write("disk", contents), access: .write)
        try BlockDeviceSuite.reads(device, contents)
        try BlockDeviceSuite.writes(device, &contents)
        try BlockDeviceSuite.reads(device, contents)
    }

    /// A slice of a slice of a file: its extents are moved twice, and nothing around it changes.
    @Test func aPartOfAPartIsADevice() throws {
        let directory = try TemporaryDirectory()
        var contents = Self.contents
        let (before, after) = (SeededBytes.block(3_000, seed: 7), SeededBytes.block(900, seed: 8))
        let path = try directory.write("disk", before + contents + after)
        let whole = try FileDevice(path, access: .write)
        let outer = try SliceDevice(whole, range: 1_000..<whole.byteCount - 100)
        let device = try SliceDevice(outer, range: 2_000..<2_000 + UInt64(contents.count))
        try BlockDeviceSuite.reads(device, contents)
        try BlockDeviceSuite.writes(device, &contents)
        try BlockDeviceSuite.reads(device, contents)
        #expect(isSame(try fileBytes(path), before + contents + after))
    }

    @Test func aLongerDeviceHasZerosBehind() throws {
        let base = MemoryDevice(Self.contents)
        let device = try LengthenedDevice(base, byteCount: base.byteCount + 100_000)
        #expect(!device.isWritable)
        try BlockDeviceSuite.reads(device, Self.contents + [UInt8](repeating: 0, count: 100_000))
    }

    /// Files, memory, nothing, and an end that is no whole sector.
    @Test func devicesBehindEachOtherAreADevice() throws {
        let directory = try TemporaryDirectory()
        let more = SeededBytes.block(70_001, seed: 9)
        let file = try FileDevice(directory.write("one", Self.contents))
        let other = try FileDevice(directory.write("two", more))
        let device = try JoinedDevice([MemoryDevice(byteCount: 0), file, MemoryDevice(byteCount: 0), other])
        func filled(_ bytes: [UInt8]) -> [UInt8] {
            bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
        }
        #expect(!device.isWritable && device.hostFiles.count == 2)
        try BlockDeviceSuite.reads(device, filled(Self.contents) + filled(more))
        let error = #expect(throws: StorageError.self) {
            try JoinedDevice([file, MemoryDevice(byteCount: 4096, sectorSize: 4096)])
        }
        #expect(error?.isCode(DeviceCode.sectorSizes) == true)
    }

    /// Writes stay in memory, also those over what an overlay below holds.
    @Test(arguments: [1, 2]) func anOverlayIsADevice(_ depth: Int) throws {
        let directory = try TemporaryDirectory()
        var contents = Self.contents
        let path = try directory.write("disk", contents)
        var device = OverlayDevice(try FileDevice(path))
        for level in 0..<depth {
            if level > 0 { device = OverlayDevice(device) }
            try BlockDeviceSuite.reads(device, contents)
            try BlockDeviceSuite.writes(device, &contents, seed: UInt64(level) + 2)
            try BlockDeviceSuite.reads(device, contents)
        }
        #expect(isSame(try fileBytes(path), Self.contents))
    }
}
