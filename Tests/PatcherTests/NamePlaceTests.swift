import Patcher
import Storage
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"
private let swapUUID = "22222222-2222-4222-8222-222222222222"
private let dataUUID = "33333333-3333-4333-8333-333333333333"

/// Disk 1: root, swap, ext4; disk 2: nothing that is known, and LUKS.
private func guest(_ files: [String: String], os: String = "ID=debian\nVERSION_ID=12\n") -> (
    guest: TestGuest, root: MemoryFileSystem
) {
    var guest = TestGuest()
    let root = guest.partition(1, .ext4, uuid: rootUUID)
    guest.partition(2, .swap, uuid: swapUUID, partUUID: "5eed0001-02")
    guest.partition(3, .ext4, uuid: dataUUID)
    guest.partition(1, .unknown, disk: 2, partUUID: "5eed0002-01")
    guest.partition(2, .luks, uuid: "aaaaaaaa-1111-4111-8111-111111111111", disk: 2, partUUID: "5eed0002-02")
    root.write("/etc/os-release", os)
    root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\n")
    if !files.keys.contains(where: { $0.hasPrefix("/boot/") }) {
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'A' {\nlinux /boot/vmlinuz-6.1 root=UUID=\(rootUUID) ro\ninitrd /boot/initrd.img-6.1\n}\n"
        )
    }
    for (path, contents) in files { root.write(path, contents) }
    return (guest, root)
}

private let suse11 = ["/etc/SuSE-release": "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\n"]

/// The form that a name takes where it stands, and the places where names stand.
@Suite struct NamePlaceTests {
    /// A plan's result for one file.
    private func patched(
        _ path: String, _ contents: String, os: String = "ID=debian\nVERSION_ID=12\n",
        _ more: [String: String] = [:], to target: String = "kvm"
    ) throws -> String {
        let (disk, root) = guest(more.merging([path: contents]) { $1 }, os: os)
        try disk.patch(target)
        return text(root.files[path])
    }

    @Test(arguments: [
        // What a random key or mkswap overwrites is no name.
        (
            "s /dev/sda2 /dev/urandom swap,cipher=aes",
            "s /dev/disk/by-partuuid/5eed0001-02 /dev/urandom swap,cipher=aes"
        ),
        ("s /dev/sda2 /dev/random", "s /dev/disk/by-partuuid/5eed0001-02 /dev/random"),
        ("s /dev/sda2 /etc/key swap", "s /dev/disk/by-partuuid/5eed0001-02 /etc/key swap"),
        // Here the header stays in front of what is encrypted.
        ("s /dev/sda2 /dev/urandom swap,offset=1024", "s UUID=\(swapUUID) /dev/urandom swap,offset=1024"),
        (
            "s /dev/sda2 /dev/urandom swap,offset=1",
            "s /dev/disk/by-partuuid/5eed0001-02 /dev/urandom swap,offset=1"
        ),
        ("c /dev/sdb2 none luks", "c UUID=aaaaaaaa-1111-4111-8111-111111111111 none luks"),
        ("c /dev/sdb2", "c UUID=aaaaaaaa-1111-4111-8111-111111111111"),
        ("c /dev/sdb1 /dev/urandom", "c /dev/disk/by-partuuid/5eed0002-01 /dev/urandom"),
        // What would be overwritten at the next start cannot have been overwritten at the last one.
        ("c /dev/sdb2 /dev/urandom", "c /dev/sdb2 /dev/urandom nofail"),
        ("c /dev/sda3 /dev/urandom swap", "c /dev/sda3 /dev/urandom swap,nofail"),
        ("c /dev/sda3 /etc/key tmp", "c /dev/sda3 /etc/key tmp,nofail"),
        ("c /dev/sdb /dev/urandom swap", "c /dev/sdb /dev/urandom swap,nofail"),
        ("c /dev/sda3 none luks", "c /dev/sda3 none luks,nofail"),
    ])
    func crypttab(_ row: String, _ expected: String) throws {
        #expect(try patched("/etc/crypttab", row + "\n") == expected + "\n")
    }

    /// Whoever else names what is overwritten must not wait for a UUID that is gone.
    @Test func resumeFromWhatIsOverwritten() throws {
        let more = ["/etc/crypttab": "s /dev/sda2 /dev/urandom swap\n"]
        let after = try patched("/etc/initramfs-tools/conf.d/resume", "RESUME=/dev/sda2\n", more)
        #expect(after == "RESUME=PARTUUID=5eed0001-02\n")
    }

    /// Ubuntu 14.04 makes no links of MBR partitions' UUIDs, whatever its kernel knows.
    @Test func partitionNamesThatNobodyLooksFor() throws {
        let row = "s /dev/sda2 /dev/urandom swap\n"
        let trusty = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=14.04\n"
        #expect(try patched("/etc/crypttab", row, os: trusty) == row.replacing("sda", with: "vda"))
        #expect(try patched("/etc/crypttab", row, os: trusty, to: "vmware") == row)
    }

    @Test func resumeOfOldSUSE() throws {
        let menu = "title A\nkernel /vmlinuz-3.0.101-63 root=/dev/sda1 resume=/dev/sda2\ninitrd /i\n"
        let (disk, root) = guest(
            suse11.merging([
                "/boot/grub/menu.lst": menu,
                "/etc/sysconfig/bootloader": "DEFAULT_APPEND=\"resume=/dev/sda2\"\n",
            ]) { $1 }, os: "")
        root.remove("/etc/os-release")
        try disk.patch("kvm")
        #expect(
            text(root.files["/boot/grub/menu.lst"])
                == "title A\nkernel /vmlinuz-3.0.101-63 root=UUID=\(rootUUID) resume=/dev/disk/by-uuid/\(swapUUID)\ninitrd /i\n"
        )
        #expect(
            text(root.files["/etc/sysconfig/bootloader"])
                == "DEFAULT_APPEND=\"resume=/dev/disk/by-uuid/\(swapUUID)\"\n")
    }

    @Test(arguments: ["13.1", "13.2", "12.3", "42.3", "15.5"])
    func resumeOfOpenSUSE(_ version: String) throws {
        let after = try patched(
            "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"resume=/dev/sda2\"\n",
            os: "ID=opensuse\nNAME=openSUSE\nPRETTY_NAME=openSUSE\nID_LIKE=suse\nVERSION_ID=\(version)\n")
        let isOld = ["13.1", "12.3"].contains(version)
        #expect(after.contains(isOld ? "resume=/dev/disk/by-uuid/\(swapUUID)" : "resume=UUID=\(swapUUID)"))
    }

    @Test(arguments: ["conf.d/resume", "conf.d/zz-local", "initramfs.conf"])
    func everyResumeFile(_ name: String) throws {
        let after = try patched("/etc/initramfs-tools/\(name)", "RESUME=/dev/sda2\nRESUMEDELAY=15\n")
        #expect(after == "RESUME=UUID=\(swapUUID)\nRESUMEDELAY=15\n")
    }

    @Test func installDevicesOfSUSE() throws {
        let by = "/dev/disk/by-id/ata-VBOX_HARDDISK_VB1a2b3c4d"
        let path = "/etc/default/grub_installdevice"
        #expect(try patched(path, "/dev/sda\n(hd0)\n") == "/dev/vda\n(hd0)\n")
        let plan = try guest([path: "\(by)\n(hd0)\n"]).guest.plan("kvm")
        #expect(plan.unresolved.map(\.path) == [path])
    }

    @Test(arguments: [
        ("0801", "/dev/sda1"), ("801", "/dev/sda1"), ("0x0803", "/dev/sda3"), ("8:17", "/dev/sdb1"),
        ("0301", "/dev/hda1"), ("1641", "/dev/hdd1"), ("0841", "/dev/sde1"), ("4101", "/dev/sdq1"),
        ("0901", "/dev/md1"), ("ca02", ""), ("0xca02", "/dev/xvda2"), ("fe01", ""), ("0xfe01", ""),
        ("08", ""),
        ("8:x", ""), ("123456789", ""), ("0x", ""), ("UUID=0801", ""),
    ])
    func numbers(_ text: String, _ path: String) { #expect(DeviceNumber(text)?.path ?? "" == path) }

    @Test func rootByNumber() throws {
        let menu = """
            menuentry A { linux /vmlinuz-2.6.32 root=0801 ro ; initrd /i }
            menuentry B { linux /vmlinuz-own root=8:3 ro }
            menuentry C { linux /vmlinuz-own root=0xfe01 ro }

            """
        func plan(_ target: String) throws -> (Plan, String) {
            let (disk, root) = guest(["/boot/grub/grub.cfg": menu])
            return (try disk.patch(target), text(root.files["/boot/grub/grub.cfg"]))
        }
        let (kvm, after) = try plan("kvm")
        #expect(
            after
                == menu.replacing("=0801", with: "=UUID=\(rootUUID)").replacing("=8:3", with: "=/dev/vda3"))
        for number in ["root=0801 of “A”", "root=8:3 of “B”", "root=0xfe01 of “C”"] {
            #expect(kvm.advice.contains { $0.message.plain.contains(number) }, "\(number)")
        }
        // The number is still right where the disk's name is.
        #expect(try plan("vmware").1 == menu.replacing("=0801", with: "=UUID=\(rootUUID)"))
    }

    /// Without an array of its own in the kernel's list nothing is known but names.
    @Test func membersOfAnArray() throws {
        let menu =
            "title A\nkernel /vmlinuz-2.6.18 root=UUID=\(rootUUID) md=1,/dev/sda3,/dev/sdb1 md=d0,0,4,0,/dev/sdc9\ninitrd /i\n"
        let after = try patched("/boot/grub/menu.lst", menu)
        #expect(after == menu)
        let two = menu.replacing(" md=d0,0,4,0,/dev/sdc9", with: "")
        #expect(
            try patched("/boot/grub/menu.lst", two)
                == two.replacing("/dev/sda3,/dev/sdb1", with: "/dev/vda3,/dev/vdb1"))
    }

    @Test(arguments: [
        (
            "/dev/sda3 /db ext4 defaults,journal_path=/dev/sdb1,x-systemd.requires=/dev/sda2 0 2",
            "UUID=\(dataUUID) /db ext4 defaults,journal_path=/dev/disk/by-partuuid/5eed0002-01,x-systemd.requires=/dev/disk/by-uuid/\(swapUUID) 0 2"
        ),
        (
            "LABEL=x /x xfs logdev=/dev/sdb1,rtdev=/dev/nowhere,noauto 0 0",
            "LABEL=x /x xfs logdev=/dev/disk/by-partuuid/5eed0002-01,rtdev=/dev/nowhere,noauto 0 0"
        ),
        (
            "/srv /y none bind,x-systemd.requires=dev-sda2.swap 0 0",
            "/srv /y none bind,x-systemd.requires=/dev/disk/by-uuid/\(swapUUID) 0 0"
        ),
        (
            "/srv /y none bind,x-systemd.requires=dev-sda2.device,x-systemd.after=network.target 0 0",
            "/srv /y none bind,x-systemd.requires=/dev/disk/by-uuid/\(swapUUID),x-systemd.after=network.target 0 0"
        ),
    ])
    func devicesInOptions(_ row: String, _ expected: String) throws {
        let head = "UUID=\(rootUUID) / ext4 defaults 0 1\n"
        #expect(try patched("/etc/fstab", "\(head)\(row)\n") == "\(head)\(expected)\n")
    }

    /// An option's device is edited and the row gets nofail, in one run.
    @Test func optionsOfARowThatMayFail() throws {
        let after = try patched(
            "/etc/fstab",
            "UUID=\(rootUUID) / ext4 defaults 0 1\nLABEL=gone /g ext4 journal_path=/dev/sda2 0 2\n")
        #expect(
            after.hasSuffix("LABEL=gone /g ext4 journal_path=/dev/disk/by-uuid/\(swapUUID),nofail 0 2\n"))
    }

    /// Without its journal a file system is not mounted.
    @Test func anOptionsDeviceThatIsNotThere() throws {
        let head = "UUID=\(rootUUID) / ext4 defaults 0 1\n"
        let after = try patched("/etc/fstab", head + "UUID=\(dataUUID) /d ext4 journal_path=/dev/sdk1 0 2\n")
        #expect(after == head + "UUID=\(dataUUID) /d ext4 journal_path=/dev/sdk1,nofail 0 2\n")
    }

    @Test(arguments: ["/etc/hdparm.conf", "/etc/smartd.conf"])
    func settingsOfSingleDisks(_ path: String) throws {
        let (disk, _) = guest([path: "# /dev/sdz\n/dev/sda {\n}\nDEVICESCAN\n/dev/disk/by-id/wwn-0x5 -a\n"])
        let plan = try disk.plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.advice.filter { $0.path == path }.count == 2)
    }
}
