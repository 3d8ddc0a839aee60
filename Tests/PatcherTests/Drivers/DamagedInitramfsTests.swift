import Patcher
import Storage
import Testing

private let virtio = ["ext4", "virtio", "virtio_ring", "virtio_pci", "virtio_blk"]

/// An initramfs that Linux does not unpack to its end: nobody can count on the boot, whatever stands before that place.
@Suite struct DamagedInitramfsTests {
    private static let path = "/boot/initrd.img-\(DriverGuest.release)"

    private func guest(_ image: (DriverGuest) throws -> [UInt8]) throws -> DriverGuest {
        let guest = try DriverGuest(holding: nil)
        guest.root.write(Self.path, try image(guest))
        return guest
    }

    private func fate(_ plan: Plan) -> InitramfsDamage.Fate? {
        guard case .cannot(.initramfsDamaged(let damage, _))? = plan.verdicts.first?.outcome else {
            return nil
        }
        return damage.fate
    }

    /// All modules stand before the damage, and the guest is refused all the same.
    @Test(arguments: [nil, "gzip", "xz --check=crc32", "zstd -q", "bzip2"]) func damageBehindTheModules(
        _ pack: String?
    ) throws {
        let guest = try guest { guest in
            var bytes = try guest.archive(
                """
                mkdir -p a/lib/modules conf/conf.d scripts/init-top; : >scripts/functions; : >init
                for name in \(virtio.joined(separator: " ")); do : >a/lib/modules/$name.ko; done
                seq 1 200000 >zzz
                """, pack: pack)
            bytes.removeLast(pack == nil ? 400_000 : 200)
            return bytes
        }
        let plan = try guest.plan("kvm")
        #expect(fate(plan) == .cutOff)
        #expect(plan.refusal?.code == .defaultCannot)
        #expect(plan.actions.isEmpty)
        let words = try #require(plan.refusal).sentence.plain
        #expect(words.contains("\(Self.path) is damaged ("))
        #expect(words.contains("make it anew in the running guest"))
        guard case .unreadable = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
    }

    /// A checksum that is wrong leaves every byte in doubt.
    @Test func aWrongChecksum() throws {
        let guest = try guest { guest in
            var bytes = try guest.archive(
                "mkdir -p conf/conf.d scripts/init-top; : >init; head -c 300000 /dev/urandom >zzz",
                pack: "gzip")
            bytes[bytes.count - 8] ^= 1
            return bytes
        }
        #expect(fate(try guest.plan("kvm")) == .cutOff)
    }

    /// Linux starts as if there were no initramfs.
    @Test func whatIsNone() throws {
        for bytes in [Array("MZ, no initramfs".utf8), [UInt8](repeating: 0, count: 4096)] {
            let plan = try guest { _ in bytes }.plan("kvm")
            #expect(fate(plan) == .unused)
            #expect(plan.actions.isEmpty)
            #expect(plan.refusal?.sentence.plain.contains("Linux starts without it") == true)
        }
        // Early microcode alone is sound, and what is behind it is not.
        let early = try guest { guest in
            try guest.archive(
                "mkdir -p kernel/x86/microcode; echo x >kernel/x86/microcode/GenuineIntel.bin")
                + [0x1f, 0x8b, 8, 0, 1, 2, 3]
        }
        #expect(fate(try early.plan("kvm")) == .unused)
    }

    /// Behind a whole archive nothing is lost: Linux says so, and goes on.
    @Test func somethingBehindIt() throws {
        for pack in [nil, "gzip", "lz4 -l"] {
            let guest = try guest { guest in
                var bytes = try guest.image(virtio, pack: pack)
                while bytes.count % 4 != 0 { bytes.append(0) }
                return bytes + Array("what no archive is".utf8)
            }
            let plan = try guest.plan("kvm")
            #expect(plan.verdicts[0].outcome == .boots)
            #expect(plan.verdicts[0].drivers == .present)
            #expect(plan.verdicts[0].notes.map(\.code) == [.initramfsEndsEarly])
            // What is added goes in front of it.
            let added = try guest.plan("kvm", controller: .ahci)
            #expect(added.verdicts[0].drivers.isKnown, "\(added.verdicts[0].drivers)")
            #expect(added.refusal == nil)
            try guest.guest.apply(added)
            let menu = text(guest.root.files["/boot/grub/grub.cfg"])
            #expect(menu.contains("initrd /boot/diskgraft-drivers-\(DriverGuest.release).img \(Self.path)"))
            #expect(try guest.plan("kvm", controller: .ahci).actions.isEmpty)
        }
    }

    /// A whole initramfs and one odd entry behind it: Linux has unpacked what stands before.
    @Test(arguments: [nil, "zstd -q", "gzip"]) func anOddEntryBehindIt(_ pack: String?) throws {
        func header(_ name: String, size: String = "00000000", nameSize: String? = nil) -> [UInt8] {
            let digits = String(name.utf8.count + 1, radix: 16)
            let count = nameSize ?? String(repeating: "0", count: 8 - digits.count) + digits
            let fields = "00000001" + "000081a4" + String(repeating: "0", count: 16) + "00000001" + "00000000"
            let text = "070701\(fields)\(size)\(String(repeating: "0", count: 32))\(count)00000000\(name)\0"
            let bytes = Array(text.utf8)
            return bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        }
        func plan(_ tail: [UInt8]) throws -> Plan {
            try guest { guest in
                var bytes = try guest.image(virtio, pack: pack)
                while bytes.count % 4 != 0 { bytes.append(0) }
                return bytes + tail
            }.plan("kvm")
        }
        for tail in [header("x", size: "ffffffff"), Array("0123, no header".utf8)] {
            let plan = try plan(tail)
            #expect(plan.verdicts[0].outcome == .boots)
            #expect(plan.verdicts[0].drivers == .present)
            #expect(plan.verdicts[0].notes.map(\.code) == [.initramfsEndsEarly])
        }
        // Linux says nothing of this one.
        let passed = try plan(header("", nameSize: "00000000") + [0])
        #expect(passed.verdicts[0].notes.map(\.code) == [])
        #expect(passed.verdicts[0].drivers == .present)
        // What it makes of these nobody knows here.
        for tail in [
            header("../../etc/passwd"), header("/etc/passwd"), header("init") + header("y", size: "ffffffff"),
        ] {
            let plan = try plan(tail)
            #expect(plan.refusal == nil)
            #expect(!plan.areDriversKnown)
            guard case .unreadable = plan.verdicts[0].drivers else {
                Issue.record("\(plan.verdicts[0].drivers)")
                continue
            }
            #expect(plan.verdicts[0].notes.map(\.code) == [.initramfsEndsEarly])
        }
    }

    /// One with more entries than are read gets a verdict, and the plan is made.
    @Test func moreEntriesThanAreRead() throws {
        let entry = Array(
            ("0707010000000100" + "0081a4" + String(repeating: "0", count: 16) + "00000001"
                + String(repeating: "0", count: 48)
                + "00000002" + "00000000" + "x\0").utf8)
        let guest = try guest { _ in [UInt8](Array(repeating: entry, count: 200_001).joined()) }
        let plan = try guest.plan("kvm")
        #expect(plan.refusal == nil)
        guard case .unreadable(let why) = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        #expect(why.contains("more than 200000 entries"))
    }

    /// Kernels that throw all of it away, or stop at once.
    @Test func olderKernelsTakeAllOrNothing() throws {
        func fate(_ release: String, _ configuration: String) throws -> InitramfsDamage.Fate? {
            let guest = try DriverGuest(holding: virtio, release: release)
            var bytes = try #require(guest.root.files["/boot/initrd.img-\(release)"])
            while bytes.count % 4 != 0 { bytes.append(0) }
            guest.root.write("/boot/initrd.img-\(release)", bytes + Array("junk".utf8))
            guest.root.write("/boot/config-\(release)", configuration)
            return self.fate(try guest.plan("kvm"))
        }
        #expect(try fate("2.6.18-194.el5", "CONFIG_BLK_DEV_RAM=m\n") == .unused)
        #expect(try fate("4.4.0-210-generic", "CONFIG_BLK_DEV_RAM=y\n") == .unused)
        #expect(try fate("4.4.0-210-generic", "CONFIG_BLK_DEV_RAM=m\n") == nil)
        #expect(try fate("5.15.0-91-generic", "CONFIG_BLK_DEV_RAM=y\n") == nil)
    }

    /// Names that lead out, and what unpacks to too much: nothing of that is taken, and nothing written.
    @Test func namesThatLeadOut() throws {
        let guest = try guest { guest in
            let bytes = try guest.archive("mkdir -p abcd; : >abcd/x; : >init")
            return bytes.replacing(Array("abcd/x".utf8), with: Array("../../".utf8))
        }
        let plan = try guest.plan("kvm")
        #expect(fate(plan) == .notRead)
        #expect(plan.actions.isEmpty)
    }

    /// The way out that there is.
    @Test func anEntryBesideIt() throws {
        let menu =
            "set default=0\n" + DriverGuest.entry("New", initrd: "/boot/new.img")
            + DriverGuest.entry("Old", initrd: "/boot/old.img")
        let guest = try DriverGuest(holding: nil, menu: menu)
        guest.root.write("/boot/new.img", Array("damaged".utf8))
        guest.root.write("/boot/old.img", try guest.image(virtio))
        let words = try #require(try guest.plan("kvm").refusal).sentence.plain
        #expect(words.contains("make “Old” the default there, whose initramfs is sound"))
    }
}

/// `--drivers fallback` where there is none.
@Suite struct NoFallbackTests {
    @Test func nothingIsDoneInItsPlace() throws {
        let guest = try DriverGuest(holding: ["ext4", "scsi_mod", "sd_mod", "libata", "ata_piix"])
        let plan = try guest.plan("kvm", drivers: .fallback)
        #expect(plan.refusal?.code == .noFallbackEntry)
        #expect(plan.way == .none)
        #expect(plan.actions.isEmpty)
        let words = text(PlanText.summary(of: plan, guestTitle: "A"))
        #expect(words.contains("no entry with a rescue or fallback initramfs"))
        #expect(!words.contains("by the rescue or fallback initramfs"))
    }

    @Test func anEntryThatCannotBecomeTheDefault() throws {
        let menu =
            "set default=0\n" + DriverGuest.entry("Linux", initrd: "/boot/initramfs-linux.img")
            + DriverGuest.entry("Linux fallback", initrd: "/boot/initramfs-linux-fallback.img")
        let guest = try DriverGuest(holding: nil, menu: menu)
        guest.root.write("/boot/initramfs-linux.img", try guest.image(["ext4"]))
        guest.root.write("/boot/initramfs-linux-fallback.img", try guest.image(virtio))
        var request = PlanRequest(target: .kvm, skip: [.defaultEntry])
        request.drivers = .fallback
        let system = try #require(try guest.guest.survey().guests.first)
        #expect(try Planner.plan(system, request).refusal?.code == .noFallbackEntry)
        request.drivers = .auto
        #expect(try Planner.plan(system, request).way != .fallback)
    }
}
