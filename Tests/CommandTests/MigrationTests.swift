import Foundation
import TestSupport
import Testing

/// The main job, judged by qemu-img, e2fsck and debugfs.
@Suite(.enabled(if: Tool.has("qemu-img", "debugfs", "e2fsck", "sfdisk", "mke2fs"), "judges are missing"))
struct MigrationTests {
    /// Checks a raw disk that was the fixture's guest: file systems clean, names replaced by UUIDs that exist,
    /// all else as it was.
    static func judge(_ disk: String, against original: String) throws {
        for (offset, edited) in [
            (Fixture.bootOffset, ["/grub/grub.cfg"]),
            (Fixture.rootOffset, ["/etc/fstab", "/etc/default/grub"]),
        ] {
            let after = Debugfs(disk, offset: offset)
            try after.check()
            let before = try Debugfs(original, offset: offset).tree()
            let tree = try after.tree()
            #expect(Set(tree.keys) == Set(before.keys))
            for (path, file) in before {
                guard edited.contains(path) else {
                    #expect(tree[path] == file, "\(path) must not change")
                    continue
                }
                var expected = file
                let changed = try #require(tree[path])
                #expect(changed.contents != file.contents)
                // The guest was made in this very second, and /boot's inodes keep whole seconds only.
                #expect(changed.mtime > file.mtime && changed.ctime >= file.ctime)
                expected.size = changed.size
                expected.contents = changed.contents
                expected.mtime = changed.mtime
                expected.ctime = changed.ctime
                #expect(changed == expected, "\(path): only contents and times may change")
            }
        }
        let root = Debugfs(disk, offset: Fixture.rootOffset)
        #expect(
            try root.cat("/etc/fstab") == """
                # /etc/fstab: static file system information.
                #/dev/sda9\t/old\text3\tdefaults\t0\t0
                UUID=\(Fixture.rootUUID)\t/\text4\terrors=remount-ro\t0\t1
                UUID=\(Fixture.bootUUID)       /boot           ext3    defaults        0       2
                UUID=\(Fixture.swapUUID)\tnone\tswap\tsw\t0\t0
                proc\t/proc\tproc\tdefaults\t0\t0

                """)
        let grub = try Debugfs(disk, offset: Fixture.bootOffset).cat("/grub/grub.cfg")
        #expect(grub.contains("root=UUID=\(Fixture.rootUUID) ro  quiet resume=UUID=\(Fixture.swapUUID)\n"))
        #expect(grub.contains("# linux /vmlinuz root=/dev/sda3 (a comment stays as it is)\n"))
        // Without an initrd the kernel itself looks for the root, and knows PARTUUID only.
        #expect(grub.contains("linux\t/vmlinuz-5.10.0-21-amd64 root=PARTUUID=5eed0001-03 ro\n"))
        let defaults = try root.cat("/etc/default/grub")
        #expect(defaults.contains("resume=UUID=\(Fixture.swapUUID)"))
        #expect(!defaults.contains("\nGRUB_DISABLE_LINUX_UUID=true"))
    }

    @Test func vmwareToHyperV() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let source = directory.path("web01.vmdk")
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", raw, source])
        let before = try fileBytes(source)
        let target = directory.path("web01.vhd")
        let result = try Fixture.diskgraft("migrate", source, target, "--to", "hyperv")
        #expect(result.text.contains("root=UUID=\(Fixture.rootUUID)"))
        #expect(try fileBytes(source) == before)
        let info = try Tool.run("qemu-img", ["info", "--output=json", "-f", "vpc", target]).text
        #expect(info.contains("\"virtual-size\": 67110400"))
        let back = directory.path("back.img")
        try Tool.run("qemu-img", ["convert", "-f", "vpc", "-O", "raw", target, back])
        try Self.judge(back, against: raw)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.root).allSatisfy {
                !$0.hasPrefix(".")
            })
    }

    /// The machine's description lies beside the disks, has what the plan counts on, and QEMU starts with it.
    @Test func theNewMachineIsDescribed() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let target = directory.path("web 01.qcow2")
        let result = try Fixture.diskgraft(
            "migrate", raw, target, "--to", "kvm", "--controller", "ahci", "--vm", "qemu", "--vm", "libvirt",
            "--vm", "qemu",
            "--mac", "ens192=52:54:00:12:34:56")
        #expect(
            result.text.contains("the new machine → \(directory.path("web 01.xml"))")
                || result.text.contains("web 01.xml"))
        let domain = String(decoding: try fileBytes(directory.path("web 01.xml")), as: UTF8.self)
        #expect(domain.contains("<source file=\"\(target)\"/>"))
        #expect(domain.contains("<target dev=\"sda\" bus=\"sata\"/>"))
        #expect(domain.contains("<mac address=\"52:54:00:12:34:56\"/>"))
        let script = String(decoding: try fileBytes(directory.path("web 01.qemu.sh")), as: UTF8.self)
        #expect(script.contains("file='./web 01.qcow2'"))
        #expect(script.contains("mac=52:54:00:12:34:56"))
        // A BIOS starts these disks.
        #expect(!script.contains("pflash"))
        guard Tool.has("qemu-system-x86_64") else { return }
        let said = try Tool.run(
            "env",
            [
                "ACCEL=tcg", "sh", directory.path("web 01.qemu.sh"), "-S", "-display", "none", "-monitor",
                "stdio",
            ], input: "info block\nquit\n"
        ).text
        #expect(said.contains("web 01.qcow2"))
    }

    @Test(arguments: [
        (["--to", "kvm", "--vm", "vmx"], "libvirt, proxmox, virt-install or qemu"),
        (["--to", "azure", "--vm", "hyperv"], "no language here describes those"),
        (["--to", "xenserver", "--vm", "libvirt"], "not of xenserver; those are described by xe"),
        (["--to", "kvm", "--vm", "bochs"], "there are libvirt, proxmox"),
        (["--to", "kvm", "--controller", "nvme", "--vm", "libvirt"], "has no words for a disk behind nvme"),
    ])
    func machinesThatAreNotDescribed(_ arguments: [String], _ reason: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let before = try FileManager.default.contentsOfDirectory(atPath: directory.root)
        let result = try Tool.run(
            Fixture.command, ["migrate", raw, directory.path("out.vhd")] + arguments, expect: nil)
        #expect(result.status != 0)
        #expect(result.errorText.contains(reason), "\(result.errorText)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == before)
    }

    /// Azure takes fixed VHDs of whole MiB alone; the file is the disk and 512 bytes of footer.
    @Test func azureGetsAFixedDiskOfWholeMebibytes() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let target = directory.path("web01.vhd")
        try Fixture.diskgraft("migrate", raw, target, "--to", "azure")
        let bytes = try fileBytes(target)
        #expect(bytes.count == 65 << 20 | 512)
        let footer = Array(bytes.suffix(512))
        #expect(Array(footer.prefix(8)) == Array("conectix".utf8))
        // Disk type at 60, big-endian: 2 is fixed.
        #expect(Array(footer[60..<64]) == [0, 0, 0, 2])
        try Fixture.diskgraft("migrate", raw, target, "--to", "azure", "-o", "subformat=dynamic")
        #expect(Array(Array(try fileBytes(target).suffix(512))[60..<64]) == [0, 0, 0, 3])
    }

    @Test(arguments: ["raw", "qcow2", "vmdk", "vmfs"])
    func patchInPlaceAndUndo(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let image = directory.path(
            format == "raw" ? "disk.img" : format == "qcow2" ? "disk.qcow2" : "disk.vmdk")
        let qemuFormat = format == "vmfs" ? "vmdk" : format
        switch format {
        case "vmfs":
            try Tool.run("qemu-img", ["convert", "-O", "vmdk", "-o", "subformat=monolithicFlat", raw, image])
        default: try Tool.run("qemu-img", ["convert", "-O", format, raw, image])
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.root).filter {
            $0 != "guest.img"
        }
        let before = try names.map { try fileBytes(directory.path($0)) }

        let plan = try Fixture.diskgraft("plan", image, "--to", "kvm")
        #expect(plan.text.contains("+UUID=\(Fixture.rootUUID)\t/\text4"))
        #expect(try names.map { try fileBytes(directory.path($0)) } == before)

        try Fixture.diskgraft("patch", image, "--to", "kvm")
        let back = directory.path("back.raw")
        try Tool.run("qemu-img", ["convert", "-f", qemuFormat, "-O", "raw", image, back])
        try Self.judge(back, against: raw)
        if format == "qcow2" || format == "vmdk" { try Tool.run("qemu-img", ["check", "-f", format, image]) }

        let again = try Fixture.diskgraft("patch", image, "--to", "kvm")
        #expect(again.text.contains("nothing to do"))

        try Fixture.diskgraft("undo", image)
        #expect(try names.map { try fileBytes(directory.path($0)) } == before)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.root).allSatisfy {
                !$0.hasSuffix(".undo")
            })
    }
}
