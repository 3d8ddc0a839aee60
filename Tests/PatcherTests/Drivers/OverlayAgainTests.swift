import GuestTree
import Initramfs
import Patcher
import Storage
import TestSupport
import Testing

private let piix = ["ext4", "scsi_mod", "sd_mod", "libata", "ata_piix"]

/// A guest that is moved again: what was added before is replaced, not piled up.
@Suite struct OverlayAgainTests {
    private static let name = "/boot/diskgraft-drivers-\(DriverGuest.release).img"

    private func overlays(_ guest: DriverGuest) -> [String] {
        guest.root.files.keys.filter { $0.contains("diskgraft-drivers") }.sorted()
    }

    @Test(arguments: [nil, "gzip", "lz4 -l"]) func thereAndBack(_ pack: String?) throws {
        let guest = try DriverGuest(holding: piix, pack: pack)
        guest.root.write("/etc/default/grub", "GRUB_DEFAULT=0\n")
        guest.root.write("/etc/grub.d/10_linux", "GRUB_EARLY_INITRD_LINUX_CUSTOM\n")
        var menu: [UInt8]?
        let moves: [(String, Controller)] = [
            ("kvm", .virtioBlk), ("kvm", .ahci), ("xenserver", .xenBlkfront), ("kvm", .virtioBlk),
            ("hyperv", .storvsc), ("kvm", .ahci), ("kvm", .ide),
        ]
        for (index, (target, controller)) in moves.enumerated() {
            let plan = try guest.plan(target, controller: controller)
            #expect(plan.refusal == nil, "\(controller): \(plan.refusal?.sentence.plain ?? "")")
            try guest.guest.apply(plan)
            #expect(overlays(guest) == [Self.name])
            // The menu names it from the first time on.
            let now = guest.root.files["/boot/grub/grub.cfg"]
            if index > 0 { #expect(now == menu, "\(controller)") }
            menu = now
            let again = try guest.plan(target, controller: controller)
            #expect(again.verdicts.map(\.drivers) == [.present], "\(controller)")
            #expect(again.actions.map(\.reason) == [], "\(controller)")
        }
        #expect(
            text(guest.root.files["/etc/default/grub"])
                == "GRUB_DEFAULT=0\nGRUB_EARLY_INITRD_LINUX_CUSTOM=\"\(Self.name.dropFirst(6))\"\n")
        // All that was added is there, and what the image had.
        for controller in [Controller.virtioBlk, .ahci, .ide] {
            #expect(try guest.plan("kvm", controller: controller).verdicts.map(\.drivers) == [.present])
        }
        // What was there once is not made anew for nothing.
        #expect(try guest.plan("kvm", controller: .virtioBlk).actions.isEmpty)
        // And what loads them names those of every move.
        let overlay = try #require(guest.root.files[Self.name])
        let contents = try InitramfsImage(ByteSource(overlay)).contents { _, _ in true }
        let scripts = contents.entries.compactMap { contents.bytes(of: $0.path) }
            .map { String(decoding: $0, as: UTF8.self) }.filter { $0.contains("modprobe -d /diskgraft ") }
        #expect(!scripts.isEmpty)
        for module in ["virtio_blk", "ahci", "xen_blkfront", "hv_storvsc"] {
            #expect(scripts.allSatisfy { $0.contains(module) }, "\(module)")
        }
    }

    /// Where the modules have no directory of their own, as for Alpine's initramfs and booster's.
    @Test(arguments: [
        "mkdir sbin etc; : >sbin/nlplug-findfs; : >init",
        "mkdir etc; : >init; echo 'kernel: 1' >etc/booster.init.yaml",
    ]) func modulesOfTheImagesOwn(_ marks: String) throws {
        let guest = try DriverGuest(holding: nil)
        let place = "usr/lib/modules/\(marks.contains("booster") ? "" : DriverGuest.release)"
        let held = piix.map { ": >\(place)/\($0).ko\n" }.joined()
        guest.root.write(
            "/boot/initrd.img-\(DriverGuest.release)",
            try guest.archive("mkdir -p \(place); ln -s usr/lib lib\n\(held)\n\(marks)", pack: "gzip"))
        for controller in [Controller.virtioBlk, .ahci, .virtioBlk] {
            let plan = try guest.plan("kvm", controller: controller)
            #expect(plan.refusal == nil)
            try guest.guest.apply(plan)
            #expect(overlays(guest) == [Self.name])
        }
        for controller in [Controller.virtioBlk, .ahci, .ide] {
            #expect(try guest.plan("kvm", controller: controller).verdicts.map(\.drivers) == [.present])
        }
    }

    /// The change is shown as one of a file, and no bytes of it on a terminal.
    @Test func whatIsShown() throws {
        let guest = try DriverGuest(holding: piix)
        let first = try guest.plan("kvm", controller: .ahci)
        #expect(text(PlanText.diff(of: first)).contains("Binary files /dev/null and b\(Self.name) differ\n"))
        try guest.guest.apply(first)
        let plan = try guest.plan("kvm", controller: .virtioBlk)
        #expect(plan.actions.map { $0.edit?.file.displayPath }.first == Self.name)
        #expect(
            text(PlanText.diff(of: plan)).contains("Binary files a\(Self.name) and b\(Self.name) differ\n"))
        let words = text(PlanText.summary(of: plan, guestTitle: "A"))
        #expect(words.contains("change: replace \(Self.name): the guest's own drivers for virtio-blk"))
    }

    /// An overlay that entries of other images name too stays as it is.
    @Test func anOverlayOfTwoImages() throws {
        let menu =
            "set default=0\n" + DriverGuest.entry("New", initrd: "/boot/new.img \(Self.name)")
            + DriverGuest.entry("Old", initrd: "/boot/old.img \(Self.name)")
        let guest = try DriverGuest(holding: piix)
        try guest.guest.apply(try guest.plan("kvm", controller: .ahci))
        guest.root.write("/boot/grub/grub.cfg", menu)
        guest.root.write("/boot/new.img", try guest.image(piix))
        guest.root.write("/boot/old.img", try guest.image(piix))
        let old = guest.root.files[Self.name]
        try guest.guest.apply(try guest.plan("kvm", controller: .virtioBlk))
        #expect(guest.root.files[Self.name] == old)
        #expect(overlays(guest).count > 1)
        #expect(
            try guest.plan("kvm", controller: .virtioBlk).verdicts.map(\.drivers) == [.present, .present])
    }

    /// A file of that name that somebody else made is none of it.
    @Test func aFileOfThatName() throws {
        let menu = DriverGuest.entry("Debian", initrd: Self.name)
        let guest = try DriverGuest(holding: nil, menu: menu)
        guest.root.write(Self.name, try guest.image(piix))
        let before = guest.root.files[Self.name]
        try guest.guest.apply(try guest.plan("kvm", controller: .ahci))
        #expect(guest.root.files[Self.name] == before)
        #expect(overlays(guest).count == 2)
        #expect(try guest.plan("kvm", controller: .ahci).verdicts.map(\.drivers) == [.present])
    }

    /// GRUB of old takes one file: image and drivers are one, and are put together again.
    @Test func oneFile() throws {
        let guest = try DriverGuest(holding: piix, pack: "gzip")
        guest.root.remove("/boot/grub/grub.cfg")
        guest.root.write(
            "/boot/grub/menu.lst",
            "default 0\ntitle Debian\nroot (hd0,0)\nkernel /boot/vmlinuz-\(DriverGuest.release) root=UUID=\(DriverGuest.rootUUID) ro\ninitrd /boot/initrd.img-\(DriverGuest.release)\n"
        )
        var sizes: [Int] = []
        for controller in [Controller.ahci, .virtioBlk, .ahci, .virtioBlk] {
            let plan = try guest.plan("kvm", controller: controller)
            #expect(plan.refusal == nil)
            try guest.guest.apply(plan)
            #expect(overlays(guest) == [Self.name])
            #expect(try guest.plan("kvm", controller: controller).verdicts.map(\.drivers) == [.present])
            #expect(try guest.plan("kvm", controller: controller).actions.isEmpty)
            let bytes = try #require(guest.root.files[Self.name])
            sizes.append(bytes.count)
            // What was added before is not kept beside it.
            let entries = try InitramfsImage(ByteSource(bytes)).contents().entries
            #expect(entries.count { $0.path == Array("diskgraft".utf8) } == 1)
        }
        // A driver that is there already changes nothing.
        #expect(sizes[1] == sizes[2] && sizes[2] == sizes[3])
        #expect(text(guest.root.files["/boot/grub/menu.lst"]).contains("initrd \(Self.name)\n"))
    }

    /// Only what is more than before needs room.
    @Test func roomOfAReplacement() throws {
        var guest = try DriverGuest(holding: piix)
        try guest.guest.apply(try guest.plan("kvm", controller: .virtioBlk))
        guest.guest.volumes[0].identity.blockSize = 1024
        guest.guest.volumes[0].identity.freeByteCount = 4096
        let plan = try guest.plan("kvm", controller: .ahci)
        #expect(plan.verdicts.map(\.drivers) == [.added(["ahci"])])
        guest.guest.volumes[0].identity.freeByteCount = 100
        guard
            case .missing(_, .noRoom(_, let needed, 100, _, _)) = try guest.plan("kvm", controller: .ahci)
                .verdicts[0].drivers
        else {
            Issue.record("there is room")
            return
        }
        #expect(needed <= 4096)
    }

    /// The guest's own tools write the next image beside this one.
    @Test func roomForTheNext() throws {
        var guest = try DriverGuest(holding: piix)
        guest.guest.volumes[0].identity.blockSize = 1024
        guest.guest.volumes[0].identity.freeByteCount = 0
        guard
            case .missing(_, .noRoom(_, let needed, _, _, _)) = try guest.plan("kvm", controller: .ahci)
                .verdicts[0].drivers
        else {
            Issue.record("there is room")
            return
        }
        guest.guest.volumes[0].identity.freeByteCount = needed + 512
        func advice() throws -> [Advice] {
            try guest.plan("kvm", controller: .ahci).advice.filter {
                $0.message.plain.contains("fewer than the next initramfs takes")
            }
        }
        #expect(try advice().count == 1)
        #expect(try advice().first?.isMinor == true)
        guest.guest.volumes[0].identity.freeByteCount = 1 << 30
        #expect(try advice().isEmpty)
    }
}

/// A kernel that leaves Hyper-V's disks to the synthetic driver beside one that does not: each has what it needs at once.
@Suite struct TwoKernelsOnHyperVTests {
    private let old = "2.6.32-754.el6.x86_64"

    @Test(arguments: [0, 1]) func onePlanIsEnough(_ number: Int) throws {
        let held = ["ext4", "scsi_mod", "sd_mod", "libata", "ahci"]
        let guest = try DriverGuest(holding: held)
        let modules = DriverGuest.modules.filter { $0.name != "xen_blkfront" }
        // The old kernel's modules, whose release their files say.
        let other = try DriverGuest(holding: held, modules: modules, release: old)
        for (path, bytes) in other.root.files where path.contains(old) { guest.root.write(path, bytes) }
        guest.root.write(
            "/boot/grub/grub.cfg",
            "set default=\(number)\n"
                + DriverGuest.entry("New", initrd: "/boot/initrd.img-\(DriverGuest.release)")
                + DriverGuest.entry("Old", initrd: "/boot/initrd.img-\(old)", release: old))
        for controller in [nil, Controller.ide, .storvsc] {
            let plan = try guest.plan("hyperv", controller: controller)
            #expect(plan.refusal == nil)
            #expect(
                plan.verdicts.allSatisfy {
                    if case .added = $0.drivers { true } else { $0.drivers == .present }
                })
        }
        try guest.guest.apply(try guest.plan("hyperv"))
        let again = try guest.plan("hyperv")
        #expect(again.actions.map(\.reason) == [])
        #expect(again.verdicts.allSatisfy { $0.drivers == .present })
    }
}

/// Menus that share an initramfs, of which one loader takes several files and one a single file.
@Suite struct SharedInitramfsTests {
    @Test(arguments: ["root (hd0)", "root (hd0,0)", ""]) func aMenuThatIsLeftOver(_ line: String) throws {
        var guest = try DriverGuest(holding: piix)
        let initrd = "/boot/initrd.img-\(DriverGuest.release)"
        guest.guest.bootCode = [.grub2]
        guest.root.write(
            "/boot/grub/menu.lst",
            "default 0\ntitle Old\n\(line)\nkernel /boot/vmlinuz-\(DriverGuest.release) root=UUID=\(DriverGuest.rootUUID)\ninitrd \(initrd)\n"
        )
        let plan = try guest.plan("kvm", controller: .virtioBlk)
        #expect(plan.refusal == nil)
        try guest.guest.apply(plan)
        #expect(try guest.plan("kvm", controller: .virtioBlk).actions.map(\.reason) == [])
    }
}
