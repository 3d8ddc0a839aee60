internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// Thin volumes over metadata that thin_restore wrote.
@Suite(.enabled(if: Tool.has("thin_restore"), "thin-provisioning-tools is not installed"))
struct ThinPoolTests {
    private typealias Fixture = LVMFixture
    private static let block = 65536

    /// A pool of 64 KiB blocks: metadata in extents 0 to 3 of the disk, data in 4 to 11. Blocks of the data volume
    /// carry their number.
    private func disk(_ xml: String) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        let path = try directory.write("metadata", [UInt8](repeating: 0, count: 4 << 20))
        let input = try directory.write("metadata.xml", xml)
        try Tool.run("thin_restore", ["-i", input, "-o", path])
        let logical =
            Fixture.linear("pool_tmeta", "\"pv0\", 0", hidden: true)
            + Fixture.linear("pool_tdata", "\"pv0\", 4", count: 8, hidden: true)
            + Fixture.volume(
                "pool",
                "type = \"thin-pool\"\nmetadata = \"pool_tmeta\"\npool = \"pool_tdata\"\ntransaction_id = 1\nchunk_size = 128",
                count: 8)
            + Fixture.volume(
                "one", "type = \"thin\"\nthin_pool = \"pool\"\ntransaction_id = 0\ndevice_id = 1", count: 64)
            + Fixture.volume(
                "two", "type = \"thin\"\nthin_pool = \"pool\"\ntransaction_id = 0\ndevice_id = 7", count: 4)
            + Fixture.volume(
                "lost", "type = \"thin\"\nthin_pool = \"pool\"\ntransaction_id = 0\ndevice_id = 9", count: 4)
        var disk = Fixture(Fixture.first).bytes(Fixture.group(physical: [Fixture.first], logical: logical))
        disk.put(try fileBytes(path), at: Fixture.dataStart)
        for number in 0..<128 {
            disk[Fixture.dataStart + (4 << 20) + number * Self.block] = UInt8(number) + 1
        }
        return disk
    }

    private static let xml = """
        <superblock uuid="" time="1" transaction="1" data_block_size="128" nr_data_blocks="128">
          <device dev_id="1" mapped_blocks="5" transaction="0" creation_time="0" snap_time="1">
            <range_mapping origin_begin="0" data_begin="10" length="2" time="0"/>
            <single_mapping origin_block="5" data_block="3" time="1"/>
            <range_mapping origin_begin="1000" data_begin="50" length="2" time="0"/>
          </device>
          <device dev_id="7" mapped_blocks="1" transaction="1" creation_time="1" snap_time="1">
            <single_mapping origin_block="1" data_block="127" time="1"/>
          </device>
        </superblock>
        """

    private func refusal(_ found: DiscoveredVolumes, _ name: String) -> (read: String?, write: String?) {
        let volume = found.groups.first?.logicalVolumes.first { $0.name == name }
        return (volume?.readRefusal?.code, volume?.writeRefusal?.code)
    }

    @Test func aThinVolumeIsADevice() throws {
        let found = try discover(MemoryDevice(try disk(Self.xml)))
        let device = try #require(found.volume(named: "vg/two")?.device)
        var contents = [UInt8](repeating: 0, count: 4 << 20)
        contents[Self.block] = 128
        try BlockDeviceSuite.reads(device, contents)
    }

    @Test func mappedAndUnmappedBlocks() throws {
        let found = try discover(MemoryDevice(try disk(Self.xml)))
        let one = try #require(found.volume(named: "vg/one")?.device)
        #expect(one.byteCount == 64 << 20)
        func mark(_ device: any BlockDevice, _ block: UInt64) throws -> UInt8 {
            try device.bytes(at: block * UInt64(Self.block), count: 1)[0]
        }
        #expect(
            try [0, 1, 2, 4, 5, 6, 999, 1000, 1001, 1002, 1023].map { try mark(one, $0) } == [
                11, 12, 0, 0, 4, 0, 0, 51, 52, 0, 0,
            ])
        let two = try #require(found.volume(named: "vg/two")?.device)
        #expect(try (0..<3).map { try mark(two, $0) } == [0, 128, 0])
        // One read over mapped and unmapped blocks.
        let all = try one.bytes(at: 0, count: 7 * Self.block)
        #expect((0..<7).map { all[$0 * Self.block] } == [11, 12, 0, 0, 0, 4, 0])
        let hole = try one.nextExtent(at: 2 * 65536)
        #expect(hole == Extent(range: 2 * 65536..<5 * 65536, kind: .zero))
        #expect(try one.nextExtent(at: 1002 * 65536).range.upperBound == one.byteCount)
        #expect(refusal(found, "one") == (nil, "thin"))
        #expect(refusal(found, "lost") == ("thin-metadata", "thin-metadata"))
        #expect(found.volume(named: "vg/pool") == nil)
    }

    @Test func manyMappings() throws {
        // More than one node a tree: every second block, backwards over the data.
        let lines = (0..<120).map {
            "<single_mapping origin_block=\"\($0 * 8)\" data_block=\"\(119 - $0)\" time=\"0\"/>"
        }
        let devices = (0..<600).map {
            "<device dev_id=\"\($0 + 10)\" mapped_blocks=\"0\" transaction=\"0\" creation_time=\"0\" snap_time=\"0\"></device>"
        }
        let xml = """
            <superblock uuid="" time="1" transaction="1" data_block_size="128" nr_data_blocks="128">
            <device dev_id="1" mapped_blocks="120" transaction="0" creation_time="0" snap_time="0">
            \(lines.joined(separator: "\n"))
            </device>
            \(devices.joined(separator: "\n"))
            </superblock>
            """
        let found = try discover(MemoryDevice(try disk(xml)))
        let one = try #require(found.volume(named: "vg/one")?.device)
        for index in 0..<120 {
            #expect(try one.bytes(at: UInt64(index * 8 * Self.block), count: 1) == [UInt8(120 - index)])
        }
    }

    @Test func damage() throws {
        let sound = try disk(Self.xml)
        for seed in 0..<80 as Range<UInt64> {
            var random = SeededRandom(seed)
            var bytes = sound
            // Anywhere in the metadata's first blocks.
            for _ in 0..<3 {
                bytes[Fixture.dataStart + Int.random(in: 0..<65536, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            let found = try discover(MemoryDevice(bytes))
            for name in ["vg/one", "vg/two"] {
                let device = found.volume(named: name)?.device
                do throws(StorageError) { _ = try device?.bytes(at: 0, count: 3 * Self.block) } catch {
                    #expect(error.kind == .corrupt)
                }
            }
        }
        var bytes = sound
        bytes[Fixture.dataStart + 40] = 9
        #expect(refusal(try discover(MemoryDevice(bytes)), "one").read == "thin-metadata")
        // Behind all that a look-up takes from the root's node: its checksum alone tells.
        bytes = sound
        let root = Int(sound.little(Fixture.dataStart + 320, as: UInt64.self))
        bytes[Fixture.dataStart + root * 4096 + 4095] ^= 1
        #expect(refusal(try discover(MemoryDevice(bytes)), "one").read == "thin-metadata")
    }
}
