// The table of network cards; see TargetDevice+Storage.swift.

extension TargetDevice {
    /// Network cards, what a target gives a new machine first.
    package static let network: [TargetDevice] = [
        TargetDevice(
            "virtio-net", .network, targets: ["kvm", "gcp", "virtualbox"],
            routes: [
                [
                    .virtioBus(pci(0x1af4, 0x1000, 0x1af4, 0x0001, class: PCIClass.ethernet)),
                    DriverStep(
                        "virtio network card", aliases: [virtio(1)],
                        drivers: [NamedDriver("virtio_net", "VIRTIO_NET")]),
                ]
            ]),
        TargetDevice(
            "netvsc", .network, targets: ["hyperv", "hyperv-gen2", "azure"],
            routes: [
                [
                    .vmbus,
                    // f8615163-df3e-46c5-913f-f2d2f965ed0e
                    DriverStep(
                        "Hyper-V network card", aliases: ["vmbus:635161f83edfc546913ff2d2f965ed0e"],
                        drivers: [
                            NamedDriver("hv_netvsc", "HYPERV_NET"), NamedDriver("netvsc", "HYPERV_NET"),
                        ]),
                ]
            ]),
        TargetDevice(
            "xen-netfront", .network, targets: ["xenserver", "aws"],
            routes: [
                [
                    .xenPlatform,
                    DriverStep(
                        "Xen network card", aliases: ["xen:vif"],
                        drivers: [
                            NamedDriver("xen_netfront", "XEN_NETDEV_FRONTEND"),
                            NamedDriver("xennet", "XEN_NETDEV_FRONTEND"),
                            NamedDriver("xen_vnif", "XEN_NETDEV_FRONTEND"),
                        ]),
                ]
            ]),
        card("vmxnet3", ["vmware"], 0x15ad, 0x07b0, ("vmxnet3", "VMXNET3")),
        card("ena", ["aws"], 0x1d0f, 0xec20, ("ena", "ENA_ETHERNET")),
        card("ixgbevf", ["aws"], 0x8086, 0x10ed, ("ixgbevf", "IXGBEVF")),
        card("gve", ["gcp"], 0x1ae0, 0x0042, ("gve", "GVE")),
        card("mana", ["azure"], 0x1414, 0x00ba, ("mana", "MICROSOFT_MANA")),
        card("mlx5", ["azure"], 0x15b3, 0x1016, ("mlx5_core", "MLX5_CORE")),
        card("mlx4", ["azure"], 0x15b3, 0x1004, ("mlx4_core", "MLX4_CORE")),
        // The three kinds of e1000 that VMware, VirtualBox and QEMU emulate, one driver.
        card("e1000", ["kvm", "virtualbox"], 0x8086, 0x100e, ("e1000", "E1000")),
        card("e1000", ["vmware"], 0x8086, 0x100f, ("e1000", "E1000")),
        card("e1000", ["xenserver"], 0x8086, 0x100e, ("e1000", "E1000")),
        card("e1000e", ["vmware", "kvm"], 0x8086, 0x10d3, ("e1000e", "E1000E")),
        card("pcnet", ["vmware", "virtualbox"], 0x1022, 0x2000, ("pcnet32", "PCNET32")),
        // The emulated chip has the C+ mode, which the other driver leaves alone.
        card("rtl8139", ["xenserver", "kvm"], 0x10ec, 0x8139, ("8139cp", "8139CP"), acceptance: .named),
        // Generation 1's legacy card.
        card("tulip", ["hyperv"], 0x1011, 0x0009, ("tulip", "TULIP"), acceptance: .named),
    ]

    private static func card(
        _ name: String, _ targets: [String], _ vendor: UInt16, _ device: UInt16,
        _ driver: (name: String, configuration: String), acceptance: DriverStep.Acceptance = .any
    ) -> TargetDevice {
        TargetDevice(
            name, .network, targets: targets,
            routes: [
                [
                    DriverStep(
                        name, aliases: [pci(vendor, device, vendor, device, class: PCIClass.ethernet)],
                        drivers: [NamedDriver(driver.name, driver.configuration)], acceptance: acceptance)
                ]
            ])
    }
}
