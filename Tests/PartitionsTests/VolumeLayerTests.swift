internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// What Linux stacks up for a volume, which its initramfs has to have the modules of.
struct VolumeLayerTests {
    private typealias Fixture = LVMFixture

    private func layers(_ logical: String) throws -> [String: [Volume.Layer]] {
        let text = Fixture.group(physical: [Fixture.first], logical: logical)
        let found = try discover(MemoryDevice(Fixture(Fixture.first).bytes(text)))
        return Dictionary(uniqueKeysWithValues: found.volumes.map { ($0.name, $0.layers) })
    }

    @Test func segmentsOfEveryType() throws {
        func hidden(_ name: String, _ first: Int, _ count: Int = 1) -> String {
            Fixture.linear(name, "\"pv0\", \(first)", count: count, hidden: true)
        }
        let plain = try layers(Fixture.linear("root", "\"pv0\", 2"))
        #expect(plain["vg/root"] == [.deviceMapper(target: "linear")])
        #expect(plain["disk"] == [])
        let mirror = try layers(
            Fixture.volume(
                "root",
                "type = \"raid1\"\ndevice_count = 2\nraids = [\"m0\", \"i0\", \"m1\", \"i1\"]", count: 2)
                + hidden("m0", 0) + hidden("m1", 1) + hidden("i0", 2, 2) + hidden("i1", 4, 2))
        #expect(
            mirror["vg/root"] == [
                .deviceMapper(target: "linear"), .deviceMapper(target: "raid"), .array(level: 1),
            ])
        let parity = try layers(
            Fixture.volume(
                "root",
                "type = \"raid5_ls\"\ndevice_count = 3\nstripe_size = 128\nraids = [\"m0\", \"i0\", \"m1\", \"i1\", \"m2\", \"i2\"]",
                count: 2) + (0..<3).map { hidden("m\($0)", $0) + hidden("i\($0)", 3 + $0) }.joined())
        #expect(parity["vg/root"]?.last == .array(level: 5))
        // The pool's own volumes may be stacked further, and a volume may be an origin.
        let thin = try layers(
            Fixture.volume("root", "type = \"thin\"\nthin_pool = \"pool\"\ntransaction_id = 0\ndevice_id = 1")
                + Fixture.volume(
                    "pool",
                    "type = \"thin-pool\"\nmetadata = \"meta\"\npool = \"data\"\ntransaction_id = 1\nchunk_size = 128"
                ) + hidden("meta", 0)
                + Fixture.volume(
                    "data",
                    "type = \"striped\"\nstripe_count = 2\nstripe_size = 128\nstripes = [ \"pv0\", 2, \"pv0\", 4 ]",
                    status: "\"READ\", \"WRITE\""))
        #expect(
            Set(thin["vg/root"] ?? []) == [
                .deviceMapper(target: "linear"), .deviceMapper(target: "thin-pool"),
                .deviceMapper(target: "striped"),
            ])
        let origin = try layers(
            Fixture.linear("root", "\"pv0\", 2") + hidden("cow", 6)
                + Fixture.volume(
                    "snapshot0",
                    "type = \"snapshot\"\nchunk_size = 16\norigin = \"root\"\ncow_store = \"cow\"",
                    status: "\"READ\", \"WRITE\""))
        #expect(origin["vg/root"]?.contains(.deviceMapper(target: "snapshot")) == true)
        // A volume of itself ends.
        _ = try layers(Fixture.linear("root", "\"root\", 0"))
    }

    @Test func arraysAndWhatLiesOnThem() throws {
        let text = Fixture.group(
            physical: [Fixture.first], logical: Fixture.linear("root", "\"pv0\", 0"), extents: 5)
        let volume = Fixture(Fixture.first, megabytes: 6).bytes(text)
        let disks = (0..<2).map { role in
            var member = MDFixture()
            member.format = .end
            member.role = role
            return MemoryDevice(member.bytes(volume))
        }
        let found = try VolumeDiscovery.discover(disks: disks, probe: probe)
        #expect(found.volume(named: "md0")?.layers == [.array(level: 1)])
        #expect(found.volume(named: "disk")?.layers == [])
        #expect(
            found.volume(named: "vg/root")?.layers == [.array(level: 1), .deviceMapper(target: "linear")])
    }
}
