internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// Which metadata counts: over areas, volumes and damage.
struct LVMScanTests {
    private typealias Fixture = LVMFixture

    private static let linear = Fixture.linear("root", "\"pv0\", 2")

    private func names(_ found: DiscoveredVolumes) -> [String] {
        found.volumes.map(\.name).filter { $0.contains("/") }
    }

    @Test func oneVolume() throws {
        let text = Fixture.group(physical: [Fixture.first], logical: Self.linear)
        let disk = MemoryDevice(Fixture(Fixture.first).bytes(text))
        let found = try discover(disk)
        #expect(names(found) == ["vg/root"])
        #expect(found.disks[0].contents.first?.kind == .lvm2)
        #expect(found.volumes[0].identity.uuid == Fixture.first)
        let device = try #require(found.volume(named: "vg/root")?.device as? any WritableBlockDevice)
        #expect(device.byteCount == 4 << 20)
        try device.write([1, 2, 3], at: 5)
        try device.flush()
        #expect(Array(disk.contents[(3 << 20) + 5..<(3 << 20) + 8]) == [1, 2, 3])
        #expect(disk.events.last == .flush)
    }

    @Test func textOverTheEndOfTheRing() throws {
        var fixture = Fixture(Fixture.first)
        let text = Fixture.group(physical: [Fixture.first], logical: Self.linear)
        fixture.areas = [(4096, 65536), (12 << 20, 8192)]
        fixture.textOffset = 8192 - 300
        #expect(names(try discover(MemoryDevice(fixture.bytes(text)))) == ["vg/root"])
    }

    @Test func highestSequenceNumberOfAllAreasCounts() throws {
        let old = Fixture.group(seqno: 7, physical: [Fixture.first, Fixture.second], logical: Self.linear)
        let new = Fixture.group(
            seqno: 8, physical: [Fixture.first, Fixture.second],
            logical: Fixture.linear("newer", "\"pv1\", 0"))
        let disks = [Fixture(Fixture.first).bytes(old), Fixture(Fixture.second).bytes(new)]
        for order in [[0, 1], [1, 0]] {
            let found = try discover(disks: order.map { MemoryDevice(disks[$0]) })
            #expect(names(found) == ["vg/newer"])
            #expect(found.groups[0].sequenceNumber == 8)
        }
        // A second area on the same volume that is newer than the first.
        var fixture = Fixture(Fixture.first)
        fixture.areas.append((15 << 20, 1 << 20))
        var disk = fixture.bytes(old)
        fixture.put(new, in: fixture.areas[1], of: &disk)
        #expect(names(try discover(MemoryDevice(disk))) == ["vg/newer"])
        // And when its checksum is wrong, the older one counts.
        disk[(15 << 20) + 512 + 40] ^= 1
        let found = try discover(MemoryDevice(disk))
        #expect(names(found) == ["vg/root"])
        #expect(found.codes.contains("mda-text"))
    }

    @Test func volumesWithoutMetadata() throws {
        let text = Fixture.group(
            physical: [Fixture.first, Fixture.second], logical: Fixture.linear("root", "\"pv1\", 0"))
        var bare = Fixture(Fixture.second)
        bare.areas = []
        let found = try discover(
            MemoryDevice(Fixture(Fixture.first).bytes(text)), MemoryDevice(bare.bytes(text)))
        #expect(names(found) == ["vg/root"])
        #expect(found.groups[0].logicalVolumes[0].writeRefusal == nil)
        #expect(found.findings == [])
        // Alone it belongs to nothing.
        let alone = try discover(MemoryDevice(bare.bytes(text)))
        #expect(alone.codes == ["pv-without-group"])
    }

    @Test func missingVolume() throws {
        let text = Fixture.group(
            physical: [Fixture.first, Fixture.second],
            logical: Fixture.linear("here", "\"pv0\", 0") + Fixture.linear("gone", "\"pv1\", 0"))
        let found = try discover(MemoryDevice(Fixture(Fixture.first).bytes(text)))
        #expect(found.codes.contains("pv-missing"))
        let volumes = found.groups[0].logicalVolumes
        #expect(volumes[0].writeRefusal == nil && volumes[0].readRefusal == nil)
        #expect(volumes[1].writeRefusal?.code == "partial")
        #expect(volumes[1].readRefusal?.code == "leg-missing")
        #expect(found.volume(named: "vg/gone")?.identity.kind == .unknown)
    }

    @Test func sameVolumeTwice() throws {
        let text = Fixture.group(physical: [Fixture.first], logical: Self.linear)
        let disk = Fixture(Fixture.first).bytes(text)
        // The first counts, and nothing of a copy, however new it calls itself.
        let newer = Fixture(Fixture.first).bytes(
            Fixture.group(
                seqno: 99, physical: [Fixture.first], logical: Fixture.linear("other", "\"pv0\", 2")))
        let found = try discover(MemoryDevice(disk), MemoryDevice(newer))
        #expect(names(found) == ["vg/root"])
        #expect(found.volume(named: "vg/root")?.doubledGroup?.contains("2:disk is a copy of disk") == true)
        #expect(found.findings.contains { $0.id == ErrorCode(LayoutCode.pvCopy) && $0.severity == .warning })
        // A copy of one of several might be put together with another's.
        let both = Fixture.group(
            physical: [Fixture.first, Fixture.second], logical: Fixture.linear("root", "\"pv1\", 0"))
        let (first, second) = (Fixture(Fixture.first).bytes(both), Fixture(Fixture.second).bytes(both))
        let error = #expect(throws: StorageError.self) {
            try discover(MemoryDevice(first), MemoryDevice(second), MemoryDevice(second))
        }
        #expect(error?.kind == .refused && error?.code == "duplicate-pv")
        #expect(error?.message.contains("2:disk and 3:disk") == true)
    }

    @Test func groupsOfOneName() throws {
        let one = Fixture.group(physical: [Fixture.first], logical: Self.linear)
        let two = one.replacing(Fixture.first, with: Fixture.second).replacing("GroupI", with: "Other0")
        let found = try discover(
            MemoryDevice(Fixture(Fixture.first).bytes(one)), MemoryDevice(Fixture(Fixture.second).bytes(two)))
        #expect(names(found) == ["vg/root", "vg@Other0/root"])
        #expect(found.codes.contains("vg-same-name"))
    }
}
