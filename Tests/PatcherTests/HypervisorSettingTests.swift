import Patcher
import Storage
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"
private let sda = "UUID=\(rootUUID) / ext3 defaults 1 1\n"

private func guest(_ files: [String: String]) -> (guest: TestGuest, root: MemoryFileSystem) {
    var guest = TestGuest()
    let root = guest.partition(1, .ext3, uuid: rootUUID)
    root.write("/etc/fstab", sda)
    for (path, contents) in files { root.write(path, contents) }
    return (guest, root)
}

/// What belongs to a hypervisor stays with it, and goes when it is left.
@Suite struct HypervisorSettingTests {
    private let components = [
        "/etc/redhat-release": "CentOS release 5.5 (Final)\n",
        "/boot/grub/grub.conf":
            "title A\nkernel /vmlinuz-2.6.18-194.el5 root=UUID=\(rootUUID) hda=noprobe hdb=noprobe\ninitrd /i\n",
        "/etc/modprobe.conf":
            "alias scsi_hostadapter ata_piix\nalias scsi_hostadapter1 storvsc\nalias scsi_hostadapter2 blkvsc\nalias seth0 netvsc\nalias eth0 netvsc\n",
    ]

    @Test func integrationComponentsStayTogether() throws {
        let (staying, _) = guest(components)
        #expect(try staying.plan("hyperv").actions.isEmpty)
        // Emulated disks are wanted: then the components' drivers go as a whole.
        let (emulated, root) = guest(components)
        try emulated.patch("hyperv", controller: .ide)
        #expect(!text(root.files["/boot/grub/grub.conf"]).contains("noprobe"))
        #expect(
            text(root.files["/etc/modprobe.conf"])
                == "alias scsi_hostadapter ata_piix\n#alias scsi_hostadapter1 storvsc\n#alias scsi_hostadapter2 blkvsc\nalias seth0 netvsc\nalias eth0 netvsc\n"
        )
        let (leaving, other) = guest(components)
        try leaving.patch("vmware")
        #expect(!text(other.files["/boot/grub/grub.conf"]).contains("noprobe"))
        #expect(
            text(other.files["/etc/modprobe.conf"])
                == "alias scsi_hostadapter ata_piix\nalias scsi_hostadapter1 mptspi\n#alias scsi_hostadapter2 blkvsc\n#alias seth0 netvsc\n#alias eth0 netvsc\n"
        )
    }

    @Test func wrappersOfTools() throws {
        let wrapper =
            "install pcnet32 /sbin/modprobe -q --ignore-install vmxnet; /sbin/modprobe -q --ignore-install pcnet32 $CMDLINE_OPTS; /bin/true;\n"
        let rows = "alias eth0 pcnet32\n\(wrapper)alias eth1 vmxnet3\ninstall usb /bin/true;\n"
        let (leaving, root) = guest(["/etc/modprobe.conf": rows])
        try leaving.patch("kvm", controller: .ide)
        #expect(
            text(root.files["/etc/modprobe.conf"])
                == "alias eth0 pcnet32\n#\(wrapper)#alias eth1 vmxnet3\ninstall usb /bin/true;\n")
        for path in ["/etc/modprobe.conf.local", "/etc/modprobe.d/vmware-tools.conf"] {
            let (beside, tree) = guest([path: "alias scsi_hostadapter mptspi\n\(wrapper)"])
            try beside.patch("kvm")
            #expect(text(tree.files[path]) == "alias scsi_hostadapter mptspi\n#\(wrapper)")
        }
        let (staying, same) = guest(["/etc/modprobe.conf": rows])
        try staying.patch("vmware", controller: .ide)
        #expect(text(same.files["/etc/modprobe.conf"]) == rows)
    }

    @Test(arguments: [
        ("vmware", "vmware", false), ("vmware", "kvm", true), ("vboxvideo", "virtualbox", false),
        ("vboxvideo", "vmware", true), ("qxl", "kvm", false), ("cirrus", "xenserver", false),
        ("cirrus", "hyperv", true), ("vesa", "kvm", false),
    ])
    func displayDrivers(_ driver: String, _ target: String, _ isForeign: Bool) throws {
        let (disk, _) = guest([
            "/etc/X11/xorg.conf": "Section \"Device\"\n\tDriver \"\(driver)\"\nEndSection\n"
        ])
        #expect(try disk.plan(target).advice.contains { $0.repair == .xorg } == isForeign)
        #expect(try disk.plan(target, fix: [.xorg]).actions.isEmpty == !isForeign)
    }

    @Test(arguments: [
        (["/usr/bin/vmtoolsd"], "/dev/sda1", Hypervisor.vmware as Hypervisor?),
        // Several tools tell nothing by themselves.
        (["/usr/bin/vmtoolsd", "/usr/bin/qemu-ga"], "/dev/sda1", nil),
        (["/usr/bin/vmtoolsd", "/usr/bin/qemu-ga"], "/dev/vda1", .kvm),
        // Names in use say more than tools that were left behind.
        (["/usr/bin/vmtoolsd"], "/dev/xvda1", .xenserver), (["/usr/bin/qemu-ga"], "/dev/vda1", .kvm),
        ([], "/dev/sda1", nil),
    ])
    func sources(_ tools: [String], _ root: String, _ expected: Hypervisor?) throws {
        var files = ["/etc/fstab": "\(root) / ext3 defaults 0 1\n/dev/xvdg1 /old ext3 noauto 0 0\n"]
        for tool in tools { files[tool] = "" }
        #expect(try guest(files).guest.plan("kvm").source.hypervisor == expected)
    }

    @Test(arguments: [
        ("datasource_list: [ Ec2, None ]\n", "kvm", true), ("datasource_list: [ Ec2, None ]\n", "aws", false),
        ("datasource_list:\n  - Azure\n  # more\n  - NoCloud\nx: 1\n- Ec2\n", "aws", true),
        ("datasource_list:\n  - Azure\n  - NoCloud\n", "hyperv", false),
        // Lists over several lines, in brackets or behind dashes, with comments and quotes.
        ("datasource_list: [ Azure,\n   NoCloud,\n   None ]\n", "kvm", false),
        ("datasource_list: [\n 'NoCloud', # [one]\n \"None\"\n]\n", "kvm", false),
        ("datasource_list: # those\n  [ Azure,\r\n  # NoCloud\n  Ec2 ]\nx: [NoCloud]\n", "kvm", true),
        ("datasource_list:\n\n- Azure\n\n- 'NoCloud' # here\n", "kvm", false),
        ("datasource_list: Ec2\n", "kvm", true), ("datasource_list: []\n", "kvm", true),
        // What is no list that could be read changes nothing.
        ("datasource_list: [ Ec2,\n Azure\n", "kvm", false), ("datasource_list:\nx: [ Ec2 ]\n", "kvm", false),
        ("datasource_list: [None]\n", "kvm", false), ("# datasource_list: [ Ec2 ]\n", "kvm", false),
    ])
    func cloudSources(_ file: String, _ target: String, _ isTold: Bool) throws {
        let (disk, _) = guest([
            "/etc/cloud/cloud.cfg": "datasource_list: [ NoCloud, Ec2, Azure ]\n",
            "/etc/cloud/cloud.cfg.d/90_dpkg.cfg": file,
        ])
        let told = try disk.plan(target).advice.contains { $0.message.plain.contains("datasource_list") }
        #expect(told == isTold)
    }
}
