internal import Storage
internal import TestSupport
internal import Testing

@testable internal import Partitions

/// The refusals that no other suite meets, each by its code.
struct RefusalTests {
    private typealias Fixture = LVMFixture

    /// What parsing a text throws; nil when it parses.
    private func code(_ text: String) -> String? {
        do throws(StorageError) { _ = try VolumeGroup.parse(Array(text.utf8)) } catch {
            #expect(error.kind == .corrupt && error.layer == "lvm2")
            return error.code
        }
        return nil
    }

    private let sound = Fixture.group(physical: [Fixture.first], logical: Fixture.linear("l", "\"pv0\", 0"))

    @Test(arguments: [
        "vg {", "vg }", "vg = ", "vg { x = \"y }", "= 1", "vg { x = y }", "vg { x 1 }", "vg { x = 1-2 }",
        "vg { x = [1", "]",
    ])
    func textSyntax(_ text: String) { #expect(code(text) == "text-syntax") }

    @Test func textFieldsAndRanges() {
        #expect(code(sound) == nil)
        func changed(_ old: String, _ new: String) -> String? {
            #expect(sound.contains(old))
            return code(sound.replacing(old, with: new))
        }
        #expect(code("contents = 1") == "text-field")
        #expect(changed("seqno = 1", "") == "text-field")
        #expect(changed("seqno = 1", "seqno = -1") == "text-field")
        #expect(changed("seqno = 1", "seqno = \"one\"") == "text-field")
        #expect(changed("extent_size = 2048", "extent_size = 0") == "text-range")
        #expect(changed("extent_size = 2048", "extent_size = 9223372036854775807") == "text-range")
        #expect(changed("pe_start = 2048", "") == "text-field")
        #expect(changed("segment_count = 1", "segment_count = 2") == "text-field")
        #expect(changed("segment_count = 1", "segment_count = 99999999") == "text-range")
        #expect(changed("start_extent = 0", "start_extent = 1") == "text-range")
        #expect(changed("extent_count = 4", "extent_count = 0") == "text-range")
        #expect(changed("type = \"striped\"", "") == "text-field")
        #expect(changed("stripes = [ \"pv0\", 0 ]", "stripes = [ \"pv0\" ]") == "text-field")
        #expect(changed("stripes = [ \"pv0\", 0 ]", "stripes = [ 0, \"pv0\" ]") == "text-field")
        #expect(code(String(repeating: "a {\n", count: 50)) == "text-nesting")
    }

    @Test func textValues() throws {
        let section = try LVMTextParser.parse(
            Array(
                "a = \"x \\\"y\\\" # {\" # comment }\nb = [ 1, \"two\", -3, ]\nc = 1.5\nd = 'raw\\'\ne/f = 7\na { g = 1 }"
                    .utf8))
        #expect(section.list("b") == [.number(1), .string("two"), .number(-3)])
        #expect(section.string("d") == "raw\\")
        #expect(section.list("c") == [.fraction("1.5")])
        #expect(try section.number("e/f") == 7)
        // The later of two entries of one name counts.
        #expect(section.string("a") == nil && section.section("a") != nil)
        #expect(section.names == ["a", "b", "c", "d", "e/f"])
    }

    private func readRefusal(_ logical: String) throws -> String? {
        let text = Fixture.group(physical: [Fixture.first], logical: logical)
        let found = try discover(MemoryDevice(Fixture(Fixture.first).bytes(text)))
        return found.groups[0].logicalVolumes.first { $0.name == "lv" }?.readRefusal?.code
    }

    @Test func volumesThatAreNotMapped() throws {
        let images =
            Fixture.linear("a", "\"pv0\", 0", hidden: true) + Fixture.linear("b", "\"pv0\", 4", hidden: true)
        func raid(_ more: String) -> String {
            images + Fixture.volume("lv", "\(more)\ndevice_count = 2\nraids = [\"a\", \"b\"]")
        }
        #expect(try readRefusal(raid("type = \"raid1\"\ndata_offset = 8")) == "reshape")
        #expect(try readRefusal(raid("type = \"raid1\"\nreshape_count = 8")) == "reshape")
        #expect(try readRefusal(raid("type = \"raid10\"\nstripe_size = 0")) == "text-range")
        #expect(try readRefusal(raid("type = \"raid77\"\nstripe_size = 8")) == "segment-type")
        #expect(try readRefusal(raid("type = \"raid6\"\nstripe_size = 8")) == "impossible-layout")
        #expect(
            try readRefusal(
                Fixture.volume(
                    "lv", "type = \"thin\"\nthin_pool = \"p\"\ndevice_id = 1\nexternal_origin = \"a\""))
                == "thin")
        #expect(
            try readRefusal(Fixture.volume("lv", "type = \"thin\"\nthin_pool = \"p\"\ndevice_id = 1"))
                == "text-field")
    }

    @Test func zerosTakeNoData() throws {
        let text = Fixture.group(physical: [Fixture.first], logical: Fixture.volume("lv", "type = \"zero\""))
        let found = try discover(MemoryDevice(Fixture(Fixture.first).bytes(text)))
        let device = try #require(found.volume(named: "vg/lv")?.device as? MappedDevice)
        let error = #expect(throws: StorageError.self) { try device.write([1], at: 0) }
        #expect(error?.kind == .refused && error?.code == "not-writable")
    }

    @Test func tooManyDisks() {
        let disk = MemoryDevice(byteCount: 0)
        let error = #expect(throws: StorageError.self) {
            try VolumeDiscovery.discover(
                disks: [any BlockDevice](repeating: disk, count: 257), probe: probe)
        }
        #expect(error?.code == "too-many-disks")
    }

    @Test func impossibleArrays() throws {
        func code(_ change: (inout MDFixture) -> Void) throws -> String? {
            var member = MDFixture()
            (member.members, member.chunkSectors) = (1, 128)
            change(&member)
            return try discover(MemoryDevice(member.bytes())).arrays.first?.readRefusal?.code
        }
        #expect(try code { $0.level = 0 } == nil)
        #expect(try code { ($0.level, $0.chunkSectors) = (0, 0) } == "geometry")
        #expect(try code { $0.level = 3 } == "level")
        #expect(try code { ($0.level, $0.layout) = (10, 0x909) } == "level")
        #expect(try code { ($0.level, $0.layout) = (5, 77) } == "level")
        // One leg cannot hold data and parity.
        #expect(try code { ($0.level, $0.layout) = (5, 2) } != nil)
    }
}
