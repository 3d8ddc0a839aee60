import Patcher
import Storage
import TestSupport
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"
private let program = "/EFI/BOOT/BOOTX64.EFI"
private let grub = TestProgram.grub(prefix: "/EFI/debian")
private let shim = TestProgram.shimPart(["\\fbx64.efi", "\\mmx64.efi", "\\\\grubx64.efi"])
private let keyManager = TestProgram.shimPart(["Enroll MOK", "MokList"])
private let fallback = TestProgram.shimPart(["\\EFI\\", "boot.csv", "bootx64.csv"])

private func stub(_ uuid: String = rootUUID) -> [UInt8] {
    Array("search.fs_uuid \(uuid) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n".utf8)
}

private func wide(_ text: String) -> [UInt8] { text.utf8.flatMap { [$0, 0] as [UInt8] } }

/// The loaders of a Debian with Secure Boot.
private let debian: [String: [UInt8]] = [
    "/EFI/debian/shimx64.efi": shim, "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub(),
]

/// A disk that UEFI alone starts: these files on the ESP, a Debian on partition 2.
private func guest(
    _ esp: [String: [UInt8]], kernel: [UInt8] = Array("kernel".utf8), menu: Bool = true
) -> (disk: TestGuest, esp: MemoryFileSystem, root: MemoryFileSystem) {
    var disk = TestGuest()
    disk.bootCode = [.none]
    let partition = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
    let root = disk.partition(2, .ext4, uuid: rootUUID)
    root.write("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
    root.write(
        "/etc/fstab",
        "UUID=\(rootUUID) / ext4 defaults 0 1\nUUID=ABCD-1234 /boot/efi vfat umask=0077 0 1\n")
    root.write("/boot/vmlinuz-6.1.0", kernel)
    root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
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

private func with(_ more: [String: [UInt8]]) -> [String: [UInt8]] { debian.merging(more) { $1 } }

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

/// A kernel with a stub for UEFI, which starts without arguments.
private let bareKernel: [UInt8] = {
    var bytes = TestProgram.bytes()
    bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
    return bytes
}()

/// What the name says is not what a program is, and what no one knows leads nowhere that is known.
@Suite struct UnknownLoaderTests {
    @Test func aProgramThatIsNotKnownIsNotFollowed() throws {
        for bytes in [TestProgram.bytes(), bareKernel] {
            let (disk, _, _) = guest(with([program: bytes]))
            let plan = try disk.plan("kvm")
            #expect(plan.outcome == .notKnown && plan.actions.isEmpty)
            #expect(plan.unknown == .startsUnknownProgram(program: "EFI/BOOT/BOOTX64.EFI"))
            #expect(plan.boot.first?.steps.count == 1, "the way ends there")
        }
        // Behind a shim as well, whatever its name.
        let (behind, _, _) = guest(with([program: shim, "/EFI/BOOT/grubx64.efi": bareKernel]))
        #expect(
            try behind.plan("kvm").unknown == .startsUnknownProgram(program: "EFI/BOOT/grubx64.efi"))
        // So is the stub of unified kernels alone.
        let alone = TestProgram.bytes(sections: [
            (".sdmagic", Array("#### LoaderInfo: systemd-stub 252 ####".utf8)),
            (".sbat", Array("sbat,1\nsystemd,1,The systemd Developers\n".utf8)),
        ])
        let (stubbed, _, _) = guest(with([program: alone]))
        #expect(try stubbed.plan("kvm").outcome == .notKnown)
    }

    @Test func aDriverIsNoLoader() throws {
        var driver = TestProgram.bytes()
        driver.storeLittle(UInt16(11), at: 156)
        let (disk, esp, _) = guest(with([program: driver]))
        let path = try #require(disk.survey().guests.first?.bootPaths().first)
        #expect(path.steps.first?.fault == .driver)
        try mend(disk)
        #expect(esp.files[program] == shim)
    }

    @Test func helpersOfShimAreNoShim() throws {
        for helper in [keyManager, fallback] {
            let (disk, esp, _) = guest(with([program: helper]))
            try mend(disk)
            #expect(esp.files[program] == shim && esp.files["/EFI/BOOT/grubx64.efi"] == grub)
            let (alone, _, _) = guest([program: helper])
            let refusal = try #require(try alone.plan("kvm").refusal)
            #expect(refusal.code == .noFallbackLoader)
            #expect(refusal.sentence.plain.contains("EFI/BOOT/BOOTX64.EFI is shim's"))
        }
    }

    @Test func firmwareOf32BitsFollowsItsGRUB() throws {
        let small = TestProgram.grub(prefix: "/EFI/debian", is32Bits: true)
        let place = "/EFI/BOOT/BOOTIA32.EFI"
        let (works, _, _) = guest([place: small, "/EFI/debian/grub.cfg": stub()])
        let plan = try works.plan("kvm")
        #expect(plan.outcome == .boots)
        #expect(plan.boot.first?.steps.contains { $0.place == "p1:/EFI/debian/grub.cfg" } == true)
        let other = "99999999-9999-4999-8999-999999999999"
        let (wrong, _, _) = guest([place: small, "/EFI/debian/grub.cfg": stub(other)])
        #expect(try wrong.plan("kvm").refusal?.sentence.plain.contains(other) == true)
        let (none, _, _) = guest([place: small])
        #expect(try none.plan("kvm").refusal?.sentence.plain.contains("/EFI/debian/grub.cfg") == true)
    }

    @Test func keysThatTheLoaderDoesNotKnow() throws {
        func boot(_ words: String) -> [UInt8] {
            TestProgram.bytes(sections: [
                (".rdata", Array(words.utf8)),
                (".sdmagic", Array("#### LoaderInfo: systemd-boot 252 ####".utf8)),
            ])
        }
        let old = boot("title\0linux\0efi\0initrd\0")
        let new = boot("title\0linux\0uki\0efi\0initrd\0")
        let entry = Array("title Fedora\nuki /EFI/other/uki.efi\n".utf8)
        let files: [String: [UInt8]] = [
            "/EFI/other/uki.efi": TestProgram.unifiedKernel, "/loader/entries/a.conf": entry,
        ]
        let (disk, esp, _) = guest(files.merging([program: old]) { $1 }, menu: false)
        #expect(try disk.plan("kvm").refusal?.sentence.plain.contains("loader/entries") == true)
        esp.write(program, new)
        #expect(try disk.plan("kvm").refusal == nil)
        // Of several entries the one that it knows starts.
        esp.write(program, old)
        esp.write("/vmlinuz", "kernel")
        esp.write("/initrd", "-rom1fs-")
        esp.write("/loader/entries/z.conf", "title New\nuki /EFI/other/uki.efi\n")
        esp.write(
            "/loader/entries/b.conf",
            "title Old\nlinux /vmlinuz\ninitrd /initrd\noptions root=UUID=\(rootUUID)\n")
        #expect(try disk.survey().guests.first?.defaultEntries.map(\.entry.title) == ["Old"])
        #expect(try disk.plan("kvm").outcome == .boots)
        esp.write(program, new)
        #expect(try disk.survey().guests.first?.defaultEntries.map(\.entry.title) == ["New"])
    }

    @Test(arguments: ["shimx64.efi,,,x\n", "shimx64.efi", ",debian,,\n", "\0shimx64.efi,debian\n"])
    func linesOfAListThatMakeNoEntry(_ text: String) throws {
        let files = with([program: shim, "/EFI/BOOT/fbx64.efi": fallback])
        let (disk, _, _) = guest(files.merging(["/EFI/debian/BOOTX64.CSV": wide(text)]) { $1 })
        try mend(disk)
        // The next line counts.
        let (second, _, _) = guest(
            files.merging(["/EFI/debian/BOOTX64.CSV": wide("a,,\r\nshimx64.efi,debian\n")]) { $1 })
        #expect(try second.plan("kvm").outcome == .boots)
    }

    /// A shim starts the fallback program of the name that it has in it, and no other.
    @Test func theNameOfTheFallbackProgram() throws {
        let (other, esp, _) = guest(with([program: shim, "/EFI/BOOT/fallback.efi": fallback]))
        try mend(other)
        #expect(esp.files["/EFI/BOOT/grubx64.efi"] == grub && esp.files["/EFI/BOOT/fallback.efi"] != nil)
        let old = TestProgram.shimPart(["\\fallback.efi", "\\grub.efi"])
        let files = [
            program: old, "/EFI/BOOT/fbx64.efi": fallback, "/EFI/BOOT/grub.efi": grub,
            "/EFI/debian/grub.cfg": stub(),
        ]
        let (works, _, _) = guest(files)
        #expect(try works.plan("kvm").outcome == .boots)
        // The loader's name is one of its own too.
        let (lost, _, _) = guest([
            program: shim, "/EFI/BOOT/grub.efi": grub, "/EFI/debian/grub.cfg": stub(),
        ])
        #expect(try lost.plan("kvm").refusal?.sentence.plain.contains("grubx64.efi") == true)
    }

    @Test func loadersOfAnotherMachineThanTheKernels() throws {
        var arm = grub
        arm.storeLittle(UInt16(0xaa64), at: 68)
        let files = [
            "/EFI/BOOT/BOOTAA64.EFI": arm, "/EFI/debian/grubaa64.efi": arm, "/EFI/debian/grub.cfg": stub(),
        ]
        let (disk, _, _) = guest(files, kernel: bareKernel)
        for target in ["kvm", "hyperv-gen2"] {
            let plan = try disk.plan(target)
            #expect(plan.refusal?.code == .noFallbackLoader)
            #expect(plan.refusal?.sentence.plain.contains("for another machine") == true)
        }
        var kernel = bareKernel
        kernel.storeLittle(UInt16(0xaa64), at: 68)
        let (own, _, _) = guest(files, kernel: kernel)
        let plan = try own.plan("kvm")
        #expect(plan.outcome == .boots && plan.machine.summary.contains("AA64"))
    }

    /// Firmware does not read the root's own file system.
    @Test func aDirectoryOfTheRootIsNoPartition() throws {
        for row in [false, true] {
            var disk = TestGuest()
            disk.bootCode = [.none]
            let root = disk.partition(1, .ext4, uuid: rootUUID)
            root.write("/etc/os-release", "ID=rhel\nPRETTY_NAME=\"Red Hat\"\n")
            root.write(
                "/etc/fstab",
                "UUID=\(rootUUID) / ext4 defaults 0 1\n"
                    + (row ? "UUID=ABCD-1234 /boot/efi vfat nofail 0 0\n" : ""))
            root.write("/boot/vmlinuz-6.1.0", "kernel")
            root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
            root.write(
                "/boot/grub/grub.cfg",
                "menuentry 'RHEL' {\n\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
            )
            root.write("/boot/efi/EFI/redhat/grubx64.efi", grub)
            root.write("/boot/loader/loader.conf", "timeout 3\n")
            for target in ["kvm", "hyperv-gen2"] {
                let plan = try disk.plan(target)
                if row {
                    #expect(plan.outcome == .notKnown, "the partition may be on another disk")
                } else {
                    #expect(plan.refusal?.code == .noBootCode, "\(target)")
                }
            }
        }
    }

    /// rEFInd reads the root by a driver from beside itself.
    @Test(arguments: [false, true])
    func driversGoAlong(_ hasBoot: Bool) throws {
        let refind = TestProgram.bytes(sections: [(".data", wide("refind.conf"))])
        var files: [String: [UInt8]] = [
            "/EFI/refind/refind_x64.efi": refind, "/EFI/refind/refind.conf": Array("timeout 5\n".utf8),
            "/EFI/refind/drivers_x64/ext4_x64.efi": [1], "/EFI/refind/drivers_x64/btrfs_x64.efi": [2],
            "/EFI/refind/drivers_aa64/ext4_aa64.efi": [3], "/EFI/refind/icons/os.png": [4],
        ]
        if hasBoot { files["/EFI/BOOT/drivers_x64/ext4_x64.efi"] = [1] }
        let (disk, esp, _) = guest(files)
        try disk.apply(disk.plan("kvm"))
        #expect(esp.files[program] == refind)
        #expect(esp.files["/EFI/BOOT/drivers_x64/ext4_x64.efi"] == [1])
        #expect(esp.files["/EFI/BOOT/drivers_x64/btrfs_x64.efi"] == [2])
        #expect(esp.files["/EFI/BOOT/drivers_aa64/ext4_aa64.efi"] == nil)
        #expect(try disk.plan("kvm").actions.isEmpty)
    }

    /// What is not there is not all that is wrong.
    @Test func theCauseIsSaidWhereNoProgramIsThere() throws {
        func sentence(_ files: [String: [UInt8]]) throws -> String {
            let (disk, _, _) = guest(files)
            let refusal = try #require(try disk.plan("kvm").refusal)
            #expect(refusal.code == .noFallbackLoader)
            #expect(refusal.sentence.plain.contains("EFI/BOOT/BOOTX64.EFI is not there"))
            return refusal.sentence.plain
        }
        let other = "99999999-9999-4999-8999-999999999999"
        #expect(try sentence(with(["/EFI/debian/grub.cfg": stub(other)])).contains(other))
        var files = debian
        files["/EFI/debian/grub.cfg"] = nil
        #expect(try sentence(files).contains("/EFI/debian/grub.cfg is not there"))
        files["/EFI/debian/grubx64.efi"] = nil
        #expect(try sentence(files).contains("EFI/debian/grubx64.efi, which is not there"))
        #expect(try sentence(["/EFI/debian/grubx64.efi": []]).contains("EFI/debian/grubx64.efi is empty"))
    }

    @Test func namesThatAreBuiltIntoAKernelAreSaid() throws {
        func kernel(_ arguments: String) -> [UInt8] {
            TestProgram.bytes(sections: [
                (".osrel", [1]), (".cmdline", Array(arguments.utf8)), (".linux", [3]),
            ])
        }
        for place in [program, "/EFI/Linux/debian.efi"] {
            let (disk, _, _) = guest([place: kernel("root=/dev/sda2 ro\n\0")])
            let plan = try disk.plan("kvm")
            #expect(plan.outcome == .notKnown)
            #expect(plan.unknown?.sentence.plain.contains("root=/dev/sda2") == true)
            let name = String(place.dropFirst())
            #expect(
                plan.advice.contains {
                    $0.message.plain.contains(name) && $0.message.plain.contains("root=/dev/sda2")
                })
            let (good, _, _) = guest([place: kernel("root=UUID=\(rootUUID) ro")])
            #expect(try !good.plan("kvm").advice.contains { $0.message.plain.contains("built-in") })
        }
    }
}
