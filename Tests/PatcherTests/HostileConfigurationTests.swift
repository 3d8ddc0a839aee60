import Patcher
import Storage
import TestSupport
import Testing

private let u1 = "11111111-1111-4111-8111-111111111111"
private let u2 = "22222222-2222-4222-8222-222222222222"
private let u3 = "33333333-3333-4333-8333-333333333333"
private let u4 = "44444444-4444-4444-8444-444444444444"

/// Configuration that contradicts itself or what lies on the disks, names devices in circles, or mixes kinds of names: what cannot
/// be told is unresolved and said, and stays as it is.
@Suite struct HostileConfigurationTests {
    /// Disk 1: ext4 root, swap, ext4, xfs; disk 2: ext4 and LUKS.
    private static func disk(_ files: [String: String]) -> TestGuest {
        var guest = TestGuest()
        guest.bootCode = [.grub2, .none]
        let root = guest.partition(1, .ext4, uuid: u1, label: "root", partUUID: "5eed0001-01")
        guest.partition(2, .swap, uuid: u2, partUUID: "5eed0001-02")
        guest.partition(3, .ext4, uuid: u3, label: "data", partUUID: "5eed0001-03")
        guest.partition(4, .xfs, partUUID: "5eed0001-04")
        guest.partition(1, .ext4, uuid: u4, disk: 2, partUUID: "5eed0002-01")
        guest.partition(2, .luks, uuid: "aaaaaaaa-1111-4111-8111-111111111111", disk: 2)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", stable)
        root.write("/boot/vmlinuz-6.1.0-20", "kernel")
        root.write("/boot/initrd.img-6.1.0-20", "-rom1fs-")
        root.write("/boot/grub/grub.cfg", "set default=0\n" + FieldGuest.entry("A"))
        for (path, text) in files { root.write(path, text) }
        return guest
    }

    private static let stable = "UUID=\(u1) / ext4 defaults 0 1\n"

    /// For the page's figures.
    static var caseCount: Int { cases.count }
    static let randomGuests = 0..<40

    /// The files, and the names that nobody can tell.
    private static let cases: [String: (files: [String: String], untold: Set<String>)] = [
        "two rows of the root": (
            ["/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n/dev/sda3 / ext4 defaults 0 1\n"],
            ["/dev/sda1", "/dev/sda3"]
        ),
        "the root's row against the menu": (
            [
                "/etc/fstab": "/dev/sdb1 / ext4 defaults 0 1\n/dev/sda1 /data ext4 defaults 0 2\n",
                "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=/dev/sda1"),
            ], ["/dev/sda1"]
        ),
        "mappings in a circle": (
            [
                "/etc/fstab": stable + "/dev/mapper/a /a ext4 defaults 0 2\n",
                "/etc/crypttab": "a /dev/mapper/b none luks\nb /dev/mapper/a none luks\n",
            ], ["/dev/mapper/a", "/dev/mapper/b"]
        ),
        "a root that is made of itself": (
            [
                "/etc/fstab": "/dev/mapper/a / ext4 defaults 0 1\n",
                "/etc/crypttab": "a /dev/mapper/a none luks\n",
                "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=/dev/mapper/a"),
            ], ["/dev/mapper/a"]
        ),
        "one mapping of two devices": (
            ["/etc/crypttab": "a /dev/sda3 /dev/urandom swap\na /dev/sda2 /dev/urandom swap\n"],
            ["/dev/sda3"]
        ),
        "swap and data by one name": (
            ["/etc/fstab": stable + "/dev/sda2 none swap sw 0 0\n/dev/sda2 /data ext4 defaults 0 2\n"],
            ["/dev/sda2"]
        ),
        "a random key over what is mounted": (
            [
                "/etc/fstab": stable + "UUID=\(u3) /data ext4 defaults 0 2\n",
                "/etc/crypttab": "s /dev/sda3 /dev/urandom swap\n",
            ], ["/dev/sda3"]
        ),
        "a random key over the root": (["/etc/crypttab": "s /dev/sda1 /dev/urandom swap\n"], ["/dev/sda1"]),
        "a unit against what lies there": (
            ["/etc/systemd/system/data.mount": "[Mount]\nWhat=/dev/sda2\nWhere=/data\nType=ext4\n"],
            ["/dev/sda2"]
        ),
        "a unit that takes what a row mounts": (
            [
                "/etc/fstab": stable + "UUID=\(u3) /data ext4 defaults 0 2\n",
                "/etc/systemd/system/more.mount": "[Mount]\nWhat=/dev/sda3\nWhere=/more\nType=ext4\n",
            ], ["/dev/sda3"]
        ),
        "a unit and a row of one place": (
            [
                "/etc/fstab": stable + "/dev/sda3 /data ext4 defaults 0 2\n",
                "/etc/systemd/system/data.mount": "[Mount]\nWhat=/dev/sdb1\nWhere=/data\nType=ext4\n",
            ], []
        ),
        "five kinds of names": (
            [
                "/etc/fstab":
                    "/dev/sda1 / ext4 defaults 0 1\n/dev/hdb1 /a ext4 defaults 0 2\n/dev/vdb1 /b ext4 defaults 0 2\n/dev/xvdb1 /c ext4 defaults 0 2\n/dev/nvme1n1p1 /d ext4 defaults 0 2\n"
            ], ["/dev/hdb1", "/dev/vdb1", "/dev/xvdb1", "/dev/nvme1n1p1"]
        ),
        "places that meet letters": (
            [
                "/etc/fstab": stable
                    + "/dev/sda3 /data ext4 defaults 0 2\n/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3 /more ext4 defaults 0 2\n"
            ], ["/dev/sda3", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3"]
        ),
        "arrays of each other": (
            [
                "/etc/fstab": stable + "/dev/md0 /srv ext4 defaults 0 2\n",
                "/etc/mdadm/mdadm.conf":
                    "DEVICE /dev/sda2 /dev/md0\nARRAY /dev/md0 devices=/dev/md1\nARRAY /dev/md1 devices=/dev/md0\n",
            ], ["/dev/md0"]
        ),
        "menus that show each other": (
            [
                "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
                "/boot/grub/grub.cfg": "set default=0\nmenuentry X { configfile /boot/grub/b.cfg }\n"
                    + FieldGuest.entry("A", "root=/dev/hda1"),
                "/boot/grub/b.cfg": "set default=0\nmenuentry Y { configfile /boot/grub/grub.cfg }\n"
                    + FieldGuest.entry("B", "root=/dev/vda1"),
            ], []
        ),
        "a map of the loader's disks that crosses": (
            [
                "/etc/fstab": stable + "/dev/sdb1 /data ext4 defaults 0 2\n",
                "/boot/grub/device.map": "(hd0) /dev/sdb\n(hd1) /dev/sda\n(hd0) /dev/sdc\n",
            ], ["/dev/sdc"]
        ),
        "loops in a circle": (
            [
                "/etc/fstab": stable
                    + "/a/img /b ext4 loop 0 0\n/b/img /a ext4 loop 0 0\n/a /b none bind 0 0\n"
            ],
            []
        ),
        "a label and a name of one volume": (
            ["/etc/fstab": "LABEL=root / ext4 defaults 0 1\n/dev/sda1 /data ext4 defaults 0 2\n"],
            ["/dev/sda1"]
        ),
        "another type for one volume": (
            ["/etc/fstab": stable + "/dev/sda3 /a xfs defaults 0 0\n/dev/sdb1 /b ext4 defaults 0 2\n"],
            ["/dev/sda3", "/dev/sdb1"]
        ),
        "keys that lie in each other": (
            [
                "/etc/crypttab":
                    "a /dev/sdb2 /k:/dev/mapper/b luks\nb /dev/sdb2 /k:/dev/mapper/a luks\n",
                "/etc/fstab": stable + "/dev/mapper/a /a ext4 defaults 0 2\n",
            ], []
        ),
        "units that wait for each other": (
            [
                "/etc/systemd/system/a.mount":
                    "[Unit]\nRequires=b.mount dev-sdc1.device\n[Mount]\nWhat=/dev/sda3\nWhere=/a\nType=ext4\n",
                "/etc/systemd/system/b.mount":
                    "[Unit]\nRequires=a.mount\n[Mount]\nWhat=/dev/sda3\nWhere=/b\nType=ext4\n",
            ], ["/dev/sdc1"]
        ),
        "two names of the root": (
            ["/etc/fstab": "/dev/vda1 / ext4 defaults 0 1\n/dev/sda1 / ext4 defaults 0 1\n"],
            ["/dev/vda1", "/dev/sda1"]
        ),
        "a whole disk to resume from": (
            [
                "/boot/grub/grub.cfg": "set default=0\n"
                    + FieldGuest.entry("A", "root=UUID=\(u1) resume=/dev/sdb")
            ], ["/dev/sdb"]
        ),
        "a letter between that nobody has": (
            ["/etc/fstab": stable + "/dev/sdc1 /data ext4 defaults 0 2\n"], ["/dev/sdc1"]
        ),
    ]

    /// A refusal has no actions, and what cannot be told is said, on every target behind every controller.
    @Test(arguments: cases.keys.sorted(), Target.all)
    func whatCannotBeToldIsSaidAndStays(_ name: String, _ target: Target) throws {
        let item = try #require(Self.cases[name])
        for controller in [nil] + target.controllers.map({ $0 as Controller? }) {
            let plan = try #require(
                try checkIdempotence(
                    { Self.disk(item.files) }, name, PlanRequest(target: target, controller: controller)))
            #expect(plan.refusal == nil || plan.actions.isEmpty)
            #expect(item.untold.subtracting(plan.unresolved.map(\.text)) == [], "\(name)")
            check(plan, name)
        }
    }

    /// Rows, tables and menus put together by chance.
    @Test(arguments: randomGuests) func guestsOfEveryContradiction(_ seed: Int) throws {
        var random = SeededRandom(UInt64(seed) &* 6_364_136_223_846_793_005 &+ 1)
        func pick<T>(_ items: [T]) -> T {
            items[Int.random(in: 0..<items.count, using: &random)]
        }
        let names =
            ["sd", "hd", "vd", "xvd"].flatMap { kind in
                ["a1", "a2", "a3", "a4", "b1", "b2", "c1", ""].map { "/dev/\(kind)\($0.isEmpty ? "b" : $0)" }
            } + [
                "UUID=\(u3)", "LABEL=data", "/dev/mapper/a", "/dev/mapper/b", "/dev/nvme0n1p3", "/dev/md0",
                "/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:1:0-part1",
                "/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3",
            ]
        let places = ["/data", "/srv", "/var", "/boot", "/", "none", "/mnt"]
        let targets = [Target.all[0], Target.all[2], Target.all[4], Target.all[6]]
        for target in targets {
            var fstab = pick([stableOrNamed("sda1"), stableOrNamed("vda1"), Self.stable])
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let place = pick(places)
                let type = place == "none" ? "swap" : pick(["ext4", "ext4", "xfs", "auto"])
                fstab += "\(pick(names)) \(place) \(type) \(pick(["defaults", "noauto", "nofail"])) 0 0\n"
            }
            var files = ["/etc/fstab": fstab]
            if Bool.random(using: &random) {
                files["/etc/crypttab"] = (0..<2).map { _ in
                    "\(pick(["a", "b"])) \(pick(names)) \(pick(["none luks", "/dev/urandom swap"]))\n"
                }.joined()
            }
            if Bool.random(using: &random) {
                files["/etc/systemd/system/srv.mount"] =
                    "[Mount]\nWhat=\(pick(names))\nWhere=/srv\nType=\(pick(["ext4", "xfs"]))\n"
            }
            let root = pick(["/dev/sda1", "/dev/hda1", "/dev/vda1", "UUID=\(u1)", "/dev/sdb1"])
            files["/boot/grub/grub.cfg"] =
                "set default=0\n" + FieldGuest.entry("A", "root=\(root) resume=\(pick(names))")
            let plan = try checkIdempotence(
                { Self.disk(files) }, "\(files)", PlanRequest(target: target))
            guard let plan else { continue }
            #expect(plan.refusal == nil || plan.actions.isEmpty)
            check(plan, "\(files)")
        }
    }

    private func stableOrNamed(_ name: String) -> String { "/dev/\(name) / ext4 defaults 0 1\n" }

    /// No row takes what holds something else than it says.
    private func check(_ plan: Plan, _ what: String) {
        let kinds: [VolumeIdentity.Kind] = [.ext4, .swap, .ext4, .xfs, .ext4, .luks]
        for reference in plan.references where !reference.isStable {
            guard case .volume(let volume) = reference.resolution else { continue }
            switch reference.use {
            case .fstab(let row) where row.mountPoint != "/" && row.types != ["auto"]:
                #expect(row.types == [kinds[volume].rawValue], "\(what): \(reference.text)")
            case .unit(_, let types?):
                #expect(types.words == [kinds[volume].rawValue], "\(what): \(reference.text)")
            case .crypttab(let row) where row.options.contains("swap"):
                #expect([.swap, .luks].contains(kinds[volume]), "\(what): \(reference.text)")
            default: break
            }
        }
    }
}
