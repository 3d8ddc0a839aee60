import GuestTree
import Patcher
import Storage
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"
private let dataUUID = "33333333-3333-4333-8333-333333333333"

/// Two disks: the root on the first, /data on the second.
private func guest(_ files: [String: String], arguments: String = "") -> (TestGuest, MemoryFileSystem) {
    var guest = TestGuest()
    let root = guest.partition(1, .ext4, uuid: rootUUID)
    guest.partition(1, .ext4, uuid: dataUUID, disk: 2)
    root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
    root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\n")
    root.write(
        "/boot/grub/grub.cfg",
        "menuentry 'A' {\nlinux /boot/vmlinuz-6.1 root=UUID=\(rootUUID) ro \(arguments)\ninitrd /boot/initrd.img-6.1\n}\n"
    )
    root.write("/boot/vmlinuz-6.1", "kernel")
    root.write("/boot/initrd.img-6.1", "-rom1fs-")
    for (path, contents) in files { root.write(path, contents) }
    return (guest, root)
}

/// Names of devices outside of tables and menus.
@Suite struct NamedDeviceTests {
    private static let unit = #"dev-disk-by\x2duuid-33333333\x2d3333\x2d4333\x2d8333\x2d333333333333.device"#

    @Test func aUnitIsChangedInAllItsPlaces() throws {
        let path = "/etc/systemd/system/data.mount"
        let (disk, root) = guest([
            path:
                "[Unit]\nRequires=dev-sdb1.device\nAfter=dev-sdb1.device local-fs-pre.target\n[Mount]\nWhat=/dev/sdb1\nWhere=/data\n",
            "/etc/systemd/system/data.mount.d/local.conf": "[Mount]\nWhat=/dev/sdb1\n",
            "/etc/systemd/system/app.service":
                "[Unit]\nBindsTo=dev-sdb1.device\n[Service]\nExecStart=/bin/app\n",
        ])
        try disk.patch("kvm")
        #expect(
            text(root.files[path])
                == "[Unit]\nRequires=\(Self.unit)\nAfter=\(Self.unit) local-fs-pre.target\n[Mount]\nWhat=/dev/disk/by-uuid/\(dataUUID)\nWhere=/data\n"
        )
        #expect(
            text(root.files["/etc/systemd/system/data.mount.d/local.conf"])
                == "[Mount]\nWhat=/dev/disk/by-uuid/\(dataUUID)\n")
        #expect(
            text(root.files["/etc/systemd/system/app.service"])
                == "[Unit]\nBindsTo=\(Self.unit)\n[Service]\nExecStart=/bin/app\n")
        #expect(try disk.plan("kvm").actions.isEmpty)
    }

    /// The target's own name, as a unit.
    @Test func aUnitByTheTargetsName() throws {
        let (disk, root) = guest([
            "/etc/systemd/system/app.service": "[Unit]\nBindsTo=dev-sdb1.device dev-sdb.device\n"
        ])
        try disk.apply(disk.plan("kvm", names: .target))
        #expect(
            text(root.files["/etc/systemd/system/app.service"])
                == "[Unit]\nBindsTo=dev-vdb1.device dev-vdb.device\n")
    }

    /// (path, contents, device that is spoken of)
    @Test(arguments: [
        ("/etc/kdump.conf", "# ext4 /dev/sda9\next4 /dev/sdb1\n", "/dev/sdb1"),
        ("/etc/udev/rules.d/99-asm.rules", "KERNEL==\"sdb1\", OWNER=\"oracle\"\n", "/dev/sdb1"),
        ("/etc/sysconfig/rawdevices", "/dev/raw/raw1 /dev/sdb1\n", "/dev/sdb1"),
        ("/etc/auto.misc", "data -fstype=ext4 :/dev/sdb1\n", "/dev/sdb1"),
        ("/etc/cloud/cloud.cfg", "mounts:\n - [ /dev/sdb1, /mnt ]\n", "/dev/sdb1"),
        ("/etc/drbd.d/r0.res", "resource r0 { disk /dev/sdb1; }\n", "/dev/sdb1"),
        ("/etc/veritytab", "v /dev/sdb1 /dev/sdb2 -\n", "/dev/sdb1, /dev/sdb2"),
        ("/etc/rc.local", "mount '/dev/sdb1' /mnt\n", "/dev/sdb1"),
        ("/etc/systemd/system/app.service", "[Service]\nExecStart=/bin/app --disk=/dev/sdb1\n", "/dev/sdb1"),
        ("/etc/initramfs-tools/conf.d/cryptroot", "target=r,source=/dev/sdb1,key=none\n", "/dev/sdb1"),
        ("/etc/dracut.conf.d/x.conf", "kernel_cmdline=\"root=/dev/sdb1\"\n", "/dev/sdb1"),
    ])
    func whatIsNeverChangedIsSaid(_ path: String, _ contents: String, _ names: String) throws {
        let (disk, root) = guest([path: contents])
        let plan = try disk.patch("kvm")
        #expect(text(root.files[path]) == contents)
        #expect(plan.advice.contains { $0.path == path && $0.message.plain.contains(names) })
        #expect(!plan.advice.contains { $0.message.plain.contains("sda9") })
    }

    @Test func mountsAmongTheKernelsArguments() throws {
        let (disk, root) = guest(
            [:],
            arguments:
                "systemd.mount-extra=/dev/sdb1:/data:ext4 overlayroot=device:dev=/dev/sdb1,timeout=5 isofrom=/dev/sdb1:/x.iso"
        )
        let plan = try disk.patch("kvm")
        #expect(
            text(root.files["/boot/grub/grub.cfg"]).contains(
                " systemd.mount-extra=UUID=\(dataUUID):/data:ext4 overlayroot=device:dev=/dev/disk/by-uuid/\(dataUUID),timeout=5 isofrom=/dev/sdb1:/x.iso\n"
            ))
        #expect(plan.advice.contains { $0.message.plain.contains("argument isofrom names /dev/sdb1") })
        #expect(plan.refusal == nil)
    }

    /// (options behind the type, whether the boot stops without the disk)
    @Test(arguments: [("", true), (":nofail", false), (":ro", true)])
    func aMountThatIsNotThereStops(_ options: String, _ stops: Bool) throws {
        let (disk, _) = guest([:], arguments: "systemd.mount-extra=/dev/sdc1:/x:ext4\(options)")
        let plan = try disk.plan("kvm")
        #expect((plan.refusal != nil) == stops)
    }

    @Test(arguments: ["/dev//sda1", "/dev/./sda1", "/dev/disk/by-uuid/../../sda1", "/dev/sda1"])
    func spellingsOfAPath(_ spelling: String) throws {
        let (disk, root) = guest(["/etc/fstab": "\(spelling) / ext4 defaults 0 1\n"])
        try disk.patch("kvm")
        #expect(text(root.files["/etc/fstab"]) == "UUID=\(rootUUID) / ext4 defaults 0 1\n")
    }

    /// (the folder that the unit's link is in, whether the boot stops)
    @Test(arguments: [("local-fs.target.requires", true), ("multi-user.target.requires", false)])
    func aRequiredUnitThatIsNotThereStops(_ folder: String, _ stops: Bool) throws {
        let (disk, _) = guest(["/etc/systemd/system/\(folder)/x.mount": "[Mount]\nWhat=/dev/sdc1\nWhere=/x\n"]
        )
        let plan = try disk.plan("kvm")
        guard case .unitStopsBoot(_, let name, _) = plan.refusal else {
            #expect(!stops)
            return
        }
        #expect(stops && name == "/dev/sdc1")
    }

    /// A drop-in has the last word.
    @Test func aDropInOfARequiredUnit() throws {
        let (disk, _) = guest([
            "/etc/systemd/system/local-fs.target.requires/x.mount": "[Mount]\nWhat=/dev/sdc1\nWhere=/x\n",
            "/etc/systemd/system/x.mount.d/a.conf": "[Mount]\nWhat=UUID=\(dataUUID)\n",
        ])
        #expect(try disk.plan("kvm").refusal == nil)
    }

    @Test func theOptionsOfAUnit() throws {
        let path = "/etc/systemd/system/x.mount"
        let (disk, root) = guest([
            path: "[Mount]\nWhat=UUID=\(dataUUID)\nWhere=/x\nOptions=noatime,journal_path=/dev/sdb1\n"
        ])
        try disk.patch("kvm")
        #expect(
            text(root.files[path]).contains("Options=noatime,journal_path=/dev/disk/by-uuid/\(dataUUID)\n"))
    }

    /// GRUB drops what the kernel would not read: the root stands last.
    @Test(arguments: [(1900, "UUID="), (2000, "/dev/vda1"), (2060, "/dev/vda1")])
    func argumentsOfTheLongestKind(_ length: Int, _ start: String) throws {
        let (disk, root) = guest([:])
        let fill = String(repeating: "x", count: length)
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'A' {\nlinux /boot/vmlinuz-6.1 \(fill) root=/dev/sda1\ninitrd /boot/initrd.img-6.1\n}\n"
        )
        try disk.patch("kvm", controller: .virtioBlk)
        #expect(text(root.files["/boot/grub/grub.cfg"]).contains(" root=\(start)"))
    }
}
