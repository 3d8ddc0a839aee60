import Patcher
import Storage
import TestSupport
import Testing

private let u1 = "11111111-1111-4111-8111-111111111111"
private let u2 = "22222222-2222-4222-8222-222222222222"
private let u3 = "33333333-3333-4333-8333-333333333333"
private let u4 = "44444444-4444-4444-8444-444444444444"

/// Guests as they are met, of many ages: what each file becomes, written down by hand from the repairs' table.
@Suite struct OddGuestTests {
    /// One disk: ext root on partition 1, swap on 2, ext on 3.
    private func disk(_ files: [String: String], second: Bool = false) -> (TestGuest, MemoryFileSystem) {
        var guest = TestGuest()
        let root = guest.partition(1, .ext3, uuid: u1)
        guest.partition(2, .swap, uuid: u2)
        guest.partition(3, .ext3, uuid: u3)
        if second { guest.partition(1, .ext3, uuid: u4, disk: 2) }
        for (path, contents) in files { root.write(path, contents) }
        return (guest, root)
    }

    @Test func rhel6OnXenCountsFromE() throws {
        let (guest, root) = disk(
            [
                "/etc/redhat-release": "Red Hat Enterprise Linux Server release 6.5 (Santiago)\n",
                "/etc/fstab":
                    "/dev/xvde1 / ext4 defaults 1 1\n/dev/xvde2 swap swap defaults 0 0\n/dev/xvdf1 /data ext4 defaults 1 2\n",
                "/boot/grub/grub.conf":
                    "default=0\ntitle RHEL\n\troot (hd0,0)\n\tkernel /boot/vmlinuz-2.6.32-431.el6.x86_64 ro root=/dev/xvde1 rhgb quiet console=hvc0\n\tinitrd /boot/initramfs-2.6.32-431.el6.x86_64.img\n",
                "/boot/grub/device.map": "(hd0)     /dev/xvde\n(hd1)\t/dev/xvdf\n",
            ], second: true)
        let plan = try guest.patch("vmware")
        #expect(
            text(root.files["/etc/fstab"])
                == "UUID=\(u1) / ext4 defaults 1 1\nUUID=\(u2) swap swap defaults 0 0\nUUID=\(u4) /data ext4 defaults 1 2\n"
        )
        #expect(text(root.files["/boot/grub/grub.conf"]).contains("ro root=UUID=\(u1) rhgb quiet\n"))
        #expect(text(root.files["/boot/grub/device.map"]) == "(hd0)     /dev/sda\n(hd1)\t/dev/sdb\n")
        #expect(plan.unresolved.isEmpty)
        let (back, backRoot) = disk(
            [
                "/etc/redhat-release": "Red Hat Enterprise Linux Server release 6.5 (Santiago)\n",
                "/etc/fstab": "/dev/sda1 / ext4 defaults 1 1\n/dev/sdb1 /data ext4 defaults 1 2\n",
            ], second: true)
        try back.patch("xenserver", names: .target)
        #expect(
            text(backRoot.files["/etc/fstab"])
                == "/dev/xvde1 / ext4 defaults 1 1\n/dev/xvdf1 /data ext4 defaults 1 2\n")
    }

    @Test func sles10ByIdWithYaSTComments() throws {
        let menu = """
            # Modified by YaST2. Last modification on Mon Nov 12 10:00:00 UTC 2007
            default 0
            timeout 8
            gfxmenu (hd0,0)/boot/message

            ###Don't change this comment - YaST2 identifier: Original name: linux###
            title SUSE Linux Enterprise Server 10 SP1
                root (hd0,0)
                kernel /boot/vmlinuz-2.6.16.46-0.12-smp root=/dev/disk/by-id/scsi-SATA_QEMU_HARDDISK_QM00001-part1 vga=0x314 resume=/dev/disk/by-id/ata-QEMU_HARDDISK_QM00001-part2 splash=silent showopts
                initrd /boot/initrd-2.6.16.46-0.12-smp

            ###Don't change this comment - YaST2 identifier: Original name: floppy###
            title Floppy
                chainloader (fd0)+1

            """
        let (guest, root) = disk([
            "/etc/SuSE-release": "SUSE Linux Enterprise Server 10 (x86_64)\nVERSION = 10\nPATCHLEVEL = 1\n",
            "/etc/fstab":
                "/dev/disk/by-id/scsi-SATA_QEMU_HARDDISK_QM00001-part1 /                    ext3       acl,user_xattr        1 1\n/dev/disk/by-id/scsi-SATA_QEMU_HARDDISK_QM00001-part2 swap swap defaults 0 0\n/dev/fd0 /media/floppy auto noauto,user,sync 0 0\n",
            "/boot/grub/menu.lst": menu,
            "/boot/grub/device.map": "(hd0)\t/dev/disk/by-id/scsi-SATA_QEMU_HARDDISK_QM00001\n",
            "/etc/sysconfig/bootloader":
                "LOADER_TYPE=\"grub\"\nDEFAULT_APPEND=\"resume=/dev/disk/by-id/ata-QEMU_HARDDISK_QM00001-part2 splash=silent\"\nXEN_KERNEL_APPEND=\"resume=/dev/hda2\"\n",
            "/etc/sysconfig/kernel":
                "INITRD_MODULES=\"piix ide-disk jbd ext3\"\nDOMU_INITRD_MODULES=\"xennet xenblk\"\n",
        ])
        try guest.patch("hyperv")
        let after = text(root.files["/boot/grub/menu.lst"])
        #expect(
            after
                == menu.replacing("/dev/disk/by-id/scsi-SATA_QEMU_HARDDISK_QM00001-part1", with: "UUID=\(u1)")
                .replacing(
                    "/dev/disk/by-id/ata-QEMU_HARDDISK_QM00001-part2", with: "/dev/disk/by-uuid/\(u2)"))
        #expect(
            text(root.files["/etc/fstab"]).hasPrefix(
                "UUID=\(u1) /                    ext3       acl,user_xattr        1 1\n"))
        #expect(
            text(root.files["/etc/fstab"]).hasSuffix("/dev/fd0 /media/floppy auto noauto,user,sync 0 0\n"))
        #expect(
            text(root.files["/etc/sysconfig/bootloader"])
                == "LOADER_TYPE=\"grub\"\nDEFAULT_APPEND=\"resume=/dev/disk/by-uuid/\(u2) splash=silent\"\nXEN_KERNEL_APPEND=\"resume=/dev/disk/by-uuid/\(u2)\"\n"
        )
        #expect(text(root.files["/boot/grub/device.map"]) == "(hd0)\t/dev/hda\n")
    }

    @Test func ubuntu804KeepsItsLiveComments() throws {
        let menu = """
            # menu.lst - See: grub(8), info grub, update-grub(8)
            # default num
            default\t\t0
            ### BEGIN AUTOMAGIC KERNELS LIST
            ## lines between the AUTOMAGIC KERNELS LIST markers will be modified
            ## e.g. kopt=root=/dev/hda1 ro
            ##      kopt_2_6_8=root=/dev/hdc1 ro
            # kopt=root=/dev/sda1 ro
            # xenkopt=root=/dev/sda1 console=tty0
            # groot=(hd0,0)
            ## ## End Default Options ##

            title\t\tUbuntu 8.04, kernel 2.6.24-16-server
            root\t\t(hd0,0)
            kernel\t\t/boot/vmlinuz-2.6.24-16-server root=/dev/sda1 ro quiet splash
            initrd\t\t/boot/initrd.img-2.6.24-16-server
            quiet

            ### END DEBIAN AUTOMAGIC KERNELS LIST

            """
        let (guest, root) = disk([
            "/etc/lsb-release":
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=8.04\nDISTRIB_DESCRIPTION=\"Ubuntu 8.04\"\n",
            "/etc/fstab":
                "# /dev/sda1\n/dev/sda1 / ext3 relatime,errors=remount-ro 0 1\n/dev/scd0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n",
            "/boot/grub/menu.lst": menu,
            "/etc/uswsusp.conf": "# /etc/uswsusp.conf\nresume device = /dev/sda2\ncompress = y\n",
            "/etc/initramfs-tools/conf.d/resume": "RESUME=/dev/sda2",
        ])
        try guest.patch("kvm")
        #expect(
            text(root.files["/boot/grub/menu.lst"])
                == menu.replacing("# kopt=root=/dev/sda1", with: "# kopt=root=UUID=\(u1)")
                .replacing("# xenkopt=root=/dev/sda1", with: "# xenkopt=root=UUID=\(u1)")
                .replacing("server root=/dev/sda1", with: "server root=UUID=\(u1)"))
        #expect(
            text(root.files["/etc/uswsusp.conf"])
                == "# /etc/uswsusp.conf\nresume device = /dev/disk/by-uuid/\(u2)\ncompress = y\n")
        #expect(text(root.files["/etc/fstab"]).hasPrefix("# /dev/sda1\nUUID=\(u1) / ext3"))
    }

    @Test func centOS8TakesItsArgumentsFromGrubenv() throws {
        let head =
            "# GRUB Environment Block\nsaved_entry=abc-4.18.0-348.el8.x86_64\nkernelopts=root=/dev/sda1 ro crashkernel=auto resume=/dev/sda2 rhgb quiet \nboot_success=0\n"
        let (guest, root) = disk([
            "/etc/os-release":
                "NAME=\"CentOS Linux\"\nVERSION_ID=\"8\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\n",
            "/etc/fstab": "/dev/sda1 / ext4 defaults 1 1\n/dev/sda2 none swap defaults 0 0\n",
            "/boot/grub2/grubenv": head + String(repeating: "#", count: 1024 - head.utf8.count),
            "/boot/loader/entries/abc-4.18.0-348.el8.x86_64.conf":
                "title CentOS Linux (4.18.0-348.el8.x86_64) 8\nversion 4.18.0-348.el8.x86_64\nlinux /boot/vmlinuz-4.18.0-348.el8.x86_64\ninitrd /boot/initramfs-4.18.0-348.el8.x86_64.img $tuned_initrd\noptions $kernelopts $tuned_params\nid centos-20210913\ngrub_users $grub_users\ngrub_arg --unrestricted\ngrub_class kernel\n",
            "/etc/kernel/cmdline": "root=/dev/sda1 ro\n",
        ])
        let plan = try guest.patch("vmware")
        let block = try #require(root.files["/boot/grub2/grubenv"])
        #expect(block.count == 1024)
        #expect(
            text(block).contains(
                "\nkernelopts=root=UUID=\(u1) ro crashkernel=auto resume=UUID=\(u2) rhgb quiet \nboot_success=0\n###"
            ))
        #expect(text(root.files["/etc/kernel/cmdline"]) == "root=UUID=\(u1) ro\n")
        #expect(plan.defaultVerdict?.title == "CentOS Linux (4.18.0-348.el8.x86_64) 8")
    }

    @Test func hdaAndHdcAreTwoDisks() throws {
        let (guest, root) = disk(
            [
                "/etc/debian_version": "4.0\n",
                "/etc/fstab":
                    "/dev/hda1 / ext3 defaults 0 1\n/dev/hda2 none swap sw 0 0\n/dev/hdc1 /srv ext3 defaults 0 2\n",
                "/boot/grub/menu.lst":
                    "default 0\ntitle Debian\nkernel /boot/vmlinuz-2.6.18-6-686 root=/dev/hda1 ro \ninitrd /boot/initrd.img-2.6.18-6-686\nsavedefault\n",
                "/etc/initramfs-tools/conf.d/resume": "RESUME=/dev/hda2\n",
            ], second: true)
        try guest.patch("kvm")
        #expect(
            text(root.files["/etc/fstab"])
                == "UUID=\(u1) / ext3 defaults 0 1\nUUID=\(u2) none swap sw 0 0\nUUID=\(u4) /srv ext3 defaults 0 2\n"
        )
        #expect(text(root.files["/boot/grub/menu.lst"]).contains("root=UUID=\(u1) ro \ninitrd"))
        #expect(text(root.files["/etc/initramfs-tools/conf.d/resume"]) == "RESUME=UUID=\(u2)\n")
    }

    @Test func quotesEscapesAndLabelsWithBlanks() throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext4, uuid: u1, label: "my root")
        guest.partition(2, .ext4, uuid: u3, label: "data 1")
        guest.partition(3, .ext4, uuid: u4)
        guest.partition(4, .ext4, uuid: u2)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        let stable =
            "LABEL=my\\040root / ext4 defaults 0 1\nLABEL=\"data\\0401\" /srv/data\\0401 ext4 defaults 0 2\nUUID=\"\(u4)\" /x ext4 defaults 0 0\n/dev/disk/by-label/data\\x201 /y ext4 noauto 0 0\n"
        root.write(
            "/etc/fstab",
            stable
                + "/dev/sda4\t/with\\040blank\text4\tdefaults,comment=a\\040b\t0\t0\t# no comment to fstab\n")
        try guest.patch("kvm")
        #expect(
            text(root.files["/etc/fstab"]) == stable
                + "UUID=\(u2)\t/with\\040blank\text4\tdefaults,comment=a\\040b\t0\t0\t# no comment to fstab\n"
        )
    }

    @Test func rootGivenTwice() throws {
        let (guest, root) = disk([
            "/etc/os-release": "ID=debian\nVERSION_ID=12\n", "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
            "/boot/grub/grub.cfg":
                "set default=0\nmenuentry 'A' {\n\tlinux /boot/vmlinuz-6.1.0 root=/dev/sda3 ro root=\"/dev/sda1\" 'resume=/dev/sda2' # root=/dev/sda9\n\tinitrd /i\n}\n",
        ])
        let plan = try guest.patch("kvm")
        #expect(
            text(root.files["/boot/grub/grub.cfg"]).contains(
                "root=UUID=\(u3) ro root=\"UUID=\(u1)\" 'resume=UUID=\(u2)' # root=/dev/sda9\n"))
        #expect(plan.defaultVerdict?.outcome == .bootsWithEdits)
    }

    @Test func bytesThatAreNoText() throws {
        let (guest, root) = disk([:])
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        let odd: [UInt8] = [0x23, 0xe9, 0xff, 0x00, 0x0d, 0x0a]
        root.write(
            "/etc/fstab",
            odd + Array("/dev/sda1\t/ ext4 defaults 0 1\r\n/dev/sda3 /d\u{e9}".utf8) + [0xe9, 0x20]
                + Array("ext4 defaults 0 2".utf8))
        try guest.patch("kvm")
        #expect(
            root.files["/etc/fstab"]
                == odd + Array("UUID=\(u1)\t/ ext4 defaults 0 1\r\nUUID=\(u3) /d\u{e9}".utf8) + [0xe9, 0x20]
                + Array("ext4 defaults 0 2".utf8))
    }

    @Test func alpineAndGlobalArguments() throws {
        let (guest, root) = disk([
            "/etc/os-release": "ID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME=\"Alpine Linux v3.18\"\n",
            "/etc/fstab":
                "/dev/vda1\t/\text4\trw,relatime 0 1\n/dev/vda2\tswap\tswap\tdefaults\t0 0\n/dev/cdrom\t/media/cdrom\tiso9660\tnoauto,ro 0 0\n/dev/usbdisk\t/media/usb\tvfat\tnoauto\t0 0\n",
            "/boot/extlinux.conf":
                "DEFAULT menu.c32\nPROMPT 0\nAPPEND root=/dev/vda1 quiet\nMENU TITLE Alpine/Linux Boot Menu\nLABEL lts\n  MENU DEFAULT\n  LINUX vmlinuz-lts\n  INITRD initramfs-lts\n  APPEND root=/dev/vda1 modules=sd-mod,usb-storage,ext4 quiet rootfstype=ext4\n",
            "/etc/update-extlinux.conf":
                "root=/dev/vda1\n# root=/dev/vda9\ndefault_kernel_opts=\"quiet rootfstype=ext4 resume=/dev/vda2\"\n",
        ])
        try guest.patch("vmware")
        let menu = text(root.files["/boot/extlinux.conf"])
        #expect(menu.contains("APPEND root=UUID=\(u1) quiet\n"))
        #expect(menu.contains("APPEND root=UUID=\(u1) modules=sd-mod,usb-storage,ext4 quiet"))
        #expect(
            text(root.files["/etc/update-extlinux.conf"])
                == "root=UUID=\(u1)\n# root=/dev/vda9\ndefault_kernel_opts=\"quiet rootfstype=ext4 resume=UUID=\(u2)\"\n"
        )
        #expect(
            text(root.files["/etc/fstab"]).contains(
                "/dev/cdrom\t/media/cdrom\tiso9660\tnoauto,ro 0 0\n/dev/usbdisk\t/media/usb"))
    }

    @Test func smartArraysAndPaths() throws {
        let (guest, root) = disk(
            [
                "/etc/redhat-release": "CentOS release 5.6 (Final)\n",
                "/etc/fstab":
                    "/dev/cciss/c0d0p1 / ext3 defaults 1 1\n/dev/cciss/c0d0p2 swap swap defaults 0 0\n/dev/cciss/c0d1p1 /data ext3 defaults 1 2\n",
                "/boot/grub/grub.conf":
                    "#boot=/dev/cciss/c0d0\ndefault=0\ntitle C\n\troot (hd0,0)\n\tkernel /boot/vmlinuz-2.6.18-238.el5 ro root=/dev/cciss/c0d0p1\n\tinitrd /boot/initrd-2.6.18-238.el5.img\n",
                "/etc/modprobe.conf": "alias eth0 bnx2\nalias scsi_hostadapter cciss\n",
            ], second: true)
        try guest.patch("vmware")
        #expect(
            text(root.files["/etc/fstab"])
                == "UUID=\(u1) / ext3 defaults 1 1\nUUID=\(u2) swap swap defaults 0 0\nUUID=\(u4) /data ext3 defaults 1 2\n"
        )
        #expect(text(root.files["/boot/grub/grub.conf"]).hasPrefix("#boot=/dev/sda\ndefault=0\n"))
        #expect(text(root.files["/etc/modprobe.conf"]) == "alias eth0 bnx2\nalias scsi_hostadapter mptspi\n")
        let (paths, pathRoot) = disk([
            "/etc/os-release": "ID=rhel\nVERSION_ID=9\n",
            "/etc/fstab":
                "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 / ext4 defaults 0 0\n/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part3 /d ext4 defaults 0 0\n/dev/disk/by-id/dm-uuid-LVM-abc /l ext4 noauto 0 0\n",
        ])
        try paths.patch("kvm")
        #expect(
            text(pathRoot.files["/etc/fstab"])
                == "UUID=\(u1) / ext4 defaults 0 0\nUUID=\(u3) /d ext4 defaults 0 0\n/dev/disk/by-id/dm-uuid-LVM-abc /l ext4 noauto 0 0\n"
        )
    }

    /// Arrays of three makers, and the kernel's own spelling; a word of the user's too.
    @Test(arguments: [
        ("/dev/ida/c0d0", "/dev/ida!c0d0"), ("/dev/rd/c0d0", "/dev/rd/c0d0"),
        ("/dev/cciss/c0d0", "/dev/cciss!c0d0"),
    ])
    func arraysOfOldControllers(_ row: String, _ argument: String) throws {
        let (guest, root) = disk([
            "/etc/redhat-release": "CentOS release 5.6 (Final)\n",
            "/etc/fstab": "\(row)p1 / ext3 defaults 1 1\n\(row)p2 swap swap defaults 0 0\n",
            "/boot/grub/grub.conf":
                "#boot=\(row)\ndefault=0\ntitle C\n\troot (hd0,0)\n\tkernel /boot/vmlinuz-2.6.18-238.el5 ro root=\(argument)p1\n\tinitrd /boot/initrd-2.6.18-238.el5.img\n",
        ])
        try guest.patch("vmware")
        #expect(
            text(root.files["/etc/fstab"])
                == "UUID=\(u1) / ext3 defaults 1 1\nUUID=\(u2) swap swap defaults 0 0\n")
        let menu = text(root.files["/boot/grub/grub.conf"])
        #expect(menu.hasPrefix("#boot=/dev/sda\n") && menu.contains("ro root=UUID=\(u1)\n"))
        let stated = SourcePresentation(map: [argument: 1])
        #expect(stated.map == [row: 1])
    }

    @Test func bothSpellingsOfLogicalVolumes() throws {
        var guest = TestGuest()
        guest.partition(1, .lvm2)
        let root = guest.logicalVolume("vg-a", "lv-root", .ext4, uuid: u1)
        guest.logicalVolume("vg-a", "swap", .swap, uuid: u2)
        root.write("/etc/os-release", "ID=rhel\nVERSION_ID=7\n")
        let fstab = "/dev/mapper/vg--a-lv--root / ext4 defaults 1 1\n/dev/vg-a/swap swap swap defaults 0 0\n"
        root.write("/etc/fstab", fstab)
        root.write(
            "/boot/grub2/grub.cfg",
            "menuentry A { linux16 /vmlinuz-3.10.0 root=/dev/mapper/vg--a-lv--root rd.lvm.lv=vg-a/lv-root\n initrd16 /i\n}\n"
        )
        let plan = try guest.patch("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.references.map(\.resolution) == [.volume(1), .volume(2), .volume(1), .volume(1)])
        #expect(plan.defaultVerdict?.outcome == .boots)
    }

    /// There and back: a paravirtual guest leaves its Xen kernel, and goes back to it on Xen's own disks.
    @Test func awayFromXenAndBack() throws {
        let (guest, root) = disk([
            "/etc/redhat-release": "CentOS release 5.6 (Final)\n",
            "/etc/fstab": "/dev/xvda1 / ext3 defaults 1 1\n",
            "/etc/sysconfig/kernel": "UPDATEDEFAULT=yes\nDEFAULTKERNEL=kernel-xen\n",
            "/boot/grub/grub.conf":
                "default=0\ntitle Xen\n\tkernel /boot/vmlinuz-2.6.18-238.el5xen ro root=/dev/xvda1\n\tinitrd /boot/initrd-2.6.18-238.el5xen.img\ntitle Bare\n\tkernel /boot/vmlinuz-2.6.18-238.el5 ro root=/dev/xvda1\n\tinitrd /boot/initrd-2.6.18-238.el5.img\n",
        ])
        let there = try guest.patch("hyperv")
        #expect(there.defaultVerdict?.title == "Bare")
        #expect(text(root.files["/boot/grub/grub.conf"]).hasPrefix("default=1\n"))
        #expect(text(root.files["/etc/sysconfig/kernel"]).contains("DEFAULTKERNEL=kernel\n"))
        let emulated = try guest.patch("xenserver", controller: .ide)
        #expect(emulated.defaultVerdict?.title == "Bare")
        let back = try guest.patch("xenserver")
        #expect(back.defaultVerdict?.title == "Xen")
        #expect(text(root.files["/boot/grub/grub.conf"]).hasPrefix("default=0\n"))
        #expect(text(root.files["/etc/sysconfig/kernel"]).contains("DEFAULTKERNEL=kernel-xen\n"))
        #expect(try guest.plan("xenserver", controller: .ide).defaultVerdict?.title == "Bare")
    }

    /// A kernel that knows Xen by itself stays the default there.
    @Test func newerKernelsNeedNoXenKernel() throws {
        let (guest, _) = disk([
            "/etc/os-release": "ID=opensuse\nVERSION_ID=12.1\n",
            "/etc/fstab": "UUID=\(u1) / ext4 defaults 1 1\n",
            "/boot/grub/menu.lst":
                "default 0\ntitle Plain\nkernel /boot/vmlinuz-3.1.0-1.2-default root=UUID=\(u1)\ninitrd /i\ntitle Xen\nkernel /boot/vmlinuz-3.1.0-1.2-xen root=UUID=\(u1)\ninitrd /i\n",
        ])
        #expect(try guest.plan("xenserver").actions.isEmpty)
    }
}

/// What was found missing once and must not go again.
@Suite struct FurtherRepairTests {
    private func disk(_ files: [String: String], label: String? = nil) -> (TestGuest, MemoryFileSystem) {
        var guest = TestGuest()
        let root = guest.partition(1, .ext3, uuid: u1, label: label)
        for (path, contents) in files { root.write(path, contents) }
        return (guest, root)
    }

    /// nash of RHEL 4 looks for labels, not for UUIDs.
    @Test func initrdsThatKnowNoUUIDs() throws {
        let menu =
            "title A\nkernel /boot/vmlinuz-2.6.9-5.EL ro root=/dev/sda1\ninitrd /boot/initrd-2.6.9-5.EL.img\n"
        let files = [
            "/etc/redhat-release": "Red Hat Enterprise Linux ES release 4 (Nahant)\n",
            "/etc/fstab": "/dev/sda1 / ext3 defaults 1 1\n", "/boot/grub/grub.conf": menu,
        ]
        let (labelled, root) = disk(files, label: "/")
        try labelled.patch("hyperv")
        #expect(text(root.files["/boot/grub/grub.conf"]).contains("root=LABEL=/\n"))
        #expect(text(root.files["/etc/fstab"]).hasPrefix("UUID="))
        let plan = try disk(files).0.plan("hyperv")
        #expect(plan.actions.map(\.kind).contains(.setLabel(volume: 0, label: "dgp1".bytes)))
        let after = plan.actions.compactMap(\.edit).last?.contents
        #expect(text(after).contains("root=LABEL=dgp1\n"))
        var sarge = files
        sarge["/etc/redhat-release"] = nil
        sarge["/etc/debian_version"] = "3.1\n"
        let (old, oldRoot) = disk(sarge)
        try old.patch("hyperv")
        #expect(text(oldRoot.files["/boot/grub/grub.conf"]).contains("root=/dev/hda1\n"))
    }

    @Test func toolsAndRulesAreReported() throws {
        let (guest, _) = disk([
            "/etc/os-release": "ID=debian\nVERSION_ID=12\n", "/etc/fstab": "UUID=\(u1) / ext4 defaults 0 1\n",
            "/usr/bin/prltoolsd": "",
            "/etc/udev/rules.d/70-persistent-cd.rules":
                "SUBSYSTEM==\"block\", ENV{ID_CDROM}==\"?*\", ENV{ID_PATH}==\"pci-0000:00:07.1-scsi-1:0:0:0\", SYMLINK+=\"cdrom\"\n",
        ])
        let messages = try guest.plan("kvm").advice.map(\.message.plain)
        #expect(messages.contains { $0.contains("Parallels Tools") })
        #expect(messages.contains { $0.contains("optical drives") })
    }

    @Test func argumentsInABlockThatCannotBeRead() throws {
        let (guest, _) = disk([
            "/etc/os-release": "ID=rhel\nVERSION_ID=8.6\n", "/etc/fstab": "UUID=\(u1) / ext4 defaults 0 1\n",
            "/boot/loader/entries/a.conf": "title R\nlinux /vmlinuz-4.18\ninitrd /i\noptions $kernelopts\n",
        ])
        let notes = try #require(try guest.plan("kvm").defaultVerdict).notes
        #expect(notes.contains { $0.sentence.plain.contains("grubenv") })
    }

    @Test func targetsAreATable() throws {
        #expect(Target.named("azure")?.imageOptions == ["profile": "azure"])
        #expect(Target.named("vmware")?.imageOptions == ["subformat": "vmfs"])
        let formats = Dictionary(uniqueKeysWithValues: Target.all.map { ($0.name, $0.imageFormats.first) })
        #expect(
            formats == [
                "hyperv": "vhdx", "hyperv-gen2": "vhdx", "vmware": "vmdk", "xenserver": "vhd", "kvm": "qcow2",
                "virtualbox": "vmdk", "azure": "vhd", "aws": "raw", "gcp": "raw",
            ])
        #expect(
            Controller.allCases.map(\.rawValue) == [
                "ide", "ahci", "lsi1030", "sym53c8xx", "lsisas", "pvscsi", "virtio-blk", "virtio-scsi",
                "nvme", "megasas",
                "storvsc", "xen-blkfront",
            ])
        // Every controller is some target's, or it could not be asked for.
        for controller in Controller.allCases {
            #expect(Target.all.contains { $0.controllers.contains(controller) }, "\(controller)")
        }
    }
}
