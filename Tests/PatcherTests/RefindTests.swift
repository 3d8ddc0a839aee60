import Patcher
import Storage
import TestSupport
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"

@Suite struct RefindTests {
    private let text = """
        timeout 5
        default_selection "Arch"   # a part of a title
        menuentry "Other" {
            loader \\EFI\\other\\other.efi
        }
        menuentry "Arch Linux" {
            icon /EFI/refind/icons/os_arch.png
            volume "ESP"
            loader /vmlinuz-linux
            initrd \\initramfs-linux.img
            options "root=/dev/sda2 rw quiet"
            submenuentry "single" {
                add_options "single resume=/dev/sda3"
            }
            submenuentry "old" {
                options "root=/dev/sda2 ro"
            }
        }
        menuentry "Off" {
            loader /vmlinuz-off
            options "root=/dev/sda9"
            disabled
        }
        """

    @Test func stanzas() {
        let menu = Refind(Array(text.utf8), path: "/boot/efi/EFI/refind/refind.conf")
        #expect(menu.entries.map(\.title) == ["Other", "Arch Linux", "Arch Linux>single", "Arch Linux>old"])
        #expect(menu.entries.map(\.kernel) == [nil, "/vmlinuz-linux", "/vmlinuz-linux", "/vmlinuz-linux"])
        #expect(menu.entries[1].initrds == ["/initramfs-linux.img"])
        #expect(menu.entries[2].commandLine.has("single") && menu.entries[2].commandLine.last("root") != nil)
        #expect(
            menu.deviceSites(in: Array(text.utf8)).map(\.text) == ["/dev/sda2", "/dev/sda3", "/dev/sda2"])
        for count in 0..<text.utf8.count { _ = Refind(Array(text.utf8.prefix(count)), path: "/x") }
    }

    @Test func bothFilesAreEditedOnThePartition() throws {
        var disk = TestGuest()
        disk.bootCode = [.none]
        let esp = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
        let root = disk.partition(2, .ext4, uuid: rootUUID)
        disk.partition(3, .swap, uuid: "33333333-3333-4333-8333-333333333333")
        root.write("/etc/os-release", "ID=arch\nPRETTY_NAME=\"Arch Linux\"\n")
        root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 rw 0 1\nUUID=ABCD-1234 /boot vfat rw 0 2\n")
        root.makeDirectory("/boot")
        esp.write("/EFI/refind/refind_x64.efi", TestProgram.bytes(sections: [(".text", [1])]))
        esp.write("/EFI/refind/refind.conf", text)
        esp.write(
            "/refind_linux.conf",
            "\"Boot\"  \"root=/dev/sda2 rw\"\n\"Boot to single-user\" \"root=/dev/sda2 rw single\"\n")
        esp.write("/vmlinuz-linux", "kernel")
        esp.write("/initramfs-linux.img", "-rom1fs-")
        let plan = try disk.patch("kvm", controller: .virtioBlk)
        let shown = String(decoding: esp.files["/EFI/refind/refind.conf"] ?? [], as: UTF8.self)
        #expect(shown.contains("options \"root=UUID=\(rootUUID) rw quiet\""), "\(shown)")
        #expect(shown.contains("options \"root=UUID=\(rootUUID) ro\""), "\(shown)")
        let options = String(decoding: esp.files["/refind_linux.conf"] ?? [], as: UTF8.self)
        #expect(options.contains("\"root=UUID=\(rootUUID) rw single\""), "\(options)")
        #expect(esp.files["/EFI/BOOT/BOOTX64.EFI"] != nil)
        #expect(esp.files["/EFI/BOOT/refind.conf"] != nil)
        #expect(plan.defaultVerdict?.title == "Arch Linux", "\(plan.verdicts.map(\.title))")
        #expect(plan.outcome == .bootsWithEdits)
    }

    /// syslinux on the partition, at its root, in its own directory or in one of EFI.
    @Test(arguments: ["/syslinux.cfg", "/syslinux/syslinux.cfg", "/EFI/syslinux/syslinux.cfg"])
    func syslinuxOnThePartition(_ place: String) throws {
        var disk = TestGuest()
        disk.bootCode = [.none]
        let esp = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
        let root = disk.partition(2, .ext4, uuid: rootUUID)
        root.write("/etc/os-release", "ID=arch\nPRETTY_NAME=\"Arch Linux\"\n")
        root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 rw 0 1\nUUID=ABCD-1234 /boot/efi vfat rw 0 2\n")
        root.makeDirectory("/boot/efi")
        esp.write(
            "/EFI/BOOT/BOOTX64.EFI", TestProgram.bytes(sections: [(".data", Array("syslinux.cfg".utf8))]))
        esp.write("/vmlinuz", "kernel")
        esp.write(
            place, "DEFAULT arch\nLABEL arch\n  LINUX /vmlinuz\n  APPEND root=/dev/sda2 rw\n")
        let plan = try disk.patch("kvm", controller: .virtioBlk)
        let shown = String(decoding: esp.files[place] ?? [], as: UTF8.self)
        #expect(shown.contains("APPEND root=") && !shown.contains("/dev/sda2"), "\(shown)")
        #expect(plan.boot.first?.steps.first?.what == "syslinux")
        #expect(plan.boot.first?.steps.last?.place == "/boot/efi/vmlinuz")
    }
}
