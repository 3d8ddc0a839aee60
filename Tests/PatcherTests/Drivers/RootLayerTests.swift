import Patcher
import Storage
import Testing

/// The root's whole stack has to be in the initramfs, as the controller's drivers have.
@Suite struct RootLayerTests {
    private static let virtio = ["ext4", "virtio", "virtio_ring", "virtio_pci", "virtio_blk"]
    private static let stack: [DriverGuest.Module] = [
        .init(name: "md_mod"), .init(name: "raid1", dependencies: ["md_mod"], aliases: ["md-level-1"]),
        .init(
            name: "raid456", dependencies: ["md_mod"], aliases: ["md-level-5", "md-level-4", "md-level-6"]),
        .init(name: "dm_mod", aliases: ["devname:mapper/control"]),
        .init(name: "dm_thin_pool", dependencies: ["dm_mod"]),
        .init(name: "dm_raid", dependencies: ["dm_mod", "md_mod", "raid456"]),
    ]

    private func drivers(
        holding held: [String], _ layers: [Volume.Layer], drivers: DriverSource = .auto
    ) throws -> EntryVerdict.Drivers {
        var guest = try DriverGuest(holding: Self.virtio + held, modules: DriverGuest.modules + Self.stack)
        guest.guest.volumes[0].layers = layers
        return try #require(try guest.plan("kvm", drivers: drivers).verdicts.first).drivers
    }

    @Test func arrays() throws {
        #expect(try drivers(holding: ["md_mod", "raid1"], [.array(level: 1)]) == .present)
        #expect(try drivers(holding: ["md_mod"], [.array(level: 1)]) == .added(["raid1"]))
        #expect(try drivers(holding: [], [.array(level: 5)]) == .added(["md_mod", "raid456"]))
        #expect(
            try drivers(holding: ["md_mod"], [.array(level: 1)], drivers: .never)
                == .missing(["raid1"], .unwanted))
    }

    @Test func logicalVolumes() throws {
        let linear = Volume.Layer.deviceMapper(target: "linear")
        #expect(try drivers(holding: ["dm_mod"], [linear]) == .present)
        #expect(try drivers(holding: [], [linear]) == .added(["dm_mod"]))
        #expect(
            try drivers(holding: ["dm_mod"], [linear, .deviceMapper(target: "thin-pool")])
                == .added(["dm_thin_pool"]))
        // Volumes on an array, mirrored by the device mapper besides.
        #expect(
            try drivers(
                holding: ["dm_mod", "md_mod", "raid1"],
                [.array(level: 1), linear, .deviceMapper(target: "raid"), .array(level: 1)])
                == .added(["raid456", "dm_raid"]))
        // What the kernel knows nothing of decides nothing: the guest has started with its root.
        #expect(try drivers(holding: ["dm_mod"], [linear, .deviceMapper(target: "vdo")]) == .present)
    }
}
