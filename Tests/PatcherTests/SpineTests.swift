import Patcher
import Storage
import TestSupport
import Testing

private let bootUUID = "3f5c0d7e-8a67-4a5a-9d0b-5d5a3a1e0c11"
private let rootUUID = "b1c7a6d2-65fd-4c05-a2d4-77a1c79b3f20"
private let swapUUID = "5b8f0c8e-2f3b-4d7a-8e53-3f9a2d1c7b64"

/// MBR with /boot, swap and root, GRUB 2 and names of the first SCSI disk.
private func grub2Guest() -> (guest: TestGuest, boot: MemoryFileSystem, root: MemoryFileSystem) {
    var guest = TestGuest()
    let boot = guest.partition(1, .ext3, uuid: bootUUID)
    guest.partition(2, .swap, uuid: swapUUID)
    let root = guest.partition(3, .ext4, uuid: rootUUID)
    root.write(
        "/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
    root.write(
        "/etc/fstab",
        "# /dev/sda3 was here\n/dev/sda3\t/\text4\terrors=remount-ro\t0 1\n/dev/sda1 /boot  ext3 defaults 0 2\r\n"
            + "/dev/sda2 none swap sw 0 0\nproc /proc proc defaults 0 0")
    root.write("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"resume=/dev/sda2\"\nGRUB_DISABLE_LINUX_UUID=true\n")
    root.makeDirectory("/boot")
    boot.write(
        "/grub/grub.cfg",
        """
        set default="0"
        menuentry 'Debian' --class debian $menuentry_id_option 'gnulinux-simple' {
        \tsearch --no-floppy --fs-uuid --set=root --hint='hd0,msdos1' \(bootUUID)
        \tlinux\t/vmlinuz-6.1.0-18-amd64 root=/dev/sda3 ro  quiet resume=/dev/sda2
        \tinitrd\t/initrd.img-6.1.0-18-amd64
        }
        menuentry 'bare' {
        \tlinux /vmlinuz-6.1.0-bare root=/dev/sda3 ro # root=/dev/sda3
        }

        """)
    return (guest, boot, root)
}

@Suite struct SpineTests {
    @Test func namesBecomeUUIDs() throws {
        let (guest, boot, root) = grub2Guest()
        let plan = try guest.patch("hyperv")
        #expect(
            text(root.files["/etc/fstab"])
                == "# /dev/sda3 was here\nUUID=\(rootUUID)\t/\text4\terrors=remount-ro\t0 1\n"
                + "UUID=\(bootUUID) /boot  ext3 defaults 0 2\r\nUUID=\(swapUUID) none swap sw 0 0\n"
                + "proc /proc proc defaults 0 0")
        let menu = text(boot.files["/grub/grub.cfg"])
        #expect(menu.contains("root=UUID=\(rootUUID) ro  quiet resume=UUID=\(swapUUID)\n"))
        #expect(menu.contains("bare root=/dev/sda3 ro # root=/dev/sda3\n"))
        #expect(
            text(root.files["/etc/default/grub"])
                == "GRUB_CMDLINE_LINUX=\"resume=UUID=\(swapUUID)\"\nGRUB_DISABLE_LINUX_UUID=false\n")
        #expect(plan.refusal == nil)
        #expect(
            plan.verdicts.map(\.summary) == [
                "boots with these edits (drivers not known: unreadable: there is neither a directory of modules nor a configuration for 6.1.0-18-amd64)",
                "boots with these edits (drivers not checked)",
            ])
        #expect(plan.unresolved.isEmpty)
    }

    @Test func aKernelWithoutInitramfsGetsPARTUUID() throws {
        var (guest, boot, _) = grub2Guest()
        guest.volumes[2].partitionUUID = "1234abcd-03"
        try guest.patch("hyperv")
        #expect(text(boot.files["/grub/grub.cfg"]).contains("bare root=PARTUUID=1234abcd-03 ro"))
    }

    @Test func targetNames() throws {
        let (guest, boot, root) = grub2Guest()
        try guest.patch("kvm", names: .target)
        #expect(text(boot.files["/grub/grub.cfg"]).contains("bare root=/dev/vda3 ro"))
        #expect(text(root.files["/etc/fstab"]).contains("\n/dev/vda1 /boot"))
        #expect(text(root.files["/etc/default/grub"]).contains("GRUB_DISABLE_LINUX_UUID=true"))
    }

    @Test func diffShowsReasons() throws {
        let (guest, _, _) = grub2Guest()
        let plan = try guest.plan("hyperv")
        let output = text(PlanText.text(of: plan, guestTitle: "Debian"))
        #expect(output.contains("--- a/etc/fstab\n+++ b/etc/fstab\n@@ -1,5 +1,5 @@\n"))
        let change =
            "change: /dev/sda3 → UUID=\(rootUUID): /dev/sda3 is p3, whatever the controller calls it ("
        #expect(output.contains(change + "/etc/fstab:2, /boot/grub/grub.cfg:4)\n"))
        // A reason is said once.
        #expect(output.split(separator: "/dev/sda3 is p3, whatever").count == 2)
        #expect(output.contains("\n-/dev/sda3\t/\text4"))
        #expect(output.contains("\\ No newline at end of file\n"))
    }

    @Test func diffIsAcceptedByPatch() throws {
        let (guest, _, _) = grub2Guest()
        let directory = try TemporaryDirectory()
        for edit in try guest.plan("hyperv").actions.compactMap(\.edit) {
            let name = "f"
            try directory.write(name, edit.expected)
            try directory.write("d", UnifiedDiff.bytes(edit))
            guard Tool.has("patch") else { return }
            try Tool.run("patch", ["--binary", directory.path(name), directory.path("d")])
            #expect(try fileBytes(directory.path(name)) == edit.contents)
        }
    }
}
