import Patcher
import Storage
import TestSupport
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"
private let program = "/EFI/BOOT/BOOTX64.EFI"

private let stub = Array(
    "search.fs_uuid \(rootUUID) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n".utf8)
private let grub = TestProgram.grub(prefix: "/EFI/debian")
private let shim = TestProgram.shim()

private func list(_ program: String) -> [UInt8] {
    "\(program),debian,,\n".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
}

/// A disk that UEFI alone starts: these files on the ESP, a Debian on partition 2.
private func guest(
    _ esp: [String: [UInt8]], type: String? = "EFI System", row: Bool = true, menu: Bool = true
) -> (disk: TestGuest, esp: MemoryFileSystem, root: MemoryFileSystem) {
    var disk = TestGuest()
    disk.bootCode = [.none]
    let partition = disk.partition(1, .vfat, uuid: "ABCD-1234", type: type)
    let root = disk.partition(2, .ext4, uuid: rootUUID)
    root.write("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
    root.write(
        "/etc/fstab",
        "UUID=\(rootUUID) / ext4 defaults 0 1\n"
            + (row ? "UUID=ABCD-1234 /boot/efi vfat umask=0077 0 1\n" : ""))
    root.write("/boot/vmlinuz-6.1.0", "kernel")
    root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
    // A program of 64 bits.
    root.write(
        "/sbin/init", [0x7f, 0x45, 0x4c, 0x46] + [UInt8](repeating: 0, count: 14) + [62, 0])
    if menu {
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
        )
    }
    root.makeDirectory("/boot/efi")
    for (path, bytes) in esp { partition.write(path, bytes) }
    return (disk, partition, root)
}

private func refusal(_ disk: TestGuest, _ target: String = "kvm") throws -> String? {
    let plan = try disk.plan(target)
    if let refusal = plan.refusal {
        #expect(plan.actions.isEmpty)
        return refusal.sentence.plain
    }
    return nil
}

/// Carries a plan out, and looks that the next one finds a guest that boots and nothing to do.
@discardableResult
private func mend(_ disk: TestGuest) throws -> Plan {
    let plan = try disk.plan("kvm")
    #expect(plan.outcome == .bootsWithEdits, "\(plan.outcome)")
    try disk.apply(plan)
    let again = try disk.plan("kvm")
    #expect(again.actions.isEmpty && again.outcome == .boots, "\(again.outcome)")
    return plan
}

/// What looks like a loader and is none.
enum BadProgram: String, CaseIterable {
    case empty, text, short, cut, otherMachine, otherSystem, noSections

    var bytes: [UInt8] {
        switch self {
        case .empty: []
        case .text: Array("not a program".utf8)
        case .short: Array(grub.prefix(80))
        case .cut: Array(grub.dropLast(1))
        case .otherMachine: TestProgram.bytes(machine: 0xaa64)
        case .otherSystem:
            {
                var bytes = grub
                bytes[156] = 3
                return bytes
            }()
        case .noSections:
            {
                var bytes = grub
                bytes.storeLittle(UInt16(0), at: 70)
                return bytes
            }()
        }
    }
}

/// What is there is not what starts: each part of the way is doubted.
@Suite struct FallbackVerdictTests {
    @Test(arguments: BadProgram.allCases)
    func aProgramThatIsNoneIsReplaced(_ bad: BadProgram) throws {
        let (disk, esp, _) = guest([
            program: bad.bytes, "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub,
        ])
        let step = try #require(disk.survey().guests.first?.bootPaths().first?.steps.first)
        #expect(step.fault != nil, "\(bad)")
        let plan = try mend(disk)
        #expect(esp.files[program] == grub)
        #expect(plan.actions.contains { if case .replace = $0.kind { true } else { false } })
        #expect(plan.boot.first?.steps.allSatisfy { $0.fault == nil && $0.isThere == true } == true)
    }

    @Test(arguments: BadProgram.allCases)
    func withoutAnotherItIsRefused(_ bad: BadProgram) throws {
        let (alone, _, _) = guest([program: bad.bytes])
        #expect(try refusal(alone)?.contains("EFI/BOOT/BOOTX64.EFI") == true)
        // What could be copied is no better.
        let (worse, _, _) = guest(["/EFI/debian/grubx64.efi": bad.bytes, "/EFI/debian/grub.cfg": stub])
        #expect(try refusal(worse) != nil)
    }

    @Test(arguments: BadProgram.allCases)
    func theLoaderBehindShim(_ bad: BadProgram) throws {
        let (disk, esp, _) = guest([
            program: shim, "/EFI/BOOT/grubx64.efi": bad.bytes, "/EFI/debian/grubx64.efi": grub,
            "/EFI/debian/grub.cfg": stub,
        ])
        try mend(disk)
        #expect(esp.files["/EFI/BOOT/grubx64.efi"] == grub && esp.files[program] == shim)
        let (alone, _, _) = guest([program: shim, "/EFI/BOOT/grubx64.efi": bad.bytes])
        #expect(try refusal(alone)?.contains("EFI/BOOT/grubx64.efi") == true)
    }

    /// A directory of that name: no plan after this one would find it gone.
    @Test func aDirectoryInItsPlace() throws {
        let (disk, _, _) = guest([
            "\(program)/x": [1], "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.refusal?.code == .noFallbackLoader)
        #expect(plan.refusal?.sentence.plain.contains("EFI/BOOT/BOOTX64.EFI is a directory") == true)
        #expect(plan.actions.isEmpty)
    }

    /// What is replaced is said to be put there, also where the old program is a whole one for another machine.
    @Test func aProgramOfAnotherMachineThatIsReplaced() throws {
        let old = TestProgram.bytes(machine: 0x014c)
        let (disk, _, _) = guest([
            program: old, "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.outcome == .bootsWithEdits)
        #expect(plan.boot.first?.steps.first?.isNew == true)
    }

    @Test func fallbackProgramsThatAreNone() throws {
        let rest: [String: [UInt8]] = [
            program: shim, "/EFI/debian/shimx64.efi": shim, "/EFI/debian/grubx64.efi": grub,
            "/EFI/debian/grub.cfg": stub,
        ]
        // shim starts it and nothing else, be it empty.
        for bad in BadProgram.allCases {
            let (disk, esp, _) = guest(
                rest.merging(
                    ["/EFI/BOOT/fbx64.efi": bad.bytes, "/EFI/debian/BOOTX64.CSV": list("shimx64.efi")]
                ) { $1 })
            try mend(disk)
            #expect(esp.files["/EFI/BOOT/fbx64.efi"] == nil && esp.files["/EFI/BOOT/grubx64.efi"] == grub)
        }
        // Its list names what is not there, or what is none.
        for (name, gone) in [("gone.efi", true), ("shimx64.efi", false)] {
            var files = rest.merging(
                ["/EFI/BOOT/fbx64.efi": TestProgram.bytes(), "/EFI/debian/BOOTX64.CSV": list(name)]) { $1 }
            if !gone { files["/EFI/debian/shimx64.efi"] = [] }
            let (disk, esp, _) = guest(files)
            try mend(disk)
            #expect(esp.files["/EFI/BOOT/fbx64.efi.off"] != nil)
        }
        // A list for another machine is none.
        let (disk, esp, _) = guest(
            rest.merging(
                [
                    "/EFI/BOOT/fbx64.efi": TestProgram.bytes(),
                    "/EFI/debian/BOOTIA32.CSV": list("shimia32.efi"),
                ]
            ) { $1 })
        try mend(disk)
        #expect(esp.files["/EFI/debian/BOOTX64.CSV"] != nil)
    }

    @Test func aConfigurationThatLeadsNowhere() throws {
        let other = "22222222-2222-4222-8222-222222222222"
        let nowhere = Array(
            "search.fs_uuid \(other) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n".utf8
        )
        let (volume, _, _) = guest([program: grub, "/EFI/debian/grub.cfg": nowhere])
        #expect(try refusal(volume)?.contains(other) == true)
        let last = try #require(volume.survey().guests.first?.bootPaths().first?.steps.last)
        #expect(last.place == other && last.what == "volume" && last.isThere == false)
        let elsewhere = Array(
            "search --no-floppy --fs-uuid --set=dev \(rootUUID)\nset prefix=($dev)/boot/grub2\nconfigfile $prefix/grub.cfg\n"
                .utf8)
        let (file, _, root) = guest([program: grub, "/EFI/debian/grub.cfg": elsewhere])
        #expect(try refusal(file)?.contains("p2:/boot/grub2/grub.cfg") == true)
        root.write("/boot/grub2/grub.cfg", "source /boot/grub/grub.cfg\n")
        #expect(try refusal(file) == nil)
        let (none, _, _) = guest([program: grub])
        #expect(try refusal(none)?.contains("/EFI/debian/grub.cfg") == true)
        // A disk or a partition that is not there.
        for device in ["hd1,gpt2", "hd0,gpt7"] {
            let text = "set root='\(device)'\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n"
            let (named, _, _) = guest([program: grub, "/EFI/debian/grub.cfg": Array(text.utf8)])
            #expect(try refusal(named)?.contains(device) == true)
        }
        let first = "set root=hd0,gpt2\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n"
        let (works, _, _) = guest([program: grub, "/EFI/debian/grub.cfg": Array(first.utf8)])
        #expect(try refusal(works) == nil)
        // A text of nothing, or of settings alone, ends at GRUB's prompt.
        for text in [
            "", "# nothing\n\n", "set timeout=5\n", "\u{1}\u{2}x\n",
            "set root=hd0,gpt2\nset prefix=($root)/boot/grub\n",
        ] {
            let (empty, _, _) = guest([program: grub, "/EFI/debian/grub.cfg": Array(text.utf8)])
            #expect(try refusal(empty)?.contains("/EFI/debian/grub.cfg has no menu") == true, "\(text)")
        }
        // A condition decides: nobody knows.
        let both = Array("if [ -e /x ]; then\n".utf8) + nowhere + Array("fi\n".utf8)
        let (maybe, _, _) = guest([program: grub, "/EFI/debian/grub.cfg": both])
        #expect(try refusal(maybe) == nil)
        // The second of two searches finds it.
        let (second, _, _) = guest([
            program: grub, "/EFI/debian/grub.cfg": Array("search.fs_uuid \(other) root\n".utf8) + stub,
        ])
        #expect(try refusal(second) == nil)
    }

    /// The distribution's own loader finds its menu: it takes the place of one that finds none.
    @Test func aStaleFallbackGivesWay() throws {
        let stale = TestProgram.grub(prefix: "/EFI/gone")
        let (disk, esp, _) = guest([
            program: stale, "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub,
        ])
        try mend(disk)
        #expect(esp.files[program] == grub)
        // Its configuration takes the place of another in EFI/BOOT where it reads beside itself.
        let beside = TestProgram.grub(prefix: "/boot/grub")
        let (other, boot, _) = guest([
            "/EFI/BOOT/grub.cfg": Array("configfile /none.cfg\n".utf8), "/EFI/debian/grubx64.efi": beside,
            "/EFI/debian/grub.cfg": stub,
        ])
        try mend(other)
        #expect(boot.files["/EFI/BOOT/grub.cfg"] == stub)
    }

    /// Debian's signed GRUB reads a configuration in its memory disk, which leads to the prefix.
    @Test func theMemoryDiskOfDebiansSignedGRUB() throws {
        let signed = TestProgram.grub(prefix: "/EFI/debian", script: "normal (memdisk)/grub.cfg\n")
        let (disk, _, _) = guest([
            program: shim, "/EFI/BOOT/grubx64.efi": signed, "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.outcome == .boots)
        #expect(plan.boot.first?.steps.last?.place == "/boot/vmlinuz-6.1.0")
        let (none, _, _) = guest([program: shim, "/EFI/BOOT/grubx64.efi": signed])
        #expect(try refusal(none)?.contains("/EFI/debian/grub.cfg") == true)
    }

    @Test func systemdBootWithoutAnEntry() throws {
        let (disk, esp, _) = guest([program: TestProgram.systemdBoot], menu: false)
        #expect(try refusal(disk)?.contains("loader/entries") == true)
        esp.write(
            "/loader/entries/debian.conf",
            "title Debian\nlinux /vmlinuz\ninitrd /initrd\noptions root=UUID=\(rootUUID)\n")
        esp.write("/vmlinuz", "kernel")
        esp.write("/initrd", "-rom1fs-")
        #expect(try disk.plan("kvm").outcome == .boots)
        esp.write("/vmlinuz", "")
        #expect(try disk.plan("kvm").refusal != nil, "an empty kernel starts nothing")
    }

    @Test func unifiedKernelsAreWhole() throws {
        let whole = TestProgram.unifiedKernel
        let empty = TestProgram.bytes(sections: [(".osrel", [1]), (".linux", [])])
        for bad in [Array(whole.dropLast()), empty] {
            let (alone, _, _) = guest([program: bad], menu: false)
            #expect(try refusal(alone) != nil)
            let (disk, esp, _) = guest([program: bad, "/EFI/Linux/debian.efi": whole])
            try disk.apply(disk.plan("kvm"))
            #expect(esp.files[program] == whole)
        }
    }

    @Test func neverIsNoYes() throws {
        let files: [String: [UInt8]] = ["/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub]
        let (disk, _, _) = guest(files)
        let system = try #require(disk.survey().guests.first)
        var request = PlanRequest(target: try #require(Target.named("kvm")))
        request.addsFallbackLoader = false
        for plan in [try Planner.plan(system, request), try disk.plan("kvm", skip: [.efi])] {
            #expect(plan.outcome == .notKnown && plan.actions.isEmpty)
            #expect(plan.unknown?.sentence.plain.contains("EFI/debian/grubx64.efi") == true)
        }
        // No boot entry helps where there is nothing to enter.
        let (none, _, _) = guest([program: []])
        let empty = try #require(none.survey().guests.first)
        #expect(try Planner.plan(empty, request).refusal != nil)
        // Nor does "never" matter where the loader works.
        let (works, _, _) = guest(files.merging([program: grub]) { $1 })
        let good = try #require(works.survey().guests.first)
        #expect(try Planner.plan(good, request).outcome == .boots)
    }

    @Test func anotherSystemsLoader() throws {
        let windows = TestProgram.bytes(sections: [
            (".rdata", "\\EFI\\Microsoft\\Boot\\BCD".utf8.flatMap { [$0, 0] as [UInt8] })
        ])
        let (disk, _, _) = guest([
            program: windows, "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try disk.plan("kvm")
        #expect(plan.outcome == .notKnown && plan.unknown?.sentence.plain.contains("Windows") == true)
    }

    /// No table calls it an EFI system partition: firmware looks at what it holds, some at the table.
    @Test func aPartitionOfAnotherType() throws {
        let files: [String: [UInt8]] = [
            "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub, program: grub,
        ]
        for row in [true, false] {
            let (disk, _, _) = guest(files, type: "Linux", row: row)
            let plan = try disk.plan("kvm")
            #expect(plan.outcome == .boots, "\(plan.outcome)")
            #expect(plan.advice.contains { $0.message.plain.contains("does not call p1") })
        }
        var (several, _, _) = guest(files)
        let third = several.partition(3, .vfat, uuid: "0000-0001", type: "EFI System")
        third.write(program, grub)
        #expect(try several.plan("kvm").advice.contains { $0.message.plain.contains("p3 is an EFI system") })
    }

    @Test func firmwareOf32Bits() throws {
        let small = TestProgram.bytes(machine: 0x14c, sections: [("x", [1])])
        let (disk, esp, _) = guest(["/EFI/debian/grubia32.efi": small])
        let plan = try disk.plan("kvm")
        #expect(plan.machine.summary.contains("32 bits"))
        try disk.apply(plan)
        #expect(esp.files["/EFI/BOOT/BOOTIA32.EFI"] == small)
        #expect(try disk.plan("hyperv-gen2").refusal?.code.rawValue == "no-uefi-loader")
    }

    @Test func aPartitionThatCannotBeRead() throws {
        var disk = TestGuest()
        disk.bootCode = [.none]
        disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System", readable: false)
        let root = disk.partition(2, .ext4, uuid: rootUUID)
        root.write("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
        root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\n")
        root.write("/boot/vmlinuz-6.1.0", "kernel")
        root.write(
            "/boot/grub/grub.cfg",
            "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd\n}\n"
        )
        root.write("/boot/initrd", "-rom1fs-")
        #expect(try disk.plan("kvm").outcome == .notKnown)
    }
}
