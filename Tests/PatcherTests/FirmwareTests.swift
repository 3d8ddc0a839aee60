import Patcher
import Storage
import TestSupport
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"

/// A disk that UEFI alone starts: the ESP on partition 1, a Debian on partition 2.
private func guest(
    _ esp: [String: [UInt8]], isMounted: Bool = true
) -> (disk: TestGuest, esp: MemoryFileSystem, root: MemoryFileSystem) {
    var disk = TestGuest()
    disk.bootCode = [.none]
    let partition = disk.partition(1, .vfat, uuid: "ABCD-1234", type: "EFI System")
    let root = disk.partition(2, .ext4, uuid: rootUUID)
    root.write("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
    root.write(
        "/etc/fstab",
        "UUID=\(rootUUID) / ext4 defaults 0 1\n"
            + (isMounted ? "UUID=ABCD-1234 /boot/efi vfat umask=0077 0 1\n" : "")
    )
    root.write("/boot/vmlinuz-6.1.0", "kernel")
    root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
    root.write(
        "/boot/grub/grub.cfg",
        "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
    )
    root.makeDirectory("/boot/efi")
    for (path, bytes) in esp { partition.write(path, bytes) }
    return (disk, partition, root)
}

private let stub = Array(
    "search.fs_uuid \(rootUUID) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n".utf8)

/// Carries a plan out, copies too, and looks that a second one is empty.
private func patch(_ disk: TestGuest, _ target: String = "kvm") throws -> Plan {
    let plan = try disk.plan(target)
    try disk.apply(plan)
    #expect(try disk.plan(target).actions.isEmpty, "a second run must find nothing to do")
    return plan
}

private func reasonCode(_ plan: Plan) -> String? { plan.refusal?.code.rawValue }

@Suite struct FirmwareTests {
    /// Red Hat's GRUB for UEFI has no `linux16`; which commands a core has, its modules' texts say.
    @Test(arguments: [
        (["linux", "linuxefi", "initrdefi"], true), (["linux", "linux16", "initrd16"], false), ([], false),
    ])
    func commandsOfTheStartedGRUB(_ commands: [String], _ isChanged: Bool) throws {
        let grub = TestProgram.grub(prefix: "/EFI/debian", commands: commands)
        let (disk, _, root) = guest(["/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub])
        let menu = String(decoding: root.files["/boot/grub/grub.cfg"] ?? [], as: UTF8.self)
        let old = menu.replacing("\tlinux ", with: "\tlinux16 ").replacing("\tinitrd ", with: "\tinitrd16 ")
        root.write("/boot/grub/grub.cfg", old)
        #expect(try (disk.plan("kvm", skip: [.efi]).stop == .loaderCommandMissing) == isChanged)
        _ = try patch(disk)
        let after = String(decoding: root.files["/boot/grub/grub.cfg"] ?? [], as: UTF8.self)
        #expect(after == (isChanged ? menu : old))
    }

    /// What stands behind a test may be there for the firmware that has it.
    @Test func commandsBehindATestAreLeftAlone() throws {
        let grub = TestProgram.grub(prefix: "/EFI/debian", commands: ["linux"])
        let (disk, _, root) = guest(["/EFI/BOOT/BOOTX64.EFI": grub, "/EFI/debian/grub.cfg": stub])
        let menu = """
            menuentry 'Debian' {
            \tif [ x$grub_platform = xefi ]; then
            \t\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro
            \t\tinitrd /boot/initrd.img-6.1.0
            \telse
            \t\tlinux16 /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro
            \t\tinitrd16 /boot/initrd.img-6.1.0
            \tfi
            }

            """
        root.write("/boot/grub/grub.cfg", menu)
        #expect(try disk.plan("kvm").actions.isEmpty)
        root.write("/boot/grub/grub.cfg", menu.replacing("linux /", with: "linuxefi /"))
        #expect(try disk.plan("kvm").actions.isEmpty)
    }

    /// A BIOS loads commands from modules beside the menu, and command.lst lists them.
    @Test func commandsOfABIOSsGRUB() throws {
        var disk = TestGuest()
        disk.bootCode = [.grub2]
        let root = disk.partition(1, .ext4, uuid: rootUUID)
        root.write("/etc/os-release", "ID=debian\n")
        root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\n")
        root.write("/boot/vmlinuz-6.1.0", "kernel")
        root.write("/boot/initrd.img-6.1.0", "-rom1fs-")
        let menu =
            "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
        let old = menu.replacing("\tlinux ", with: "\tlinuxefi ").replacing("\tinitrd ", with: "\tinitrdefi ")
        root.write("/boot/grub/grub.cfg", old)
        #expect(try disk.plan("kvm").actions.isEmpty, "no list: nobody knows")
        root.write(
            "/boot/grub/i386-pc/command.lst", "*linux: linux\nlinuxefi: linuxefi\ninitrdefi: linuxefi\n")
        #expect(try disk.plan("kvm").actions.isEmpty)
        root.write(
            "/boot/grub/i386-pc/command.lst", "*acpi: acpi\n*linux: linux\ninitrd: linux\nlinux16: linux16\n")
        #expect(try disk.plan("kvm", skip: [.efi]).stop == .loaderCommandMissing)
        _ = try patch(disk)
        #expect(String(decoding: root.files["/boot/grub/grub.cfg"] ?? [], as: UTF8.self) == menu)
    }

    @Test func shimComesWithGRUBAndKeyManagerAndWithoutFallback() throws {
        let shim = TestProgram.shim(issuer: "Microsoft Corporation UEFI CA 2011")
        let grub = TestProgram.grub(prefix: "/EFI/debian", issuer: "Debian Secure Boot CA")
        let (disk, esp, _) = guest([
            "/EFI/debian/shimx64.efi": shim, "/EFI/debian/grubx64.efi": grub,
            "/EFI/debian/mmx64.efi": TestProgram.bytes(), "/EFI/debian/fbx64.efi": TestProgram.bytes(),
            "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try patch(disk)
        let files = esp.files
        #expect(files["/EFI/BOOT/BOOTX64.EFI"] == shim)
        #expect(files["/EFI/BOOT/grubx64.efi"] == grub)
        #expect(files["/EFI/BOOT/mmx64.efi"] != nil && files["/EFI/BOOT/fbx64.efi"] == nil)
        #expect(files["/EFI/BOOT/grub.cfg"] == nil, "its built-in prefix leads to its own directory")
        #expect(plan.actions.allSatisfy { $0.repairs == [.efi] })
        let path = try #require(plan.boot.first)
        #expect(path.firmware == .uefi && plan.boot.count == 1)
        #expect(
            path.steps.map(\.place) == [
                "p1:/EFI/BOOT/BOOTX64.EFI", "p1:/EFI/BOOT/grubx64.efi", "p1:/EFI/debian/grub.cfg",
                "p2:/boot/grub/grub.cfg", "/boot/vmlinuz-6.1.0",
            ])
        #expect(path.steps.allSatisfy { $0.isThere == true })
        #expect(path.steps[0].isNew && path.steps[0].signers == ["Microsoft Corporation UEFI CA 2011"])
        #expect(path.steps[1].signers == ["Debian Secure Boot CA"] && path.steps[1].what == "grub")
    }

    @Test func aGRUBAloneIsCopied() throws {
        let grub = TestProgram.grub(prefix: "/EFI/debian")
        let (disk, esp, _) = guest(["/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub])
        try #expect(patch(disk).outcome == .bootsWithEdits)
        #expect(esp.files["/EFI/BOOT/BOOTX64.EFI"] == grub && esp.files.count == 3)
    }

    /// What is built in leads nowhere: GRUB reads what lies beside it, so that goes along.
    @Test func aGRUBThatReadsBesideItselfTakesItsConfigurationAlong() throws {
        let grub = TestProgram.grub(prefix: "/boot/grub")
        let (disk, esp, _) = guest(["/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub])
        let plan = try patch(disk)
        #expect(esp.files["/EFI/BOOT/grub.cfg"] == stub)
        #expect(plan.boot.first?.steps.last?.place == "/boot/vmlinuz-6.1.0")
    }

    @Test func systemdBootAndUnifiedKernels() throws {
        let (disk, esp, _) = guest([
            "/EFI/systemd/systemd-bootx64.efi": TestProgram.systemdBoot,
            "/loader/entries/debian.conf": Array(
                "title Debian\nlinux /vmlinuz\ninitrd /initrd.img\noptions root=UUID=\(rootUUID) ro\n".utf8),
            "/vmlinuz": [1], "/initrd.img": Array("-rom1fs-".utf8),
        ])
        _ = try patch(disk)
        #expect(esp.files["/EFI/BOOT/BOOTX64.EFI"] == TestProgram.systemdBoot)
        let (other, kernels, _) = guest([
            "/EFI/Linux/debian-6.1.9.efi": TestProgram.bytes(sections: [(".osrel", []), (".linux", [9])]),
            "/EFI/Linux/debian-6.1.10.efi": TestProgram.unifiedKernel,
        ])
        let plan = try patch(other)
        #expect(kernels.files["/EFI/BOOT/BOOTX64.EFI"] == TestProgram.unifiedKernel, "the newest of them")
        #expect(plan.boot.first?.steps.last?.what == "unified-kernel")
    }

    @Test func whatWorksIsLeftAlone() throws {
        let csv = Array("shimx64.efi,debian,,\n".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] })
        let shim = TestProgram.shim()
        let (disk, _, _) = guest([
            "/EFI/BOOT/BOOTX64.EFI": shim, "/EFI/BOOT/fbx64.efi": TestProgram.bytes(),
            "/EFI/debian/shimx64.efi": shim, "/EFI/debian/BOOTX64.CSV": csv,
            "/EFI/debian/grubx64.efi": TestProgram.grub(prefix: "/EFI/debian"), "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try disk.plan("hyperv-gen2")
        #expect(plan.outcome == .boots && plan.actions.isEmpty)
        #expect(!plan.advice.contains { $0.repair == .efi })
        #expect(plan.boot.first?.steps.map(\.what).prefix(4) == ["shim", "shim-fallback", "shim", "grub"])
    }

    /// shim with fallback.efi and no list resets the machine for ever.
    @Test func theTrapOfFallbackWithoutAList() throws {
        let shim = TestProgram.shim()
        let (disk, esp, _) = guest([
            "/EFI/BOOT/BOOTX64.EFI": shim, "/EFI/BOOT/fbx64.efi": TestProgram.bytes(),
            "/EFI/debian/shimx64.efi": shim,
            "/EFI/debian/grubx64.efi": TestProgram.grub(prefix: "/EFI/debian"), "/EFI/debian/grub.cfg": stub,
        ])
        _ = try patch(disk)
        let list = try #require(esp.files["/EFI/debian/BOOTX64.CSV"])
        #expect(
            list.starts(with: Array("shimx64.efi,debian,,".utf16.flatMap { [UInt8($0 & 0xff), UInt8(0)] })))
        let (other, bare, _) = guest([
            "/EFI/BOOT/BOOTX64.EFI": shim, "/EFI/BOOT/fbx64.efi": TestProgram.bytes(),
            "/EFI/BOOT/grubx64.efi": TestProgram.grub(prefix: "/EFI/debian"), "/EFI/debian/grub.cfg": stub,
        ])
        _ = try patch(other)
        #expect(bare.files["/EFI/BOOT/fbx64.efi"] == nil && bare.files["/EFI/BOOT/fbx64.efi.off"] != nil)
    }

    @Test func shimWithoutItsLoaderGetsIt() throws {
        let shim = TestProgram.shim()
        let grub = TestProgram.grub(prefix: "/EFI/debian")
        let (disk, esp, _) = guest([
            "/EFI/BOOT/BOOTX64.EFI": shim, "/EFI/debian/grubx64.efi": grub, "/EFI/debian/grub.cfg": stub,
        ])
        _ = try patch(disk)
        #expect(esp.files["/EFI/BOOT/grubx64.efi"] == grub)
    }

    @Test func whatCannotBeMadeIsRefused() throws {
        let shim = TestProgram.shim()
        let (alone, _, _) = guest(["/EFI/BOOT/BOOTX64.EFI": shim])
        #expect(try reasonCode(alone.plan("kvm")) == "no-fallback-loader")
        let csv = Array("gone.efi,debian,,\n".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] })
        let (stale, _, _) = guest([
            "/EFI/BOOT/BOOTX64.EFI": shim, "/EFI/BOOT/fbx64.efi": TestProgram.bytes(),
            "/EFI/debian/BOOTX64.CSV": csv,
        ])
        let plan = try stale.plan("hyperv-gen2")
        #expect(reasonCode(plan) == "no-fallback-loader" && plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("gone.efi") == true)
        let (empty, _, _) = guest(["/notes.txt": [1]])
        try #expect(reasonCode(empty.plan("hyperv-gen2")) == "no-boot-code")
        #expect(try reasonCode(empty.plan("kvm")) == "no-boot-code")
    }

    /// A disk that a BIOS starts too needs no loader for UEFI unless the target has nothing else.
    @Test func aBIOSNeedsNone() throws {
        var (disk, esp, _) = guest([
            "/EFI/debian/grubx64.efi": TestProgram.grub(prefix: "/EFI/debian"), "/EFI/debian/grub.cfg": stub,
        ])
        disk.bootCode = [.grub2]
        for target in ["kvm", "hyperv", "vmware"] {
            let plan = try disk.plan(target)
            #expect(plan.actions.isEmpty && !plan.advice.contains { $0.repair == .efi }, "\(target)")
            #expect(plan.machine.firmware == .bios && plan.boot.map(\.firmware) == [.bios], "\(target)")
        }
        _ = try patch(disk, "hyperv-gen2")
        #expect(esp.files["/EFI/BOOT/BOOTX64.EFI"] != nil)
        #expect(try disk.plan("kvm").machine.firmware == .either)
        #expect(try disk.plan("hyperv").actions.isEmpty, "nothing is taken away on the way back")
        esp.remove("/EFI/debian/grub.cfg")
    }

    @Test func neverMeansNever() throws {
        let (disk, _, _) = guest([
            "/EFI/debian/grubx64.efi": TestProgram.grub(prefix: "/EFI/debian"), "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try disk.plan("kvm", skip: [.efi])
        #expect(plan.actions.isEmpty && plan.advice.contains { $0.repair == .efi && !$0.isMinor })
        let system = try #require(try disk.survey().guests.first)
        var request = PlanRequest(target: try #require(Target.named("kvm")))
        request.addsFallbackLoader = false
        let never = try Planner.plan(system, request)
        #expect(never.actions.isEmpty && never.refusal == nil)
        #expect(never.advice.contains { $0.message.plain.contains("EFI/BOOT/BOOTX64.EFI is not there") })
    }

    /// Without a row of the fstab the system mounts the partition by itself, where its directory is empty.
    @Test func aPartitionWithoutARowIsInTheTree() throws {
        let (disk, esp, root) = guest(
            [
                "/EFI/debian/grubx64.efi": TestProgram.grub(prefix: "/EFI/debian"),
                "/EFI/debian/grub.cfg": stub,
            ],
            isMounted: false)
        #expect(try disk.survey().guests.first?.mounts.map(\.path) == ["/", "/boot/efi"])
        _ = try patch(disk)
        #expect(esp.files["/EFI/BOOT/BOOTX64.EFI"] != nil)
        root.write("/boot/efi/README", "not empty")
        #expect(try disk.survey().guests.first?.mounts.map(\.path) == ["/"])
    }

    /// Even where another one's program leads to a menu too.
    @Test(arguments: ["arch", "zorin"]) func theOwnDirectoryComesFirst(_ other: String) throws {
        let own = TestProgram.grub(prefix: "/EFI/debian")
        let (disk, esp, _) = guest([
            "/EFI/\(other)/grubx64.efi": TestProgram.grub(prefix: "/EFI/\(other)"),
            "/EFI/\(other)/grub.cfg": stub, "/EFI/debian/grubx64.efi": own, "/EFI/debian/grub.cfg": stub,
        ])
        let plan = try patch(disk)
        #expect(esp.files["/EFI/BOOT/BOOTX64.EFI"] == own)
        #expect(plan.advice.contains { $0.message.plain.contains("EFI/debian is what a new machine starts") })
    }

    @Test func anotherMachine() throws {
        let (disk, esp, _) = guest([
            "/EFI/debian/grubaa64.efi": TestProgram.bytes(machine: 0xaa64, sections: [("x", [1])])
        ])
        _ = try patch(disk)
        #expect(esp.files["/EFI/BOOT/BOOTAA64.EFI"] != nil && esp.files["/EFI/BOOT/BOOTX64.EFI"] == nil)
    }

    /// Heads and tables that lie are read within their bounds.
    @Test func programsThatLie() throws {
        let good = TestProgram.grub(prefix: "/EFI/debian", issuer: "A")
        for count in stride(from: 0, through: good.count, by: 7) {
            let (disk, _, _) = guest(["/EFI/debian/grubx64.efi": Array(good.prefix(count))])
            _ = try disk.plan("kvm")
        }
        for place in [60, 70, 84, 196, 232, 236, 328 + 8, 328 + 16, 328 + 20, 368 + 16, 368 + 20] {
            var bytes = good
            bytes.replaceSubrange(place..<place + 4, with: [0xff, 0xff, 0xff, 0x7f])
            let (disk, _, _) = guest(["/EFI/debian/grubx64.efi": bytes])
            _ = try disk.plan("kvm")
        }
        #expect(GRUBCore(modules: Array("mimg".utf8) + [UInt8](repeating: 0xff, count: 40)) == nil)
    }
}
