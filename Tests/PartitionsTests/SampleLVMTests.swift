internal import Foundation
internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// samples/ext4/lvm: two volume groups made with lvm2, judged by e2fsck and debugfs on the extracted volumes.
@Suite(.enabled(if: SharedSamples.present, "\(SharedSamples.skipMessage)"))
struct SampleLVMTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func group(_ name: String, _ numbers: [Int]) throws -> [FileDevice] {
        try numbers.map { try sample("lvm/\(name)-pv\($0).img.zst", in: directory) }
    }

    /// The file system in a volume is clean, and debugfs reads a file of it.
    private func judge(_ found: DiscoveredVolumes, _ name: String) throws -> String {
        let volume = try #require(found.volume(named: name))
        #expect(volume.identity.kind == .ext4)
        let path = try extract(volume.device, to: directory.path("lv.img"))
        try Tool.run("e2fsck", ["-fn", path])
        let blkid = try Tool.run("blkid", ["-p", "-s", "UUID", "-o", "value", path]).text
        #expect(volume.identity.uuid == blkid.trimmingCharacters(in: .whitespacesAndNewlines))
        return try Tool.run("debugfs", ["-R", "cat /boot/grub/grub.cfg", path]).text
    }

    @Test func linearAndStriped() throws {
        let found = try discover(disks: try group("vgtest", [1, 2, 3, 4]))
        let group = try #require(found.groups.first)
        #expect(group.name == "vgtest" && group.sequenceNumber == 20 && found.groups.count == 1)
        #expect(group.physicalVolumes.map(\.volume) == ["disk", "2:disk", "3:disk", "4:disk"])
        #expect(found.findings == [])
        for name in ["lin", "striped2", "striped3", "r0"] {
            let text = try judge(found, "vgtest/\(name)")
            #expect(text == "set timeout=5\n")
            let device = try #require(found.volume(named: "vgtest/\(name)")?.device as? MappedDevice)
            #expect(device.writeRefusal == nil)
        }
        #expect(found.volumes.map(\.name).filter { $0.hasPrefix("vgtest") }.count == 5)
    }

    @Test func redundant() throws {
        let found = try discover(disks: try group("vgraid", [1, 2, 3]))
        for name in ["r1", "mir", "r10", "org"] {
            let text = try judge(found, "vgraid/\(name)")
            #expect(text == "set timeout=5\n")
        }
        func refusal(_ name: String) -> String? {
            found.groups[0].logicalVolumes.first { $0.name == name }?.writeRefusal?.code
        }
        #expect(refusal("r1") == nil)
        #expect(refusal("mir") == nil)
        #expect(refusal("r10") == nil)
        #expect(refusal("org") == "snapshot-origin")
        #expect(refusal("r5") == "parity")
        #expect(refusal("snap") == "snapshot")
        // Its pool was never activated: there is no metadata in it.
        #expect(refusal("thin1") == "thin-metadata")
        #expect(found.codes == ["volume-unreadable", "volume-unreadable"])
    }
}
