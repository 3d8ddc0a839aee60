import GuestTree
import Patcher
import Storage
import TestSupport
import Testing

private let u1 = "11111111-1111-4111-8111-111111111111"
private let u2 = "22222222-2222-4222-8222-222222222222"
private let u3 = "33333333-3333-4333-8333-333333333333"

/// A disk and a copy of it beside it: whichever of the two systems is meant, it alone is changed, and once.
@Suite struct CopyTests {
    private func check(
        _ make: () throws -> TestGuest, _ what: String, _ targets: [String], _ policies: [NamingPolicy]
    ) throws {
        for name in targets {
            for names in policies {
                for root in try make().withCopy().survey().guests.map(\.rootVolume) {
                    try check(
                        try make().withCopy(), root,
                        PlanRequest(target: try #require(Target.named(name)), names: names),
                        "\(what) on \(name), \(names), \(root)")
                }
            }
        }
    }

    /// Plans for the system on that volume, carries it out, and plans for it again.
    private func check(_ disk: TestGuest, _ root: Int, _ request: PlanRequest, _ what: String) throws {
        var disk = disk
        let chosen = try #require(try disk.survey().guests.first { $0.rootVolume == root })
        let own = disk.volumes.indices.filter { disk.volumes[$0].disk == disk.volumes[root].disk }
        let plan = try Planner.plan(chosen, request)
        for action in plan.actions {
            let volume: Int? =
                switch action.kind {
                case .edit(let edit): edit.file.volume
                case .create(let place, _, _), .copy(_, let place): place.directory.volume
                case .setLabel(let volume, _): volume
                default: nil
                }
            #expect(
                volume.map { own.contains($0) || disk.volumes[$0].disk == nil } ?? true,
                "\(what): \(action.reason)")
        }
        try disk.apply(plan)
        disk.writeLabels(of: plan)
        let after = try #require(try disk.survey().guests.first { $0.rootVolume == root })
        #expect(try Planner.plan(after, request).actions.map(\.reason) == [], "\(what)")
    }

    @Test(arguments: fixtureTrees())
    func fixtures(_ tree: String) throws {
        try check({ try fixtureGuest(tree).guest }, tree, ["kvm", "hyperv"], [.uuid])
    }

    @Test(
        arguments: [
            "/dev/sda2 / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n/dev/sda3 none swap sw 0 0\n",
            "UUID=\(u2) / ext4 defaults 0 1\nUUID=\(u1) /boot ext4 defaults 0 2\nUUID=\(u3) none swap sw 0 0\n",
            "UUID=\(u2) / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n/dev/sda3 none swap sw 0 0\n",
            "LABEL=root / ext4 defaults 0 1\nLABEL=boot /boot ext4 defaults 0 2\n/dev/sda3 none swap sw 0 0\n",
            "/dev/sda2 / ext4 defaults 0 1\n/dev/sdb1 /old/boot ext4 defaults 0 2\n/dev/sdb2 /old ext4 defaults 0 2\n",
        ], ["root=/dev/sda2", "root=UUID=\(u2)", "root=LABEL=root", "root=/dev/sda2 resume=/dev/sda3"])
    func rows(_ fstab: String, _ arguments: String) throws {
        for partUUID in [nil, "aaaaaaaa-0000-4000-8000-00000000000"] {
            let hasMenuInBoot = partUUID == nil
            do {
                for label in [nil, "root"] {
                    try check(
                        {
                            var guest = TestGuest()
                            guest.bootCode = [.grub2, .grub2]
                            let boot = guest.partition(
                                1, .ext4, uuid: u1, label: label.map { _ in "boot" },
                                partUUID: partUUID.map { $0 + "1" })
                            let root = guest.partition(
                                2, .ext4, uuid: u2, label: label, partUUID: partUUID.map { $0 + "2" })
                            guest.partition(3, .swap, uuid: u3, partUUID: partUUID.map { $0 + "3" })
                            root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
                            root.write("/etc/fstab", fstab)
                            root.makeDirectory("/boot")
                            (hasMenuInBoot ? boot : root).write(
                                (hasMenuInBoot ? "" : "/boot") + "/grub/grub.cfg",
                                "menuentry A { linux /vmlinuz-6.1.0 \(arguments) ro ; initrd /initrd.img-6.1.0 }\n"
                            )
                            return guest
                        }, "\(fstab) \(arguments) \(partUUID ?? "-")", ["kvm"], NamingPolicy.allCases)
                }
            }
        }
    }

    /// Names by the order of the disks are not told of a copy whose own row shows no disk: its first disk was its own.
    @Test func aCopysOwnBoot() throws {
        func disk() throws -> TestGuest {
            var guest = TestGuest()
            guest.bootCode = [.grub2]
            let boot = guest.partition(1, .ext4, uuid: u1)
            let root = guest.partition(2, .ext4, uuid: u2)
            root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
            root.write("/etc/fstab", "UUID=\(u2) / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n")
            root.makeDirectory("/boot")
            boot.write(
                "/grub/grub.cfg",
                "menuentry A { linux /vmlinuz-6.1.0 root=/dev/sda2 ro ; initrd /initrd.img-6.1.0 }\n")
            return try guest.withCopy()
        }
        var guest = try disk()
        func plan(_ root: Int) throws -> Plan {
            let system = try #require(try guest.survey().guests.first { $0.rootVolume == root })
            return try Planner.plan(system, PlanRequest(target: try #require(Target.named("kvm"))))
        }
        let original = try plan(1)
        #expect(original.refusal == nil && !original.actions.isEmpty)
        let copy = try plan(3)
        #expect(copy.actions.isEmpty)
        guard case .ofCopy = copy.refusal?.unresolvedReason else {
            Issue.record("\(String(describing: copy.refusal))")
            return
        }
        guest.presentation = SourcePresentation(map: ["sda": 1])
        let stated = try plan(3)
        #expect(
            stated.refusal == nil && stated.actions.compactMap(\.edit).map(\.file.volume).sorted() == [2, 3])
    }

    /// /boot by a UUID that its copy has too: the one beside the root is read and changed.
    @Test func aBootOfOneUUID() throws {
        var guest = TestGuest()
        guest.bootCode = [.grub2]
        let boot = guest.partition(1, .ext4, uuid: u1)
        let root = guest.partition(2, .ext4, uuid: u2)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", "/dev/sda2 / ext4 defaults 0 1\nUUID=\(u1) /boot ext4 defaults 0 2\n")
        root.makeDirectory("/boot")
        boot.write(
            "/grub/grub.cfg",
            "menuentry A { linux /vmlinuz-6.1.0 root=/dev/sda2 ro ; initrd /initrd.img-6.1.0 }\n")
        guest = try guest.withCopy()
        for system in try guest.survey().guests {
            let plan = try Planner.plan(system, PlanRequest(target: try #require(Target.named("kvm"))))
            let own = system.rootVolume == 1 ? [0, 1] : [2, 3]
            #expect(plan.refusal == nil && plan.actions.compactMap(\.edit).map(\.file.volume).sorted() == own)
        }
    }

    /// What swap leaves of an older signature speaks against nothing, and such a volume is not named by what it holds.
    @Test func swapOverSomethingOlder() throws {
        for (kinds, row, table) in [
            ([.btrfs, .swap], "/dev/sda2 none swap sw 0 0\n", ""),
            ([.mdRAID, .swap], "/dev/sda2 none swap sw 0 0\n", ""),
            ([.btrfs], "/dev/mapper/s none swap sw 0 0\n", "s /dev/sda2 /dev/urandom swap\n"),
            ([.mdRAID], "/dev/mapper/s none swap sw 0 0\n", "s /dev/sda2 /dev/urandom swap,cipher=aes\n"),
        ] as [([VolumeIdentity.Kind], String, String)] {
            for target in ["kvm", "vmware"] {
                var guest = FieldGuest(["/etc/crypttab": table])
                guest.disk.partition(2, kinds[0], uuid: u3, readable: false)
                guest.disk.volumes[1].candidates = kinds.map { VolumeIdentity(kind: $0, uuid: u3) }
                guest.root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n" + row)
                let plan = try guest.disk.patch(target)
                #expect(plan.refusal == nil && plan.unresolved.isEmpty, "\(kinds)")
                let text = guest.text("/etc/fstab") + guest.text("/etc/crypttab")
                #expect(!text.contains(u3) && text.contains(target == "kvm" ? "/dev/vda2" : "/dev/sda2"))
            }
        }
    }

    /// LVM activates nothing of a group that is there twice.
    @Test func aGroupThatIsThereTwice() throws {
        var guest = TestGuest()
        guest.bootCode = [.grub2]
        let root = guest.logicalVolume("vg", "root", .ext4, uuid: u1)
        let data = guest.logicalVolume("vg2", "data", .ext4, uuid: u2)
        _ = data
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", "/dev/vg/root / ext4 defaults 0 1\n/dev/vg2/data /data ext4 defaults 0 2\n")
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry A { linux /boot/vmlinuz-6.1.0 root=/dev/mapper/vg-root ro ; initrd /boot/initrd.img-6.1.0 }\n"
        )
        #expect(try guest.plan("kvm").defaultVerdict?.doubt == nil)
        for index in [0, 1] {
            var doubled = guest
            doubled.volumes[index].doubledGroup = "volume group vg is there twice: 2:p2 is a copy of p2"
            let plan = try doubled.plan("kvm")
            #expect(plan.outcome == .notKnown && plan.refusal == nil)
            #expect(plan.defaultVerdict?.doubt?.code == .groupDoubled)
        }
        root.write("/etc/fstab", "/dev/vg/root / ext4 defaults 0 1\n/dev/vg2/data /data ext4 nofail 0 2\n")
        guest.volumes[1].doubledGroup = "volume group vg2 is there twice: 2:p2 is a copy of p2"
        #expect(try guest.plan("kvm").outcome == .boots)
    }
}

extension VerdictReason {
    fileprivate var unresolvedReason: UnresolvedReason? {
        switch self {
        case .bootUnresolved(_, let reason), .rowStopsBoot(_, _, let reason), .rootUnresolved(_, let reason),
            .wouldBeTakenFor(_, _, _, _, let reason), .wouldMeanAnother(_, _, _, _, let reason):
            reason
        case .defaultCannot(_, let reason, _): reason.unresolvedReason
        default: nil
        }
    }
}

extension TestGuest {
    /// The same with a copy of each disk behind them. What lies in a group is there once.
    fileprivate func withCopy() throws -> TestGuest {
        var guest = self
        _ = try guest.survey()
        for (index, volume) in volumes.enumerated() {
            guard case .partition(let disk, let number) = volume.location else { continue }
            let copy = guest.partition(
                number, volume.identity.kind, uuid: volume.identity.uuid,
                label: volume.identity.label.map { String(decoding: $0, as: UTF8.self) },
                disk: diskCount + disk + 1, partUUID: volume.partitionUUID, type: volume.typeName,
                readable: fileSystems[index] != nil)
            guard let files = (fileSystems[index] as? MemoryFileSystem)?.files else { continue }
            for (path, bytes) in files { copy.write(path, bytes) }
            copy.makeDirectory("/boot")
        }
        guest.bootCode += bootCode
        return guest
    }
}
