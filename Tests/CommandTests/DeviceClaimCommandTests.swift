import Foundation
import TestSupport
import Testing

/// `undo` of `resize`, and `resize --shrink`, of a disk without a table: nothing that is recognised loses what it counts on, be it zeros
/// so far.
struct DeviceClaimCommandTests {
    private static let (old, grown, new) = (8 << 20, 12 << 20, 16 << 20)

    private struct Disk {
        let directory: TemporaryDirectory
        let path: String

        init(_ head: [UInt8]) throws {
            directory = try TemporaryDirectory()
            path = try directory.write(
                "disk.img", head + [UInt8](repeating: 0, count: DeviceClaimCommandTests.old - head.count))
        }

        func put(_ bytes: [UInt8]) throws {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.write(contentsOf: Data(bytes))
            try file.close()
        }

        func isRefused(_ words: String, _ arguments: String...) throws {
            let before = try fileBytes(path)
            let refused = try Tool.run(Fixture.command, arguments, expect: 2...2)
            #expect(refused.errorText.contains(words), "\(arguments): \(refused.errorText)")
            #expect(try fileBytes(path) == before)
        }
    }

    @Test(arguments: ClaimFixture.all) func undoOfResize(_ fixture: ClaimFixture) throws {
        // Of NTFS the copy of the boot sector is the disk's last.
        let disk = try Disk(fixture.head(Self.old - fixture.more))
        let before = try fileBytes(disk.path)
        try Fixture.diskgraft("resize", disk.path, "\(Self.new)")
        if fixture.isTold {
            try Fixture.diskgraft("undo", disk.path)
            #expect(try fileBytes(disk.path) == before)
            try Fixture.diskgraft("resize", disk.path, "\(Self.new)")
        }
        try disk.put(fixture.head(Self.grown))
        let words =
            fixture.isTold
            ? "the disk's \(fixture.kind) has \(Self.grown + fixture.more) bytes"
            : "the disk's \(fixture.kind) does not say how long it is"
        try disk.isRefused(words, "undo", disk.path)
        try disk.isRefused("--force", "undo", disk.path)
        try Fixture.diskgraft("undo", "--force", disk.path, expect: 0...1)
        #expect(try fileBytes(disk.path).count == Self.old)
    }

    @Test(arguments: ClaimFixture.all) func shrink(_ fixture: ClaimFixture) throws {
        let disk = try Disk(fixture.head(Self.grown))
        try Tool.run("truncate", ["-s", "\(Self.new)", disk.path])
        let words = fixture.isTold ? "make it smaller first" : "may use all of the disk"
        try disk.isRefused(words, "resize", "--shrink", disk.path, "\(Self.grown + fixture.more - 512)")
        guard fixture.isTold else { return }
        try Fixture.diskgraft("resize", "--shrink", disk.path, "\(Self.grown + fixture.more)")
    }

    /// The metadata of its group lies on another physical volume alone, which is given or not.
    @Test func aPhysicalVolumeWithoutMetadata() throws {
        var second = LVMFixture(LVMFixture.second)
        second.byteCount = Self.old
        second.areas = []
        let disk = try Disk(second.bytes("x"))
        let before = try fileBytes(disk.path)
        func other(_ end: Int) throws -> String {
            let text = LVMFixture.group(
                physical: [LVMFixture.first, LVMFixture.second], logical: "",
                extents: (end - LVMFixture.dataStart) / LVMFixture.extent)
            return try disk.directory.write("other.img", LVMFixture(LVMFixture.first).bytes(text))
        }
        try Fixture.diskgraft("resize", disk.path, "\(Self.new)")
        try disk.isRefused("does not say how long it is", "undo", disk.path)
        try disk.isRefused("does not say how long it is", "resize", "--shrink", disk.path, "\(Self.old)")
        let words = "the disk's LVM2_member has \(Self.grown) bytes"
        try disk.isRefused(words, "undo", disk.path, "--with", try other(Self.grown))
        try disk.isRefused(words, "undo", try other(Self.grown), "--with", disk.path)
        try Fixture.diskgraft("undo", disk.path, "--with", try other(Self.old))
        #expect(try fileBytes(disk.path) == before)
    }

    /// LVM's own programs: `pvresize` writes into the first MiB alone, and `pvresize --setphysicalvolumesize` makes it smaller again.
    @Test(
        .enabled(if: LoopDevices.areThere && Tool.has("lvm"), "needs root, loop devices and lvm2"),
        arguments: [1, 2])
    func aPhysicalVolume(_ copies: Int) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 64 << 20)
        func lvm(_ arguments: String...) throws {
            let device = try LoopDevices.attach(path)
            defer { _ = try? Tool.run("losetup", ["-d", device]) }
            let config =
                "devices{filter=[\"a|\(device)|\",\"r|.*|\"] use_devicesfile=0} backup{backup=0 archive=0}"
            try Tool.run("lvm", arguments + ["--driverloaded", "n", "--config", config, device])
        }
        try lvm("pvcreate", "--metadatacopies", "\(copies)")
        try lvm("vgcreate", "group")
        let before = try fileBytes(path)
        try Fixture.diskgraft("resize", path, "+64M")
        try Fixture.diskgraft("undo", path)
        #expect(try fileBytes(path) == before)
        try Fixture.diskgraft("resize", path, "+64M")
        try lvm("pvresize")
        func isRefused(_ words: String, _ arguments: String...) throws {
            let now = try fileBytes(path)
            let refused = try Tool.run(Fixture.command, arguments, expect: 2...2)
            #expect(refused.errorText.contains(words), "\(refused.errorText)")
            #expect(try fileBytes(path) == now)
        }
        if copies == 1 {
            #expect(try fileBytes(path)[(64 << 20)...].allSatisfy { $0 == 0 })
            try isRefused("the disk's LVM2_member has", "undo", path)
            try isRefused("the disk's LVM2_member has", "resize", "--shrink", path, "80M")
            try lvm("pvresize", "-y", "--setphysicalvolumesize", "64M")
            try Fixture.diskgraft("resize", "--shrink", path, "80M")
        } else {
            try isRefused("not taken back", "undo", path)
        }
    }
}
