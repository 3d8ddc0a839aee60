import Patcher
import Storage
import Testing

private let uuids = (1...3).map { "\($0)\($0)\($0)\($0)\($0)\($0)\($0)\($0)-1111-4111-8111-111111111111" }

/// What the user says of disks and cards, where the guest says otherwise: nothing is written.
@Suite struct StatementTests {
    /// Disk 1 has the root, disk 2 a data volume; the menu knows the root's UUID.
    private func guest(_ fstab: String, _ map: [String: Int]) -> TestGuest {
        var guest = TestGuest()
        let root = guest.partition(1, .ext4, uuid: uuids[0])
        guest.partition(1, .ext4, uuid: uuids[1], disk: 2)
        guest.partition(2, .swap, uuid: uuids[2], disk: 2)
        guest.presentation = SourcePresentation(map: map)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", fstab)
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'A' {\nlinux /boot/vmlinuz-6.1 root=UUID=\(uuids[0]) ro\ninitrd /boot/initrd.img-6.1\n}\n"
        )
        root.write("/boot/vmlinuz-6.1", "kernel")
        root.write("/boot/initrd.img-6.1", "-rom1fs-")
        return guest
    }

    private static let rows = "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /data ext4 defaults 0 2\n"

    @Test(arguments: [
        // The root was found on disk 1, whatever is said of its name.
        ["/dev/sda": 1, "/dev/sdb": 0], ["/dev/sda": 1],
        // Its disk has a name already.
        ["/dev/sdb": 0],
    ])
    func whatTheRootContradictsIsRefused(_ map: [String: Int]) throws {
        let plan = try guest(Self.rows, map).plan("kvm")
        #expect(plan.refusal?.code == .statedWrongly && plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("was stated to be disk") == true)
    }

    /// A name of another kind would be the root, or a volume that a UUID mounts elsewhere.
    @Test func aVolumeThatIsMountedElsewhere() throws {
        let root = "UUID=\(uuids[0]) / ext4 defaults 0 1\n"
        let first = try guest(root + "/dev/vdb1 /data ext4 defaults 0 2\n", ["/dev/vdb": 0]).plan("hyperv")
        #expect(first.refusal?.code == .statedWrongly)
        let rows = "UUID=\(uuids[1]) /srv ext4 defaults 0 2\n/dev/vdc1 /data ext4 defaults 0 2\n"
        let second = try guest(root + rows, ["/dev/vdc": 1]).plan("hyperv")
        #expect(second.refusal?.code == .statedWrongly)
    }

    @Test func whatFitsIsBelieved() throws {
        for map in [["/dev/sda": 0, "/dev/sdb": 1], ["/dev/sdb": 1]] {
            let plan = try guest(Self.rows, map).plan("kvm")
            #expect(plan.refusal == nil && plan.unresolved.isEmpty)
            #expect(plan.references.first { $0.text == "/dev/sdb1" }?.resolution == .volume(1))
        }
        // Several rows of one name, and swap, contradict nothing.
        let more = "/dev/sdb1 /mnt/again ext4 noauto 0 0\n/dev/sdb2 none swap sw 0 0\n"
        #expect(try guest(Self.rows + more, ["/dev/sdb": 1]).plan("kvm").refusal == nil)
    }

    /// `/usr/` is /usr: what the boot needs gets no `nofail`, however it is written.
    @Test(arguments: ["/usr/", "//var", "/boot/./efi", "/boot/efi/", "/boot/", "/etc/", "/srv/../usr"])
    func neededMountPointsAreKnownInEverySpelling(_ mountPoint: String) throws {
        let row = "UUID=99999999-1111-4111-8111-111111111111 \(mountPoint) ext4 defaults 0 2\n"
        let plan = try guest("UUID=\(uuids[0]) / ext4 defaults 0 1\n" + row, [:]).plan("kvm")
        #expect(plan.refusal != nil && plan.actions.isEmpty)
    }

    /// A blank inside a field moves those behind it: nothing is added to what is no options field.
    @Test func aDisplacedRowIsLeftAlone() throws {
        let row = "UUID=99999999-1111-4111-8111-111111111111 /my data ext4 defaults 0 2\n"
        let plan = try guest("UUID=\(uuids[0]) / ext4 defaults 0 1\n" + row, [:]).plan("kvm")
        #expect(plan.actions.isEmpty)
        #expect(plan.advice.contains { $0.message.plain.contains("a blank inside a field") })
    }

    @Test func aCommentBehindTheOptionsDisplacesNothing() throws {
        let row = "UUID=99999999-1111-4111-8111-111111111111 /my ext4 defaults # mine\n"
        let plan = try guest("UUID=\(uuids[0]) / ext4 defaults 0 1\n" + row, [:]).plan("kvm")
        #expect(plan.actions.count == 1)
    }

    /// The key's device, a header's and grub-mkconfig's become paths that hold.
    @Test func keysHeadersAndGRUBDevice() throws {
        let disk = guest("/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /data ext4 defaults 0 2\n", [:])
        let root = try #require(disk.fileSystems[0] as? MemoryFileSystem)
        root.write(
            "/etc/crypttab",
            "c UUID=33333333-1111-4111-8111-111111111112 /dev/sdb1:/key luks,header=/k:/dev/sdb1\nr /dev/mapper/x /dev/urandom swap\n"
        )
        root.write("/etc/default/grub", "GRUB_DEVICE=/dev/sda1\nGRUB_CMDLINE_LINUX=\"quiet\"\n")
        try disk.patch("kvm")
        let link = "/dev/disk/by-uuid/"
        #expect(
            text(root.files["/etc/crypttab"])
                == "c UUID=33333333-1111-4111-8111-111111111112 \(link)\(uuids[1]):/key luks,header=/k:\(link)\(uuids[1]),nofail\nr /dev/mapper/x /dev/urandom swap,nofail\n"
        )
        #expect(text(root.files["/etc/default/grub"]).hasPrefix("GRUB_DEVICE=\(link)\(uuids[0])\n"))
    }

    /// A statement that cannot be carried out, or that is about a card which nobody names, writes nothing.
    @Test func cardsThatCannotBeChanged() throws {
        let files = ["/etc/network/interfaces": "iface ens192 inet dhcp\n"]
        let unknown = try NetworkGuest(files).plan(saying: [card("ens999", has: newAddress)])
        #expect(unknown.refusal?.code == .cardNotChanged && unknown.actions.isEmpty)
        #expect(unknown.refusal?.sentence.plain.contains("ens192") == true)
        let unable = try NetworkGuest(files, .alpine).plan(saying: [card("ens192", has: newAddress)])
        #expect(unable.refusal?.code == .cardNotChanged)
        #expect(try NetworkGuest(files).plan(saying: [card("ens192", has: newAddress)]).refusal == nil)
    }
}
