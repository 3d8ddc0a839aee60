import Patcher
import Storage
import TestSupport
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"

/// One file that its file system does not give is told, judged where it matters, and ends no plan.
@Suite struct DamagedFileTests {
    private static let grub = TestProgram.grub(prefix: "/EFI/debian")
    private static let stub = Array(
        "search.fs_uuid \(rootUUID) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n".utf8)

    private func guest() -> (disk: TestGuest, esp: MemoryFileSystem, root: MemoryFileSystem) {
        var disk = TestGuest()
        disk.bootCode = [.none]
        let esp = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
        esp.write("/EFI/BOOT/BOOTX64.EFI", Self.grub)
        esp.write("/EFI/debian/grubx64.efi", Self.grub)
        esp.write("/EFI/debian/grub.cfg", Self.stub)
        let root = disk.partition(2, .ext4, uuid: rootUUID)
        root.write("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
        root.write(
            "/etc/fstab",
            "UUID=\(rootUUID) / ext4 defaults 0 1\nUUID=ABCD-1234 /boot/efi vfat umask=0077 0 1\n")
        root.write("/etc/crypttab", "# none\n")
        root.write("/etc/network/interfaces", "auto lo\niface lo inet loopback\n")
        root.write("/boot/vmlinuz-6.1.0", "kernel")
        root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
        )
        root.makeDirectory("/boot/efi")
        return (disk, esp, root)
    }

    private func notes(_ disk: TestGuest) throws -> [String] {
        try #require(try disk.survey().guests.first).notes.filter {
            $0.contains("cannot be read: the chain leads out")
        }
    }

    @Test func nothingIsDamaged() throws {
        let (disk, _, _) = guest()
        #expect(try notes(disk) == [])
        #expect(try disk.plan("kvm").outcome == .boots)
    }

    /// Configuration of the boot: names that must change may be in it.
    @Test(arguments: [
        "/etc/fstab", "/etc/crypttab", "/boot/grub/grub.cfg", "/etc/default", "/etc/systemd/system",
    ])
    func whatTheBootReads(_ path: String) throws {
        let (disk, _, root) = guest()
        root.write("/etc/default/grub", "GRUB_TIMEOUT=1\n")
        root.write("/etc/systemd/system/a.mount", "[Mount]\n")
        root.damage(path)
        let plan = try disk.plan("kvm")
        #expect(plan.refusal?.code == .unreadableFile)
        #expect(
            plan.refusal?.sentence.plain.contains("cannot be read (the chain leads out of the volume)")
                == true)
        #expect(plan.actions.isEmpty)
        #expect(try notes(disk).contains { $0.hasPrefix(path) })
    }

    /// What no boot reads is told and decides nothing.
    @Test(arguments: ["/etc/network/interfaces", "/etc/os-release", "/bin/sh", "/etc/selinux/config"])
    func whatTheBootDoesNotRead(_ path: String) throws {
        let (disk, _, root) = guest()
        root.write("/bin/sh", String(repeating: "x", count: 40))
        root.write("/etc/selinux/config", "SELINUX=disabled\n")
        root.damage(path)
        let plan = try disk.plan("kvm")
        #expect(plan.outcome == .boots)
        #expect(try notes(disk).count == 1)
    }

    /// A damaged program is none that firmware starts: another takes its place, or the plan says why not.
    @Test func programsOfTheFirmware() throws {
        let (disk, esp, _) = guest()
        esp.damage("/EFI/debian/grubx64.efi")
        #expect(try disk.plan("kvm").outcome == .boots)
        #expect(try notes(disk).count == 1)
        let (other, partition, _) = guest()
        partition.damage("/EFI/BOOT/BOOTX64.EFI")
        let plan = try other.plan("kvm")
        #expect(plan.outcome == .bootsWithEdits)
        #expect(plan.actions.map(\.repairs) == [[.efi]])
        partition.damage("/EFI/debian/grubx64.efi")
        let none = try other.plan("kvm")
        #expect(none.refusal?.code == .noFallbackLoader)
        #expect(none.refusal?.sentence.plain.contains("cannot be read whole") == true)
        partition.damage("/EFI")
        #expect(throws: Never.self) { try other.plan("kvm") }
    }

    /// The initramfs, the kernel and the modules.
    @Test func whatTheKernelNeeds() throws {
        let guest = try DriverGuest(holding: ["ext4", "virtio", "virtio_ring", "virtio_pci", "virtio_blk"])
        #expect(try guest.plan("kvm").verdicts.map(\.drivers) == [.present])
        for path in [
            "/lib/modules/\(DriverGuest.release)/modules.dep", "/lib/modules/\(DriverGuest.release)",
        ] {
            let guest = try DriverGuest(holding: ["ext4", "virtio"])
            guest.root.damage(path)
            let plan = try guest.plan("kvm")
            #expect(plan.verdicts.map(\.drivers.isKnown) == [false], "\(plan.verdicts.map(\.drivers))")
        }
        guest.root.damage("/boot/initrd.img-\(DriverGuest.release)")
        let plan = try guest.plan("kvm")
        guard case .unreadable = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        #expect(plan.refusal?.code == .defaultCannot)
    }
}
