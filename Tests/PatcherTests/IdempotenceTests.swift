import Patcher
import Storage
import TestSupport
import Testing

private let u1 = "11111111-1111-4111-8111-111111111111"
private let u2 = "22222222-2222-4222-8222-222222222222"
private let u3 = "33333333-3333-4333-8333-333333333333"
private let u4 = "44444444-4444-4444-8444-444444444444"

/// What is done is done once: a second plan is empty, and no name means something else than before.
@Suite struct IdempotenceTests {
    private func check(
        _ make: () throws -> TestGuest, _ name: String, _ target: Target, names: [NamingPolicy] = [.uuid],
        controllers: [Controller]? = nil
    ) throws {
        for controller in [nil] + (controllers ?? target.controllers).map({ $0 as Controller? }) {
            for names in names {
                try checkIdempotence(
                    make, name, PlanRequest(target: target, controller: controller, names: names))
            }
        }
    }

    @Test(arguments: fixtureTrees(), Target.all)
    func fixtures(_ tree: String, _ target: Target) throws {
        try check({ try fixtureGuest(tree).guest }, tree, target)
    }

    /// Guests whose plans add modules to an initramfs, put a loader on FAT, or may only replace contents, as on XFS.
    @Test(arguments: ["modules", "loader", "contents alone"], Target.all)
    func newerGuests(_ name: String, _ target: Target) throws {
        try check(
            {
                switch name {
                case "modules":
                    let guest = try DriverGuest(holding: ["ext4", "sd_mod", "scsi_mod"])
                    guest.root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n")
                    return guest.guest
                case "loader":
                    var disk = TestGuest()
                    disk.bootCode = [.none]
                    let esp = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
                    let root = disk.partition(2, .ext4, uuid: u1)
                    root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
                    root.write(
                        "/etc/fstab",
                        "/dev/sda2 / ext4 defaults 0 1\n/dev/sda1 /boot/efi vfat umask=0077 0 1\n")
                    root.write(
                        "/boot/grub/grub.cfg",
                        "menuentry A { linux /boot/vmlinuz-6.1.0 root=/dev/sda2 ro ; initrd /boot/initrd.img-6.1.0 }\n"
                    )
                    root.makeDirectory("/boot/efi")
                    esp.write("/EFI/debian/grubx64.efi", TestProgram.grub(prefix: "/EFI/debian"))
                    esp.write(
                        "/EFI/debian/grub.cfg",
                        "search.fs_uuid \(u1) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n"
                    )
                    return disk
                default:
                    let guest = FieldGuest([
                        "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=/dev/sda1"),
                        "/etc/fstab": "/dev/sda1 / xfs defaults 0 0\n/dev/sdb1 /data ext4 defaults 0 2\n",
                    ])
                    guest.root.capabilities = Capabilities(changes: [.contents, .label], labelByteLimit: 12)
                    return guest.disk
                }
            }, name, target)
    }

    /// Names of several kinds, and orders that the guest itself contradicts.
    @Test(arguments: oddities.keys.sorted(), Target.all)
    func mixedNames(_ name: String, _ target: Target) throws {
        try check(
            { try #require(oddities[name]).disk() }, name, target, names: NamingPolicy.allCases)
    }

    private func fstab(_ name: String, _ target: String = "kvm") throws -> (String, Plan) {
        let disk = try #require(oddities[name]).disk()
        let plan = try disk.patch(target)
        let root = try #require(disk.fileSystems[0] as? MemoryFileSystem)
        return (text(root.files["/etc/fstab"]), plan)
    }

    /// What was left over from another age does not keep the rest from being told.
    @Test func leftovers() throws {
        let (stale, plan) = try fstab("stale menu.lst beside stable rows")
        #expect(
            stale
                == "UUID=\(u1) / ext3 defaults 0 1\nUUID=\(u2) none swap sw 0 0\nUUID=\(u4) /srv ext4 defaults 0 2\n"
        )
        #expect(plan.refusal == nil)
        let (menu, _) = try fstab("xvda in the menu with sda2 swap")
        #expect(menu == "LABEL=root / ext4 defaults 0 1\nUUID=\(u2) none swap sw 0 0\n")
        let (tools, _) = try fstab("xvda root with sda2 swap, VMware's tools")
        #expect(tools == "UUID=\(u1) / ext4 defaults 0 1\nUUID=\(u2) none swap sw 0 0\n")
        let (xen, source) = try fstab("a leftover of Xen")
        #expect(xen == "UUID=\(u1) / ext4 defaults 0 1\n/dev/xvdg1 /old ext4 noauto 0 0\n")
        #expect(source.source.hypervisor == nil)
    }

    /// By the order of the disks /data would be the root: it stays as it is, then and afterwards.
    @Test func anOrderThatTheRowsContradict() throws {
        let (virtio, plan) = try fstab("virtio root, SCSI data")
        #expect(virtio == "UUID=\(u1) / ext4 defaults 0 0\n/dev/sda1 /data ext4 defaults,nofail 0 2\n")
        #expect(plan.refusal == nil && !plan.actions.isEmpty)
        let (kinds, other) = try fstab("another kind of the root's file system")
        #expect(kinds.contains("/dev/sda4 /data ext4") && kinds.contains("/dev/sdb1 /more ext4"))
        #expect(other.unresolved.map(\.unresolved).count == 2)
    }

    /// What shows that sda is not the first disk would be gone with the root's own name.
    @Test func whatCannotLastIsRefused() throws {
        let plan = try #require(oddities["the root is the second name"]).disk().plan("kvm")
        #expect(plan.actions.isEmpty)
        guard case .wouldBeTakenFor("p3", "/dev/sda3", "/etc/fstab", 2, .otherOrder) = plan.refusal else {
            Issue.record("\(String(describing: plan.refusal))")
            return
        }
        var disk = try #require(oddities["the root is the second name"]).disk()
        disk.presentation = SourcePresentation(map: ["sda": 1])
        try disk.patch("kvm")
        let root = try #require(disk.fileSystems[0] as? MemoryFileSystem)
        #expect(text(root.files["/etc/fstab"]).hasPrefix("UUID=\(u1) / ext4"))
    }

    private static let families = ["sd", "hd", "vd", "xvd", "nvme", "i2o/hd"]

    /// Every pair of kinds, root and data and swap, with one disk and with two.
    @Test(arguments: families, families)
    func pairs(_ root: String, _ data: String) throws {
        let target = try #require(Target.named("kvm"))
        for pair in Self.guests(root, data) {
            try check({ pair.guest.disk() }, pair.name, target, controllers: [])
        }
    }

    private static func guests(_ root: String, _ data: String) -> [(name: String, guest: OddGuest)] {
        func disk(_ family: String, _ index: Int) -> String {
            family == "nvme" ? "nvme\(index)n1p" : family + ["a", "b", "c"][index]
        }
        // Only the old IDE driver hangs on the release.
        let releases = [root, data].contains("hd") ? ["ID=debian\nVERSION_ID=12\n", ""] : [""]
        var found: [(name: String, guest: OddGuest)] = []
        for rootSpec in ["/dev/\(disk(root, 0))1", "UUID=\(u1)"] {
            for (index, number) in [(0, 1), (0, 2), (0, 3), (0, 4), (1, 1), (1, 3), (2, 1)] {
                for release in releases {
                    for second in [false, true] {
                        let row = number == 2 ? "none swap sw" : "/data ext4 defaults"
                        let files = [
                            "/etc/os-release": release,
                            "/etc/fstab":
                                "\(rootSpec) / ext4 defaults 0 1\n/dev/\(disk(data, index))\(number) \(row) 0 0\n",
                            "/boot/grub/grub.cfg":
                                "menuentry A { linux /vmlinuz-6.1.0 root=/dev/\(disk(root, 0))1 ; initrd /i }\n",
                        ]
                        found.append(
                            (
                                "\(rootSpec) with \(disk(data, index))\(number), \(second ? 2 : 1) disks, \(release.isEmpty ? "old" : "new")",
                                OddGuest(files: files, second: second)
                            ))
                    }
                }
            }
        }
        return found
    }

    /// What docs/repairs.md says of how many plans these are is so.
    @Test func figuresOfThePage() throws {
        let page = text(try fileBytes("\(Fixture.repository)/docs/repairs.md"))
        let each = Target.all.map { $0.controllers.count + 1 }.reduce(0, +)
        let pairs = Self.families.flatMap { root in Self.families.map { Self.guests(root, $0).count } }
            .reduce(0, +)
        let hostile = HostileConfigurationTests.caseCount
        let random = HostileConfigurationTests.randomGuests.count * 4
        for row in [
            "| \(fixtureTrees().count) trees of Tests/Fixtures/guests | all \(Target.all.count), each controller and none (\(each)) | \(fixtureTrees().count * each) |",
            "| 3 with an overlay, a fallback loader, a file system that only takes contents | \(each) | \(3 * each) |",
            "| \(oddities.count) with names of several kinds, and rows that hang on others | \(each), each `--names` | \(oddities.count * each * NamingPolicy.allCases.count) |",
            "| root and data by every pair of kinds, one disk and two | `kvm` | \(pairs) |",
            "| \(hostile) whose files contradict themselves, go in circles or mix kinds: the names that nobody can tell are written beside each | \(each) | \(hostile * each) |",
            "| \(random) put together by chance from such rows | 4 targets in turn | \(random) |",
        ] {
            #expect(page.contains(row + "\n"), "\(row)")
        }
    }
}

/// Plans, carries out and plans again: then nothing is left to do, and no name means something else than before. Gives the first
/// plan.
@discardableResult
func checkIdempotence(
    _ make: () throws -> TestGuest, _ name: String, _ request: PlanRequest
) throws -> Plan? {
    var disk = try make()
    let what = "\(name) on \(request.target.name), \(request.controller?.rawValue ?? "-"), \(request.names)"
    let before = try disk.survey().guests
    let plans = try before.map { try Planner.plan($0, request) }
    guard let first = before.first, let plan = plans.first else { return nil }
    #expect(plan.volumesOfSeveralNames == [], "\(what): names that meet")
    try disk.apply(plan)
    disk.writeLabels(of: plan)
    let after = try #require(try disk.survey().guests.first)
    let again = try Planner.plan(after, request)
    #expect(again.actions.map(\.reason) == [], "\(what)")
    for (old, new) in first.references(after, plan.actions) {
        if case .reported = old.use { continue }
        // A name of the target's own is read by the order of the disks, as the target reads it.
        if !new.isStable, old.text != new.text { continue }
        #expect(
            old.meaning == new.meaning, "\(what): \(old.path):\(old.line): \(old.text), then \(new.text)")
    }
    // What the planner foresees is what is there.
    #expect(
        try first.edited(by: plan.actions).references.map(\.meaning) == after.references.map(\.meaning),
        "\(what)")
    return plan
}

extension Reference {
    /// What it stands for, without the reason where it stands for nothing.
    fileprivate var meaning: String {
        switch resolution {
        case .volume(let volume): "volume \(volume)"
        case .disk(let disk): "disk \(disk)"
        case .notADisk: "no disk"
        case .stable: "stable"
        case .unresolved: "unresolved"
        }
    }
}

extension Plan {
    /// Volumes that two names by position are read as, in rows that take a volume for themselves. Xen has two for one disk.
    fileprivate var volumesOfSeveralNames: [Int] {
        guard source.hypervisor?.hasAliasedDiskNames != true else { return [] }
        var names: [Int: Set<String>] = [:]
        for reference in references where !reference.isStable {
            guard case .volume(let volume) = reference.resolution else { continue }
            switch reference.use {
            case .fstab(let row) where !row.isSwap: names[volume, default: []].insert(reference.text)
            case .crypttab: names[volume, default: []].insert(reference.text)
            default: break
            }
        }
        return names.filter { $0.value.count > 1 }.keys.sorted()
    }
}

extension TestGuest {
    /// Labels that a plan writes.
    mutating func writeLabels(of plan: Plan) {
        for case .setLabel(let volume, let label) in plan.actions.map(\.kind) {
            volumes[volume].identity.label = label
        }
    }
}

/// Disk 1: ext4 root, swap, ext4, xfs; disk 2, where there is one: ext4 and ext4.
private struct OddGuest {
    var files: [String: String]
    var second = false

    func disk() -> TestGuest {
        var guest = TestGuest()
        let root = guest.partition(1, .ext4, uuid: u1, label: "root")
        guest.partition(2, .swap, uuid: u2)
        guest.partition(3, .ext4, uuid: u3)
        guest.partition(4, .xfs)
        if second {
            guest.partition(1, .ext4, uuid: u4, disk: 2)
            guest.partition(3, .ext4, disk: 2)
        }
        for (path, contents) in files { root.write(path, contents) }
        return guest
    }
}

private let oddities: [String: OddGuest] = [
    "a kernel whose initrd knows labels alone": OddGuest(files: [
        "/etc/redhat-release": "Red Hat Enterprise Linux ES release 4 (Nahant)\n",
        "/etc/fstab": "LABEL=root / ext3 defaults 1 1\n/dev/hda4 /data xfs defaults 0 0\n",
        "/boot/grub/grub.conf":
            "default=0\ntitle C\n\tkernel /vmlinuz-2.6.9 ro root=/dev/hda3\n\tinitrd /i\n",
    ]),
    "stale menu.lst beside stable rows": OddGuest(
        files: [
            "/etc/debian_version": "7.0\n",
            "/etc/fstab":
                "UUID=\(u1) / ext3 defaults 0 1\n/dev/sda2 none swap sw 0 0\n/dev/sdb1 /srv ext4 defaults 0 2\n",
            "/boot/grub/menu.lst":
                "default 0\n# kopt=root=/dev/hda1 ro\ntitle A\nkernel /boot/vmlinuz-2.6.18-6 root=/dev/hda1 ro\ninitrd /i\n",
            "/boot/grub/grub.cfg": "menuentry A { linux /vmlinuz-3.2.0 root=UUID=\(u1) ro ; initrd /i }\n",
            "/boot/grub/device.map": "(hd0) /dev/hda\n",
        ], second: true),
    "xvda root with sda2 swap, VMware's tools": OddGuest(files: [
        "/usr/bin/vmtoolsd": "", "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "/etc/fstab": "/dev/xvda1 / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n",
    ]),
    "xvda in the menu with sda2 swap": OddGuest(files: [
        "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "/etc/fstab": "LABEL=root / ext4 defaults 0 1\n/dev/sda2 none swap sw 0 0\n",
        "/boot/grub/menu.lst": "title A\nkernel /vmlinuz-3.2.0 root=/dev/xvda1 ro\ninitrd /i\n",
    ]),
    "virtio root, SCSI data": OddGuest(
        files: [
            "/etc/os-release": "ID=ubuntu\nVERSION_ID=20.04\n",
            "/etc/fstab": "UUID=\(u1) / ext4 defaults 0 0\n/dev/sda1 /data ext4 defaults,nofail 0 2\n",
            "/boot/grub/grub.cfg": "menuentry A { linux /vmlinuz-5.4.0 root=/dev/vda1 ro ; initrd /i }\n",
        ], second: true),
    "the root is the second name": OddGuest(
        files: [
            "/etc/fstab": "/dev/sdb1 / ext4 defaults 0 1\n/dev/sda3 /data ext4 defaults 0 2\n",
            "/boot/grub/menu.lst":
                "title A\nkernel /vmlinuz-3.2.0 root=/dev/sdb1 resume=/dev/sda2\ninitrd /i\n",
        ], second: true),
    "two IDE disks, one given": OddGuest(files: [
        "/etc/debian_version": "4.0\n",
        "/etc/fstab":
            "/dev/hda1 / ext3 defaults 0 1\n/dev/hdc3 /data ext3 defaults 0 2\n/dev/hdc2 none swap sw 0 0\n",
    ]),
    "RHEL 6 on Xen with a name before e": OddGuest(
        files: [
            "/etc/redhat-release": "Red Hat Enterprise Linux Server release 6.5 (Santiago)\n",
            "/etc/fstab": "/dev/xvde1 / ext4 defaults 1 1\n/dev/xvdb1 /data ext4 defaults 1 2\n",
        ], second: true),
    "rows that hang on what is missing": OddGuest(files: [
        "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "/etc/fstab":
            "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /data ext4 defaults 0 2\n/dev/sda3 /data/sub ext4 defaults 0 2\n/data/x /srv none bind 0 0\n/srv/y /opt none bind 0 0\n/data/s none swap sw 0 0\n",
    ]),
    "a leftover of Xen": OddGuest(files: [
        "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n/dev/xvdg1 /old ext4 noauto 0 0\n",
    ]),
    "two kinds of rows": OddGuest(
        files: [
            "/etc/fstab":
                "UUID=\(u1) / ext4 defaults 0 1\n/dev/vda3 /home ext4 defaults 0 2\n/dev/sda3 /data ext4 defaults 0 2\n",
            "/boot/grub/grub.cfg": "menuentry A { linux /vmlinuz-5.4.0 root=/dev/vda1 ro ; initrd /i }\n",
        ], second: true),
    "another kind of the root's file system": OddGuest(
        files: [
            "/etc/fstab":
                "UUID=\(u1) / ext4 defaults 0 1\n/dev/sda4 /data ext4 defaults 0 2\n/dev/sdb1 /more ext4 defaults 0 2\n"
        ], second: true),
    "two names of one volume": OddGuest(
        files: [
            "/etc/fstab":
                "UUID=\(u1) / ext4 defaults 0 1\n/dev/sda3 /data ext4 defaults 0 2\n/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3 /more ext4 defaults 0 2\n"
        ]),
]
