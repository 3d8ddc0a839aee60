import Patcher
import Storage
import Testing

/// What root= names is there, and will be.
@Suite struct RootArgumentTests {
    private func guest(_ root: String, before: String = "") -> FieldGuest {
        FieldGuest(["/boot/grub/grub.cfg": "set default=0\n\(before)" + FieldGuest.entry("A", root)])
    }

    @Test(arguments: [
        "root=sda1", "root=/dev/sda01", "root=/dev/root", "root=/dev/dasda1",
        "root=/dev/pmem0p1",
        "root=/dev/sda1/", "root=overlay", "root=LABEL=", "root=/dev/dm-0", "root=/dev/mtdblock0",
        "root=/dev/sda",
        "root=$nosuch", "root=/dev/sd${nosuch}1",
    ])
    func whatNamesNoVolumeStops(_ root: String) throws {
        let plan = try guest(root).disk.plan("kvm")
        #expect(plan.stop == .rootUnresolved && plan.actions.isEmpty)
    }

    @Test(arguments: ["root=/dev/sd\\a1", "root=/dev/\"sda\"1", "root=${d}1", "root=/dev/sda$n"])
    func quotesAndVariablesAreRead(_ root: String) throws {
        let guest = guest(root, before: "set d=/dev/sda\nset n=1\n")
        #expect(try guest.disk.patch("kvm").outcome == .bootsWithEdits)
        #expect(guest.text("/boot/grub/grub.cfg").contains("6.1.0-20 root=UUID=\(fieldRoot) ro"))
        // One that is set to several values tells nothing.
        let unsure = self.guest(root, before: "set d=/dev/sda\nset n=1\nset d=/dev/sdb\nset n=2\n")
        if root.contains("$") { #expect(try unsure.disk.plan("kvm").stop == .rootUnresolved) }
    }

    @Test(arguments: [
        "rootfstype=xfs", "rootfstype=btrfs,xfs", "rootfstype=ext4 rootfstype=xfs", "rootflags=subvol=@",
        "rootflags=noatime,subvolid=256",
    ])
    func aRootThatIsMountedAsWhatItIsNot(_ argument: String) throws {
        let plan = try guest("root=UUID=\(fieldRoot) \(argument)").disk.plan("kvm")
        #expect(plan.stop == .rootTypeWrong && plan.actions.isEmpty)
    }

    @Test(arguments: [
        "rootfstype=ext4", "rootfstype=ext3", "rootfstype=xfs,ext4", "rootfstype=auto",
        "rootflags=data=ordered",
        "rootfstype=$t",
    ])
    func aRootThatMayBeMountedSo(_ argument: String) throws {
        #expect(try guest("root=UUID=\(fieldRoot) \(argument)").disk.plan("kvm").stop == nil)
    }

    @Test func withoutAnyRoot() throws {
        #expect(try guest("quiet").disk.plan("kvm").stop == .rootNotNamed)
        let other = FieldGuest(
            ["/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "quiet")],
            os: "ID=sles\nVERSION_ID=11\n")
        #expect(try other.disk.plan("kvm").stop == nil)
    }

    /// What another machine has, nobody knows here.
    @Test(arguments: [
        "/dev/nfs", "nfs:10.0.0.1:/x", "/dev/nbd0", "nbd:10.0.0.1:1", "iscsi:10.0.0.1::::iqn.x", "dhcp",
    ])
    func aRootOfAnotherMachine(_ name: String) throws {
        let plan = try guest("root=\(name)").disk.plan("kvm")
        #expect(plan.stop == nil && plan.refusal == nil)
        #expect(plan.defaultVerdict?.doubt?.code == .awaitsTarget)
    }

    /// systemd takes a partition of the type for roots, and no other.
    @Test func aRootByItsType() throws {
        var guest = guest("root=gpt-auto")
        #expect(try guest.disk.plan("kvm").stop == .rootUnresolved)
        guest.disk.volumes[0].typeName = "Linux root (x86-64)"
        #expect(try guest.disk.plan("kvm").stop == nil)
    }

    @Test func aVolumeWithoutASystem() throws {
        var guest = guest("root=UUID=\(fieldData)")
        let data = guest.disk.partition(2, .ext4, uuid: fieldData)
        data.write("/letters", "")
        #expect(try guest.disk.plan("kvm").stop == .rootUnresolved)
        data.write("/etc/fstab", "")
        #expect(try guest.disk.plan("kvm").stop == nil)
    }

    /// A name that stays and will not hold is no success, whoever wanted it so.
    @Test func namesThatAreLeft() throws {
        let guest = guest("root=/dev/sda1")
        let plan = try guest.disk.plan("kvm", skip: [.names])
        #expect(plan.stop == .rootUnresolved)
        #expect(try guest.disk.plan("vmware", skip: [.names]).stop == nil)
        guest.root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n")
        guest.root.write("/boot/grub/grub.cfg", "set default=0\n" + FieldGuest.entry("A"))
        #expect(try guest.disk.plan("kvm", only: [.console]).refusal?.code == .rowStopsBoot)
    }
}
