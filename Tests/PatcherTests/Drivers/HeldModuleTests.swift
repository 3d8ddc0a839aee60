import Patcher
import Storage
import TestSupport
import Testing

private let held = [
    "ext4", "scsi_mod", "sd_mod", "virtio", "virtio_ring", "virtio_pci", "virtio_blk",
]
private let place = "usr/lib/modules/\(DriverGuest.release)"

/// Modules of an initramfs are there when the kernel that boots gets them, and not by their names alone.
@Suite struct HeldModuleTests {
    private func guest(then change: String, release: String? = nil) throws -> DriverGuest {
        let guest = try DriverGuest(holding: nil)
        guest.root.write(
            "/boot/initrd.img-\(DriverGuest.release)",
            try guest.image(held, release: release, then: change))
        return guest
    }

    /// They are added, and the plan after that finds nothing to do.
    private func expectAdded(_ guest: DriverGuest, _ names: [String]) throws {
        #expect(
            try guest.plan("kvm", controller: .virtioBlk, drivers: .never).refusal?.code == .defaultCannot)
        let plan = try guest.plan("kvm", controller: .virtioBlk)
        guard case .added(let added)? = plan.verdicts.first?.drivers else {
            Issue.record("\(String(describing: plan.verdicts.first?.drivers))")
            return
        }
        #expect(names.allSatisfy(added.contains), "\(added)")
        try guest.guest.apply(plan)
        let again = try guest.plan("kvm", controller: .virtioBlk)
        #expect(again.actions.isEmpty && again.outcome == .boots)
    }

    @Test func aWholeOneNeedsNothing() throws {
        let guest = try guest(then: ":")
        #expect(try guest.plan("kvm", controller: .virtioBlk).verdicts.map(\.drivers) == [.present])
    }

    @Test(arguments: [
        ": >\(place)/kernel/drivers/virtio_blk.ko",
        "head -c 100 ../any.ko >\(place)/kernel/drivers/virtio_blk.ko",
        "printf '\\267' | dd of=\(place)/kernel/drivers/virtio_blk.ko bs=1 seek=18 conv=notrunc status=none",
        "echo text >\(place)/kernel/drivers/virtio_blk.ko",
        "ln -sf nothing \(place)/kernel/drivers/virtio_blk.ko",
        "gzip -c ../any.ko | head -c 60 >\(place)/kernel/drivers/virtio_blk.ko.gz; rm \(place)/kernel/drivers/virtio_blk.ko",
    ])
    func aModuleThatIsNone(_ change: String) throws {
        try expectAdded(try guest(then: change), ["virtio_blk"])
    }

    /// What a driver depends on counts as the driver itself.
    @Test func aDependencyThatIsNone() throws {
        try expectAdded(try guest(then: ": >\(place)/kernel/drivers/virtio_ring.ko"), ["virtio_ring"])
    }

    /// `dracut -f IMAGE` without a release packs what runs.
    @Test func modulesOfAnotherReleaseAlone() throws {
        try expectAdded(try guest(then: ":", release: "6.1.0-1-amd64"), ["ext4", "virtio_pci", "virtio_blk"])
        // A directory of that name that leads to them is found.
        let linked = try guest(then: "ln -s 6.1.0-1-amd64 \(place)", release: "6.1.0-1-amd64")
        let drivers = try linked.plan("kvm", controller: .virtioBlk).verdicts.map(\.drivers)
        // They were built for the other, and say so.
        #expect(drivers != [.present])
    }

    /// modprobe finds nothing without the one, and nothing that a device asks for without the other.
    @Test(arguments: ["dep", "alias"]) func anIndexThatIsNotThere(_ index: String) throws {
        try expectAdded(try guest(then: "rm \(place)/modules.\(index)"), ["virtio_blk"])
        try expectAdded(try guest(then: ": >\(place)/modules.\(index)"), ["virtio_blk"])
        let binary = try guest(then: "mv \(place)/modules.\(index) \(place)/modules.\(index).bin")
        #expect(try binary.plan("kvm", controller: .virtioBlk).verdicts.map(\.drivers) == [.present])
    }
}
