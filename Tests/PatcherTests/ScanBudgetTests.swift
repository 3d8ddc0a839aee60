import GuestTree
import Patcher
import Storage
import TestSupport
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"

/// A guest's configuration is read as far as any real one goes. What is past that is left alone, and a plan refused by its
/// name where a boot may need it.
@Suite struct ScanBudgetTests {
    private func guest() -> (disk: TestGuest, root: MemoryFileSystem) {
        var disk = TestGuest()
        disk.bootCode = [.grub2]
        let root = disk.partition(1, .ext4, uuid: rootUUID)
        root.write("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
        root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n")
        root.write("/boot/vmlinuz-6.1.0", "kernel")
        root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0 root=/dev/sda1 ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
        )
        return (disk, root)
    }

    private func notes(_ disk: TestGuest) throws -> [String] {
        try #require(try disk.survey().guests.first).notes.filter { $0.contains("left alone") }
    }

    @Test func aRealGuestIsRead() throws {
        let (disk, _) = guest()
        #expect(try disk.plan("hyperv").refusal == nil)
        #expect(try notes(disk).isEmpty)
    }

    /// By the path that the plan is refused by.
    @Test(arguments: [
        ("/boot/loader/entries", "entries"), ("/etc/fstab", "rows"), ("/etc/fstab", "short rows"),
        ("/etc/fstab", "bytes"), ("/boot/grub/grub.cfg", "menu"), ("/boot/grub/grub.cfg", "menu bytes"),
        ("/etc/systemd/system", "units"),
    ])
    func whatIsMoreThanAnyGuestHas(_ path: String, _ what: String) throws {
        let (disk, root) = guest()
        let row = "/dev/sda1 / ext4 defaults 0 1\n"
        switch what {
        case "entries":
            for index in 0..<5000 {
                root.write(
                    "/boot/loader/entries/e\(index).conf",
                    "linux /boot/vmlinuz-6.1.0\noptions root=/dev/sda1\n")
            }
        case "rows":
            root.write(path, row + (0..<60_000).map { "/dev/sdb1 /m\($0) ext4 noauto 0 0\n" }.joined())
        case "short rows":
            root.write(path, row + (0..<5000).map { "proc /m\($0) proc\n" }.joined())
        case "bytes": root.write(path, row + String(repeating: "#", count: 4 << 20))
        case "menu":
            root.write(
                path,
                (0..<2100).map { "menuentry 'e\($0)' {\n linux /boot/vmlinuz-6.1.0\n}\n" }.joined())
        case "menu bytes": root.write(path, String(repeating: "#", count: (4 << 20) + 1))
        default:
            for index in 0..<5000 {
                root.write(
                    "/etc/systemd/system/m\(index).mount", "[Mount]\nWhat=/dev/sdb1\nWhere=/m\(index)\n")
            }
        }
        let refusal = try #require(try disk.plan("hyperv").refusal)
        #expect(refusal.code == .moreThanIsRead)
        #expect(refusal.sentence.plain.contains(path), "\(refusal.sentence.plain)")
        let told = try notes(disk)
        #expect(told.contains { $0.hasPrefix(path) }, "\(told)")
        #expect(told.count <= 21)
    }

    /// Files of all loaders count together, so that work on their entries has an end.
    @Test func entriesOfAllFilesCountTogether() throws {
        let (disk, root) = guest()
        for index in 0..<3000 {
            root.write("/boot/loader/entries/e\(index).conf", "linux /boot/vmlinuz-6.1.0\n")
        }
        let found = try #require(try disk.survey().guests.first)
        #expect(found.bootEntries.count == 2000)
        #expect(try disk.plan("hyperv").refusal?.code == .moreThanIsRead)
    }

    /// What no boot needs is left alone, and the rest is done.
    @Test func whatNoBootNeedsIsLeftAlone() throws {
        let (disk, root) = guest()
        let long =
            [UInt8](
                "[connection]\nid=a\ntype=ethernet\ninterface-name=eth0\n#".utf8)
            + [UInt8](repeating: 0, count: 4 << 20 - 100)
        for index in 0..<6 {
            root.write("/etc/NetworkManager/system-connections/e\(index).nmconnection", long)
        }
        for index in 0..<5000 {
            root.write("/etc/sysconfig/network-scripts/ifcfg-eth\(index)", "DEVICE=eth\(index)\n")
        }
        root.write("/etc/auto.home", (0..<60_000).map { "u\($0) server:/home/u\($0)\n" }.joined())
        let plan = try disk.plan("hyperv")
        #expect(plan.refusal == nil)
        let edited = plan.actions.compactMap(\.edit).map { $0.file.displayPath }
        #expect(edited.contains("/etc/fstab"))
        let guest = try #require(try disk.survey().guests.first)
        #expect(guest.files.reduce(0) { $0 + $1.bytes.count } <= 16 << 20)
        #expect(guest.files.count <= 4096)
        let told = try notes(disk)
        #expect(told.contains { $0.hasPrefix("/etc/auto.home is larger") }, "\(told)")
        #expect(told.contains { $0.hasPrefix("/etc/sysconfig/network-scripts is left alone") }, "\(told)")
    }

    /// Names are looked up in what the fstab mounts: without it they would lead to other files.
    @Test func namesNeedTheWholeFstab() throws {
        let (disk, root) = guest()
        root.write("/etc/fstab", (0..<60_000).map { "/dev/sdb1 /m\($0) ext4 noauto 0 0\n" }.joined())
        let error = #expect(throws: StorageError.self) {
            try MountedSystem(
                rootVolume: 0, volumes: disk.volumes, fileSystems: disk.fileSystems, diskCount: 1,
                presentation: .unknown, reading: .namesOnly)
        }
        #expect(error?.code == "memory-bound")
    }
}
