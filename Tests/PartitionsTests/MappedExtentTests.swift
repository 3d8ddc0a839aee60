internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// Extents of volumes over several disks: what a converter copies by.
struct MappedExtentTests {
    private typealias Fixture = LVMFixture

    private func volume(_ logical: String) throws -> (MappedDevice, TemporaryDirectory) {
        let directory = try TemporaryDirectory()
        let uuids = [Fixture.first, Fixture.second]
        let text = Fixture.group(physical: uuids, logical: logical)
        let disks = try uuids.enumerated().map { index, uuid in
            try fileDevice(try directory.write("disk\(index)", Fixture(uuid).bytes(text)))
        }
        let found = try discover(disks: disks)
        return (try #require(found.volume(named: "vg/lv")?.device as? MappedDevice), directory)
    }

    /// Every extent from the start on, checked against what is read.
    private func extents(_ device: MappedDevice) throws -> [String] {
        var list: [String] = []
        var offset: UInt64 = 0
        while offset < device.byteCount {
            let extent = try device.nextExtent(at: offset)
            #expect(extent.range.lowerBound == offset && extent.range.upperBound <= device.byteCount)
            if case .plain(let file, let host) = extent.kind {
                list.append("\(extent.range.count >> 10)K file \(file) at \(host >> 10)K")
                let there = try device.hostFiles[file].bytes(at: host, count: 100)
                #expect(try device.bytes(at: offset, count: 100) == there)
            } else {
                list.append("\(extent.range.count >> 10)K \(extent.kind)")
            }
            offset = extent.range.upperBound
        }
        return list
    }

    @Test func linearOverTwoDisks() throws {
        let logical = Fixture.concatenated("lv", [("pv1", 3, 2), ("pv0", 0, 2), ("pv1", 7, 2)])
        let (device, directory) = try volume(logical)
        #expect(device.hostFiles.map(\.path) == [directory.path("disk1"), directory.path("disk0")])
        #expect(
            try extents(device) == [
                "2048K file 0 at 4096K", "2048K file 1 at 1024K", "2048K file 0 at 8192K",
            ])
    }

    @Test func zeroAndStripes() throws {
        let striped = Fixture.volume(
            "lv", "type = \"striped\"\nstripe_size = 1024\nstripes = [\"pv0\", 0, \"pv1\", 0]", count: 2)
        let (device, _) = try volume(striped)
        #expect(
            try extents(device) == [
                "512K file 0 at 1024K", "512K file 1 at 1024K", "512K file 0 at 1536K",
                "512K file 1 at 1536K",
            ])
        let (zero, _) = try volume(Fixture.volume("lv", "type = \"zero\"", count: 1))
        #expect(try extents(zero) == ["1024K zero"])
        #expect(try zero.bytes(at: 5, count: 3) == [0, 0, 0])
    }

    @Test func errorsAndBounds() throws {
        let (device, _) = try volume(Fixture.volume("lv", "type = \"error\"", count: 1))
        #expect(throws: StorageError.self) { try device.bytes(at: 0, count: 1) }
        #expect(throws: StorageError.self) { try device.nextExtent(at: 0) }
        let (linear, _) = try volume(Fixture.linear("lv", "\"pv0\", 0", count: 1))
        #expect(throws: StorageError.self) { try linear.bytes(at: (1 << 20) - 1, count: 2) }
        let error = #expect(throws: StorageError.self) { try linear.write([0], at: 0) }
        #expect(error?.kind == .misuse || error?.kind == .io)
        // A physical volume that is too short for its extents.
        let (short, _) = try volume(Fixture.linear("lv", "\"pv0\", 13", count: 4))
        #expect(short.writeRefusal?.code == "partial")
    }
}
