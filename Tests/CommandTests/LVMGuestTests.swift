import Foundation
import TestSupport
import Testing

/// A guest whose root is VolGroup00/LogVol00: in an MBR partition of type 8e, and over two disks.
@Suite(.enabled(if: Tool.has("qemu-img", "debugfs", "e2fsck", "sfdisk", "mke2fs"), "judges are missing"))
struct LVMGuestTests {
    private static let megabyte = 1 << 20
    private static let rootExtents = 52
    private static let volumeStart = 18432 * 512

    /// The usual guest's boot and root file systems with fstab and menu on logical volumes.
    private func fileSystems(in directory: TemporaryDirectory) throws -> (boot: [UInt8], root: [UInt8]) {
        let guest = try fileBytes(try Fixture.guest(in: directory))
        let boot = try edit(
            Array(guest[Int(Fixture.bootOffset)..<Int(Fixture.swapOffset)]), "/grub", "grub.cfg",
            in: directory
        ) {
            $0.replacing("root=/dev/sda3", with: "root=/dev/mapper/VolGroup00-LogVol00")
        }
        let root = try edit(Array(guest[Int(Fixture.rootOffset)...]), "/etc", "fstab", in: directory) {
            // Its swap lay where the physical volume is now.
            $0.replacing("/dev/sda3\t", with: "/dev/VolGroup00/LogVol00\t")
                .replacing("/dev/sda2", with: "#/dev/sda2")
        }
        return (boot, root)
    }

    /// Replaces one file by debugfs.
    private func edit(
        _ bytes: [UInt8], _ folder: String, _ name: String, in directory: TemporaryDirectory,
        _ change: (String) -> String
    ) throws -> [UInt8] {
        let image = try directory.write("edit.img", bytes)
        try directory.write("new", change(try Debugfs(image).cat("\(folder)/\(name)")))
        let script = "cd \(folder)\nrm \(name)\nwrite \(directory.path("new")) \(name)\n"
        try Tool.run("debugfs", ["-w", "-f", try directory.write("script", script), image])
        try Tool.run("e2fsck", ["-fy", image], expect: 0...1)
        return try fileBytes(image)
    }

    /// The first disk (boot partition, physical volume) and the second (a whole-disk physical volume), which holds
    /// the root's first `moved` extents.
    private func disks(moved: Int, in directory: TemporaryDirectory) throws -> [String] {
        let (boot, root) = try fileSystems(in: directory)
        let pieces: [(volume: String, first: Int, count: Int)] =
            (moved > 0 ? [("pv1", 0, moved)] : []) + [("pv0", 0, Self.rootExtents - moved)]
        let text = LVMFixture.group(
            "VolGroup00", physical: [LVMFixture.first] + (moved > 0 ? [LVMFixture.second] : []),
            logical: LVMFixture.concatenated("LogVol00", pieces), extents: 55)
        var volume = LVMFixture(LVMFixture.first, megabytes: 58).bytes(text)
        volume.put(Array(root[(moved * Self.megabyte)...]), at: LVMFixture.dataStart)
        var disk = [UInt8](repeating: 0, count: Self.volumeStart + volume.count)
        disk.put(boot, at: Int(Fixture.bootOffset))
        disk.put(volume, at: Self.volumeStart)
        let first = try directory.write("first.img", disk)
        try Tool.run(
            "sfdisk", ["-q", "--no-reread", first],
            input:
                "label: dos\nlabel-id: 0x5eed0002\nstart=2048, size=16384, type=83, bootable\nstart=18432, type=8e\n"
        )
        try Fixture.addBootCode(to: first)
        guard moved > 0 else { return [first] }
        var other = LVMFixture(LVMFixture.second, megabytes: 58).bytes(text)
        other.put(Array(root[..<(moved * Self.megabyte)]), at: LVMFixture.dataStart)
        return [first, try directory.write("second.img", other)]
    }

    /// The root volume as it lies on raw disks, by plain arithmetic.
    private func root(of disks: [String], moved: Int, in directory: TemporaryDirectory) throws -> Debugfs {
        var bytes: [UInt8] = []
        if moved > 0 {
            let other = try fileBytes(disks[1])
            bytes += other[LVMFixture.dataStart..<LVMFixture.dataStart + moved * Self.megabyte]
        }
        let first = try fileBytes(disks[0])
        let start = Self.volumeStart + LVMFixture.dataStart
        bytes += first[start..<start + (Self.rootExtents - moved) * Self.megabyte]
        return Debugfs(try directory.write("root.img", bytes))
    }

    private func judge(_ disks: [String], moved: Int, in directory: TemporaryDirectory) throws {
        let root = try root(of: disks, moved: moved, in: directory)
        try root.check()
        let fstab = try root.cat("/etc/fstab")
        #expect(fstab.contains("\n/dev/VolGroup00/LogVol00\t/\text4"))
        #expect(fstab.contains("\nUUID=\(Fixture.bootUUID)       /boot"))
        let boot = Debugfs(disks[0], offset: Fixture.bootOffset)
        try boot.check()
        #expect(try boot.cat("/grub/grub.cfg").contains("root=/dev/mapper/VolGroup00-LogVol00 ro"))
    }

    @Test(arguments: [("qcow2", "qcow2"), ("vpc", "vhd")])
    func patchedInPlace(_ format: String, _ suffix: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try disks(moved: 0, in: directory)[0]
        let image = directory.path("guest.\(suffix)")
        let options = format == "vpc" ? ["-o", "subformat=dynamic,force_size=on"] : []
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", format] + options + [raw, image])
        let before = try fileBytes(image)
        let inspected = try Fixture.diskgraft("inspect", image).text
        #expect(inspected.contains("VolGroup00/LogVol00"))
        try Fixture.diskgraft("patch", image, "--to", "kvm")
        let back = directory.path("back.img")
        try Tool.run("qemu-img", ["convert", "-f", format, "-O", "raw", image, back])
        try judge([back], moved: 0, in: directory)
        try Fixture.diskgraft("undo", image)
        #expect(try fileBytes(image) == before)
    }

    @Test func migratedOverTwoDisks() throws {
        let directory = try TemporaryDirectory()
        let moved = 10
        let raw = try disks(moved: moved, in: directory)
        let sources = [directory.path("one.qcow2"), directory.path("two.vmdk")]
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw[0], sources[0]])
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", "vmdk", raw[1], sources[1]])
        let target = directory.path("out")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        try Fixture.diskgraft("migrate", sources[0], sources[1], target, "--to", "hyperv", "-O", "vhd")
        let back = [directory.path("back1.img"), directory.path("back2.img")]
        for (image, raw) in zip(["one.vhd", "two.vhd"], back) {
            try Tool.run("qemu-img", ["convert", "-f", "vpc", "-O", "raw", "\(target)/\(image)", raw])
        }
        try judge(back, moved: moved, in: directory)

        // One disk alone: the root cannot be read, and nothing is guessed.
        let alone = try Fixture.diskgraft("plan", sources[0], "--to", "hyperv", expect: nil)
        #expect(alone.status != 0)
        // The superblock lies on the other disk: it is not lost, and its copies here are no reason to write it anew.
        let checked = try Fixture.diskgraft("check", sources[0])
        #expect(checked.text.contains("missing") && !checked.text.contains("superblock is gone"))
    }
}
