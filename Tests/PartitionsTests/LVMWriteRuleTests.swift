internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// What may be written, and the reason where it may not.
struct LVMWriteRuleTests {
    private typealias Fixture = LVMFixture

    private func found(
        _ logical: String, status: String = "\"READ\", \"WRITE\"", flags: [String] = []
    ) throws -> (DiscoveredVolumes, [MemoryDevice]) {
        let uuids = [Fixture.first, Fixture.second, Fixture.third]
        let text = Fixture.group(status: status, physical: uuids, flags: flags, logical: logical)
        let disks = uuids.map { MemoryDevice(Fixture($0).bytes(text)) }
        return (try discover(disks: disks), disks)
    }

    private func refusal(_ found: DiscoveredVolumes, _ name: String) -> String? {
        found.groups.first?.logicalVolumes.first { $0.name == name }?.writeRefusal?.code
    }

    private func image(_ names: [String], meta: Bool = true) -> String {
        names.enumerated().map { index, name in
            (meta ? Fixture.linear("\(name)_rmeta", "\"pv\(index)\", 0", count: 1, hidden: true) : "")
                + Fixture.linear("\(name)_rimage", "\"pv\(index)\", 1", count: 4, hidden: true)
        }.joined()
    }

    private func raid(_ type: String, _ names: [String], count: Int = 4, _ more: String = "") -> String {
        let list = names.map { "\"\($0)_rmeta\", \"\($0)_rimage\"" }.joined(separator: ", ")
        return image(names)
            + Fixture.volume(
                "lv",
                "type = \"\(type)\"\ndevice_count = \(names.count)\nstripe_size = 128\n\(more)\nraids = [\(list)]",
                count: count)
    }

    @Test func stripesGoRound() throws {
        let (found, disks) = try found(
            Fixture.volume(
                "lv",
                "type = \"striped\"\nstripe_count = 3\nstripe_size = 128\nstripes = [\"pv0\", 0, \"pv1\", 1, \"pv2\", 2]",
                count: 6))
        let device = try #require(found.volume(named: "vg/lv")?.device as? any WritableBlockDevice)
        try device.write(SeededRandom.pattern(4 * 65536), at: 0)
        let expected = SeededRandom.pattern(4 * 65536)
        let base = 1 << 20
        #expect(isSame(Array(disks[0].contents[base..<base + 65536]), Array(expected[..<65536])))
        #expect(
            isSame(Array(disks[1].contents[2 * base..<2 * base + 65536]), Array(expected[65536..<131072])))
        #expect(
            isSame(Array(disks[2].contents[3 * base..<3 * base + 65536]), Array(expected[131072..<196608])))
        #expect(isSame(Array(disks[0].contents[base + 65536..<base + 131072]), Array(expected[196608...])))
        #expect(isSame(try device.bytes(at: 1000, count: 200_000), Array(expected[1000..<201_000])))
    }

    @Test func stripesWithMetadataHaveNoStaleLegs() throws {
        let (_, disks) = try found(raid("raid0_meta", ["a", "b"], count: 8))
        // A superblock on the first leg alone says nothing for stripes.
        var block = [UInt8](repeating: 0, count: 512)
        block.storeLittle(UInt32(0x6452_6d44), at: 0)
        try disks[0].write(block, at: 1 << 20)
        let found = try discover(disks: disks)
        #expect(refusal(found, "lv") == nil)
        _ = try found.volume(named: "vg/lv")?.device.bytes(at: 0, count: 1 << 20)
    }

    @Test func mirrorsAreWrittenOnAllLegs() throws {
        for logical in [
            raid("raid1", ["a", "b", "c"]),
            Fixture.linear("m0", "\"pv0\", 1", hidden: true)
                + Fixture.linear("m1", "\"pv1\", 1", hidden: true)
                + Fixture.linear("m2", "\"pv2\", 1", hidden: true)
                + Fixture.volume(
                    "lv", "type = \"mirror\"\nmirror_count = 3\nmirrors = [\"m0\", 0, \"m1\", 0, \"m2\", 0]"),
        ] {
            let (found, disks) = try found(logical)
            #expect(refusal(found, "lv") == nil)
            let device = try #require(found.volume(named: "vg/lv")?.device as? any WritableBlockDevice)
            try device.write([9, 8, 7], at: 100)
            for disk in disks {
                #expect(Array(disk.contents[(2 << 20) + 100..<(2 << 20) + 103]) == [9, 8, 7])
            }
        }
    }

    @Test func raid10WritesBothCopies() throws {
        let list = (0..<4).map { "\"i\($0)_rimage\"" }.joined(separator: ", ")
        let images = (0..<4).map {
            Fixture.linear("i\($0)_rimage", "\"pv\($0 % 3)\", \($0 / 3 * 6)", count: 2, hidden: true)
        }.joined()
        let (found, disks) = try found(
            images
                + Fixture.volume(
                    "lv",
                    "type = \"raid10\"\ndevice_count = 4\ndata_copies = 2\nstripe_size = 128\nraids = [\(list)]"
                ))
        #expect(refusal(found, "lv") == nil)
        let device = try #require(found.volume(named: "vg/lv")?.device as? any WritableBlockDevice)
        // Chunk 1 lies on legs 2 and 3: pv2 extent 0 and pv0 extent 6.
        try device.write([1, 2, 3], at: 65536)
        #expect(Array(disks[2].contents[1 << 20..<(1 << 20) + 3]) == [1, 2, 3])
        #expect(Array(disks[0].contents[7 << 20..<(7 << 20) + 3]) == [1, 2, 3])
    }

    @Test func parityIsReadOnly() throws {
        let (found, disks) = try found(raid("raid5", ["a", "b", "c"], count: 8))
        #expect(refusal(found, "lv") == "parity")
        let volume = try #require(found.volume(named: "vg/lv"))
        // Left symmetric: row 0 has its parity on the last leg, row 1 on the middle one with data from the last.
        try disks[0].write([1], at: 2 << 20)
        try disks[1].write([2], at: 2 << 20)
        try disks[2].write([3], at: (2 << 20) + 65536)
        try disks[0].write([4], at: (2 << 20) + 65536)
        #expect(
            try (0..<4).map { try volume.device.bytes(at: UInt64($0) * 65536, count: 1)[0] } == [1, 2, 3, 4])
        let writable = try #require(volume.device as? any WritableBlockDevice)
        let error = #expect(throws: StorageError.self) { try writable.write([0], at: 0) }
        #expect(error?.kind == .refused)
    }

    @Test func snapshotsAndMovesAreRefused() throws {
        let snapshot =
            Fixture.linear("org", "\"pv0\", 0") + Fixture.linear("snap", "\"pv1\", 0", hidden: true)
            + Fixture.volume(
                "snapshot0", "type = \"snapshot\"\nchunk_size = 8\norigin = \"org\"\ncow_store = \"snap\"",
                status: "\"READ\"")
        var (found, _) = try found(snapshot)
        #expect(refusal(found, "org") == "snapshot-origin")
        #expect(found.volume(named: "vg/org") != nil && found.volume(named: "vg/snap") != nil)
        #expect(throws: StorageError.self) {
            try found.volume(named: "vg/snap")?.device.bytes(at: 0, count: 1)
        }

        (found, _) = try self.found(snapshot.replacing("cow_store", with: "merging_store"))
        #expect(refusal(found, "org") == "merging")

        (found, _) = try self.found(
            Fixture.linear("lv", "\"pvmove0\", 0")
                + Fixture.volume(
                    "pvmove0", "type = \"mirror\"\nmirror_count = 2\nmirrors = [\"pv0\", 0, \"pv1\", 0]",
                    status: "\"READ\", \"WRITE\", \"PVMOVE\", \"LOCKED\""))
        #expect(refusal(found, "lv") == "pvmove")
        _ = try found.volume(named: "vg/lv")?.device.bytes(at: 0, count: 1)
    }

    @Test func flagsOfTheGroupAndVolume() throws {
        let linear = Fixture.linear("lv", "\"pv0\", 0")
        #expect(refusal(try found(linear, status: "\"EXPORTED\", \"READ\", \"WRITE\"").0, "lv") == "exported")
        #expect(refusal(try found(linear, status: "\"READ\"").0, "lv") == "read-only")
        #expect(refusal(try found(linear.replacing(", \"WRITE\"", with: "")).0, "lv") == "read-only")
        #expect(refusal(try found(linear, flags: ["\"MISSING\""]).0, "lv") == "partial")
        let types = ["thin-pool", "vdo", "writecache", "integrity", "cache"]
        for type in types.dropFirst() {
            let odd = Fixture.volume("lv", "type = \"\(type)\"\norigin = \"x\"\ncache_mode = \"writeback\"")
            #expect(refusal(try found(odd).0, "lv") == (type == "cache" ? "cache" : "segment-type"))
        }
        let through = Fixture.volume("lv", "type = \"cache\"\norigin = \"o\"\ncache_mode = \"writethrough\"")
        let (found, _) = try found(through + Fixture.linear("o", "\"pv0\", 3", hidden: true))
        #expect(refusal(found, "lv") == "cache")
        _ = try found.volume(named: "vg/lv")?.device.bytes(at: 0, count: 1)
    }

    @Test func volumesThatContainThemselves() throws {
        let (found, _) = try found(
            Fixture.linear("a", "\"b\", 0") + Fixture.linear("b", "\"a\", 0")
                + Fixture.linear("c", "\"nowhere\", 0"))
        #expect(refusal(found, "a") != nil && refusal(found, "b") != nil)
        #expect(refusal(found, "c") == "partial")
    }

    @Test func staleLegsAreNotRead() throws {
        let logical = raid("raid1", ["a", "b"])
        let uuids = [Fixture.first, Fixture.second]
        let text = Fixture.group(physical: uuids, logical: logical)
        func disk(_ uuid: String, events: UInt64, mark: UInt8, recovery: UInt64 = .max) -> MemoryDevice {
            var bytes = Fixture(uuid).bytes(text)
            var block = [UInt8](repeating: 0, count: 512)
            block.storeLittle(UInt32(0x6452_6d44), at: 0)
            block.storeLittle(UInt32(2), at: 8)
            block.storeLittle(events, at: 16)
            block.storeLittle(recovery, at: 32)
            bytes.put(block, at: 1 << 20)
            bytes[2 << 20] = mark
            return MemoryDevice(bytes)
        }
        var found = try discover(
            disk(Fixture.first, events: 3, mark: 1), disk(Fixture.second, events: 9, mark: 2))
        #expect(try found.volume(named: "vg/lv")?.device.bytes(at: 0, count: 1) == [2])
        #expect(refusal(found, "lv") == "stale-leg")
        found = try discover(
            disk(Fixture.first, events: 9, mark: 1, recovery: 4096), disk(Fixture.second, events: 9, mark: 2))
        #expect(try found.volume(named: "vg/lv")?.device.bytes(at: 0, count: 1) == [2])
        found = try discover(
            disk(Fixture.first, events: 9, mark: 1), disk(Fixture.second, events: 9, mark: 2))
        #expect(try found.volume(named: "vg/lv")?.device.bytes(at: 0, count: 1) == [1])
        #expect(refusal(found, "lv") == nil)
        // One leg only: readable, not writable.
        found = try discover(disk(Fixture.second, events: 9, mark: 2))
        #expect(try found.volume(named: "vg/lv")?.device.bytes(at: 0, count: 1) == [2])
        #expect(["partial", "stale-leg"].contains(refusal(found, "lv")))
    }
}

extension SeededRandom {
    /// The same bytes every time.
    static func pattern(_ count: Int) -> [UInt8] {
        var random = SeededRandom(42)
        return random.bytes(count)
    }
}
