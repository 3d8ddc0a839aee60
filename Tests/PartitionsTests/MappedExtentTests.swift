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

    /// Volumes over two disks of random bytes, as a device and as what their extents come to: reads, writes, and no byte
    /// written elsewhere.
    @Test(arguments: ["linear", "striped", "mirrored"])
    func aMappingIsADevice(_ kind: String) throws {
        let directory = try TemporaryDirectory()
        let uuids = [Fixture.first, Fixture.second]
        let half = Fixture.extent / 2
        let (logical, runs): (String, [(disk: Int, offset: Int, count: Int)]) =
            switch kind {
            case "linear":
                (
                    Fixture.concatenated("lv", [("pv1", 3, 1), ("pv0", 0, 2)]),
                    [(1, 3 * Fixture.extent, Fixture.extent), (0, 0, 2 * Fixture.extent)]
                )
            case "striped":
                (
                    Fixture.volume(
                        "lv",
                        "type = \"striped\"\nstripe_size = 1024\nstripes = [\"pv0\", 0, \"pv1\", 0]",
                        count: 2),
                    [(0, 0, half), (1, 0, half), (0, half, half), (1, half, half)]
                )
            default:
                (
                    Fixture.volume(
                        "lv", "type = \"mirror\"\nmirrors = [\"leg0\", 0, \"leg1\", 0]", count: 1)
                        + Fixture.linear("leg0", "\"pv0\", 2", hidden: true)
                        + Fixture.linear("leg1", "\"pv1\", 5", hidden: true),
                    [(0, 2 * Fixture.extent, Fixture.extent)]
                )
            }
        let text = Fixture.group(physical: uuids, logical: logical)
        var disks = uuids.enumerated().map { index, uuid in
            var bytes = Fixture(uuid).bytes(text)
            bytes.put(
                SeededBytes.block(8 * Fixture.extent, seed: UInt64(index) + 3), at: Fixture.dataStart)
            return bytes
        }
        if kind == "mirrored" {
            let leg = Array(
                disks[0][(Fixture.dataStart + 2 * Fixture.extent)..<(Fixture.dataStart + 3 * Fixture.extent)])
            disks[1].put(leg, at: Fixture.dataStart + 5 * Fixture.extent)
        }
        let devices = try disks.enumerated().map { index, bytes in
            try fileDevice(try directory.write("disk\(index)", bytes), access: .write)
        }
        let device = try #require(
            try discover(disks: devices).volume(named: "vg/lv")?.device as? MappedDevice)
        func shown(_ disks: [[UInt8]]) -> [UInt8] {
            runs.flatMap { run in
                Array(
                    disks[run.disk][
                        (Fixture.dataStart + run.offset)..<(Fixture.dataStart + run.offset + run.count)])
            }
        }
        var contents = shown(disks)
        try BlockDeviceSuite.reads(device, contents)
        guard kind != "mirrored" else { return }
        try BlockDeviceSuite.writes(device, &contents)
        try BlockDeviceSuite.reads(device, contents)
        let after = try (0..<2).map { try fileBytes(directory.path("disk\($0)")) }
        #expect(isSame(shown(after), contents))
        var around = after
        for run in runs {
            let range = (Fixture.dataStart + run.offset)..<(Fixture.dataStart + run.offset + run.count)
            around[run.disk].replaceSubrange(range, with: disks[run.disk][range])
        }
        #expect(isSame(around[0], disks[0]) && isSame(around[1], disks[1]))
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
