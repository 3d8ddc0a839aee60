import Patcher
import Storage
import Testing

private let piix = ["ext4", "scsi_mod", "sd_mod", "libata", "ata_piix"]

/// Modules that a plan adds, and why it adds none.
@Suite struct DriverOverlayPlanTests {
    @Test func whatIsMissingIsAdded() throws {
        let plan = try DriverGuest(holding: piix).plan("kvm", controller: .ahci)
        #expect(plan.verdicts.map(\.drivers) == [.added(["ahci"])])
        #expect(plan.way == .overlay)
        #expect(plan.refusal == nil)
        #expect(plan.verdicts[0].summary.plain.hasSuffix("(drivers missing: ahci, added by the overlay)"))
        #expect(plan.areDriversKnown)
    }

    /// No other controller is taken where modules are asked for.
    @Test func onlyTheOverlay() throws {
        let guest = try DriverGuest(holding: piix)
        let plan = try guest.plan("kvm", drivers: .overlay)
        #expect(plan.controller == .virtioBlk)
        guard case .added(let names) = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        // Each before what needs it.
        #expect(names.first == "virtio")
        #expect(Set(names) == ["virtio", "virtio_ring", "virtio_pci", "virtio_blk"])
    }

    /// Carried out, the guest has them; and the way back is there too.
    @Test func onceItIsThere() throws {
        let guest = try DriverGuest(holding: piix)
        for controller in [Controller.ahci, .virtioBlk] {
            let plan = try guest.plan("kvm", controller: controller)
            try guest.guest.apply(plan)
            let again = try guest.plan("kvm", controller: controller)
            #expect(again.verdicts.map(\.drivers) == [.present])
            #expect(again.actions.map(\.reason) == [])
        }
        for controller in [Controller.ide, .ahci, .virtioBlk] {
            #expect(try guest.plan("kvm", controller: controller).verdicts.map(\.drivers) == [.present])
        }
    }

    @Test func noRoom() throws {
        var guest = try DriverGuest(holding: piix)
        guest.guest.volumes[0].identity.freeByteCount = 2048
        guest.guest.volumes[0].identity.blockSize = 1024
        let plan = try guest.plan("kvm", controller: .ahci)
        guard
            case .missing(
                ["ahci"], .noRoom(directory: "/boot", let needed, free: 2048, let controllers, _)) =
                plan.verdicts[0].drivers
        else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        #expect(needed > 2048)
        #expect(controllers == [.ide])
        #expect(plan.actions.isEmpty)
        let words = try #require(plan.refusal).sentence.plain
        #expect(words.contains("\(needed) bytes are needed, 2048 are free, \(needed - 2048) are missing"))
        #expect(words.contains("no room is needed with the controller ide"))
        guest.guest.volumes[0].identity.freeByteCount = needed
        #expect(try guest.plan("kvm", controller: .ahci).verdicts.map(\.drivers) == [.added(["ahci"])])
    }

    @Test func aFileSystemThatTakesNoFiles() throws {
        let guest = try DriverGuest(holding: piix)
        guest.root.capabilities = Capabilities(changes: .contents)
        let plan = try guest.plan("kvm", controller: .ahci)
        guard case .missing(["ahci"], .impossible(let why)) = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        #expect(why.contains("names can be read here and not changed"))
        #expect(plan.actions.isEmpty)
    }

    /// An image of nobody's making: nothing would load what is added.
    @Test func anUnknownGenerator() throws {
        let guest = try DriverGuest(holding: nil)
        guest.root.write(
            "/boot/initrd.img-\(DriverGuest.release)",
            try guest.archive("mkdir -p lib/modules; : >lib/modules/scsi_mod.ko; : >lib/modules/ext4.ko"))
        let plan = try guest.plan("kvm")
        guard case .missing(_, .impossible) = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        #expect(plan.way == .none)
        #expect(plan.refusal?.code == .defaultCannot)
        #expect(plan.actions.isEmpty)
    }

    /// Entries beside the default get theirs; a way that adds nothing adds nothing to the default.
    @Test func olderKernelsToo() throws {
        let menu =
            "set default=0\n" + DriverGuest.entry("New", initrd: "/boot/new.img")
            + DriverGuest.entry("Old", initrd: "/boot/old.img")
        let guest = try DriverGuest(holding: nil, menu: menu)
        guest.root.write("/boot/new.img", try guest.image(piix + ["ahci"]))
        guest.root.write("/boot/old.img", try guest.image(piix))
        let plan = try guest.plan("kvm", controller: .ahci)
        #expect(plan.way == .asIs)
        #expect(plan.verdicts.map(\.drivers) == [.present, .added(["ahci"])])
        let never = try guest.plan("kvm", controller: .ahci, drivers: .never)
        #expect(never.verdicts.map(\.drivers) == [.present, .missing(["ahci"], .unwanted)])
        #expect(never.refusal == nil)
    }
}
