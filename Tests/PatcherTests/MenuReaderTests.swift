import Patcher
import Storage
import TestSupport
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"

/// Of several menus the one counts that the firmware's path leads to.
@Suite struct MenuReaderTests {
    private static let grub = TestProgram.grub(prefix: "/EFI/debian")
    private static let stub = Array(
        "search.fs_uuid \(rootUUID) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n".utf8)

    /// A disk that UEFI alone starts, with GRUB's menu on the root.
    private func guest(
        _ esp: [String: [UInt8]], grubKernel: String = "/boot/vmlinuz-6.1.0"
    ) -> TestGuest {
        var disk = TestGuest()
        disk.bootCode = [.none]
        let partition = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
        for (path, bytes) in esp { partition.write(path, bytes) }
        let root = disk.partition(2, .ext4, uuid: rootUUID)
        root.write("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
        root.write(
            "/etc/fstab",
            "UUID=\(rootUUID) / ext4 defaults 0 1\nUUID=ABCD-1234 /boot/efi vfat umask=0077 0 1\n")
        root.write("/boot/vmlinuz-6.1.0", "kernel")
        root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'GRUB' {\n\tlinux \(grubKernel) root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
        )
        root.makeDirectory("/boot/efi")
        return disk
    }

    private func entry(_ kernel: String) -> [UInt8] {
        Array("title Entry\nlinux \(kernel)\ninitrd /initrd.img\noptions root=UUID=\(rootUUID) ro\n".utf8)
    }

    /// systemd-boot reads no menu of GRUB's.
    @Test func systemdBoot() throws {
        let programs = ["/EFI/systemd/systemd-bootx64.efi": TestProgram.systemdBoot]
        for isMade in [true, false] {
            // In place, or put there by the plan.
            let own = isMade ? ["/EFI/BOOT/BOOTX64.EFI": TestProgram.systemdBoot] : programs
            let files = own.merging(["/loader/entries/debian.conf": entry("/nowhere")]) { $1 }
            let plan = try guest(files).plan("kvm")
            guard case .defaultCannot(_, .fileMissing("/nowhere"), _)? = plan.refusal else {
                Issue.record("\(String(describing: plan.refusal))")
                continue
            }
            #expect(plan.actions.isEmpty)
        }
        let sound = programs.merging([
            "/loader/entries/debian.conf": entry("/vmlinuz"), "/vmlinuz": [1],
            "/initrd.img": Array("-rom1fs-".utf8),
        ]) { $1 }
        let plan = try guest(sound, grubKernel: "/boot/nowhere").plan("kvm")
        #expect(plan.outcome == .bootsWithEdits)
        #expect(plan.bootingDefaults.map(\.title) == ["Entry"])
        // One that starts another loader hands its menu on.
        let chained = sound.merging([
            "/loader/entries/debian.conf": Array("title GRUB\nefi /EFI/debian/grubx64.efi\n".utf8),
            "/EFI/debian/grubx64.efi": Self.grub, "/EFI/debian/grub.cfg": Self.stub,
        ]) { $1 }
        #expect(try guest(chained).plan("kvm").refusal == nil)
    }

    /// GRUB reads no entry of systemd-boot's, unless its menu asks for them.
    @Test func grub() throws {
        let files = [
            "/EFI/BOOT/BOOTX64.EFI": Self.grub, "/EFI/debian/grubx64.efi": Self.grub,
            "/EFI/debian/grub.cfg": Self.stub, "/loader/entries/old.conf": entry("/nowhere"),
        ]
        let plan = try guest(files).plan("kvm")
        #expect(plan.outcome == .boots)
        #expect(plan.bootingDefaults.map(\.title) == ["GRUB"])
        let missing = try guest(files, grubKernel: "/boot/nowhere").plan("kvm")
        guard case .defaultCannot("GRUB", .fileMissing("/boot/nowhere"), _)? = missing.refusal else {
            Issue.record("\(String(describing: missing.refusal))")
            return
        }
    }

    /// rEFInd reads its own file, and offers the other loaders that it finds.
    @Test func refind() throws {
        let program = TestProgram.bytes(sections: [(".sbat", Array("sbat,1\nrefind,1,\n".utf8))])
        let text = "menuentry Debian {\n\tloader /EFI/debian/vmlinuz\n\toptions \"root=/dev/sda2 ro\"\n}\n"
        let files = [
            "/EFI/refind/refind_x64.efi": program, "/EFI/refind/refind.conf": Array(text.utf8),
        ]
        let plan = try guest(files).plan("hyperv-gen2")
        guard case .defaultCannot("Debian", .fileMissing("/EFI/debian/vmlinuz"), _)? = plan.refusal else {
            Issue.record("\(String(describing: plan.refusal))")
            return
        }
        // Without an entry of its own nobody knows what it finds, and GRUB's menu is none of it.
        let bare = try guest(["/EFI/refind/refind_x64.efi": program, "/EFI/refind/refind.conf": []])
            .plan("hyperv-gen2")
        #expect(bare.unknown == .noMenu)
        let beside = files.merging([
            "/EFI/debian/grubx64.efi": Self.grub, "/EFI/debian/grub.cfg": Self.stub,
        ]) { $1 }
        #expect(try guest(beside).plan("hyperv-gen2").refusal == nil)
    }
}
