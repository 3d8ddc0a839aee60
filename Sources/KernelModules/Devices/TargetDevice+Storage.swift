// The table of controllers. Identifiers: QEMU's docs/specs/pci-ids and device models, pci.ids, the vendors' documents; the
// bus's text: the kernel's scripts/mod/file2alias.c.

extension TargetDevice {
    /// Every controller that a target offers for the boot disk, by the names of the command line.
    package static let storage: [TargetDevice] = [
        // IDE. Drivers of before libata call the disks hda.
        ide(["kvm"], pci(0x8086, 0x7010, 0x1af4, 0x1100, class: PCIClass.ide)),
        ide(["xenserver"], pci(0x8086, 0x7010, 0x5853, 0x0001, class: PCIClass.ide)),
        ide(["hyperv", "azure"], pci(0x8086, 0x7111, 0, 0, class: PCIClass.ide)),
        ide(["vmware"], pci(0x8086, 0x7111, 0x15ad, 0x1976, class: PCIClass.ideBothModes)),
        ide(["virtualbox"], pci(0x8086, 0x7111, 0, 0, class: PCIClass.ideBothModes)),

        ahci(["kvm"], pci(0x8086, 0x2922, 0x1af4, 0x1100, class: PCIClass.ahci)),
        ahci(["vmware"], pci(0x15ad, 0x07e0, 0x15ad, 0x07e0, class: PCIClass.ahci)),
        ahci(["virtualbox"], pci(0x8086, 0x2829, 0, 0, class: PCIClass.ahci)),

        nvme(["kvm"], pci(0x1b36, 0x0010, 0x1af4, 0x1100, class: PCIClass.nvme)),
        nvme(["vmware"], pci(0x15ad, 0x07f0, 0x15ad, 0x07f0, class: PCIClass.nvme)),
        nvme(["virtualbox"], pci(0x80ee, 0x4e56, 0x80ee, 0x4e56, class: PCIClass.nvme)),
        nvme(["aws"], pci(0x1d0f, 0x8061, 0x1d0f, 0x0000, class: PCIClass.nvme)),
        nvme(["gcp"], pci(0x1ae0, 0x001f, 0x1ae0, 0x0001, class: PCIClass.nvme)),
        nvme(["azure"], pci(0x1414, 0x00a9, 0x1414, 0x0000, class: PCIClass.nvme)),

        lsi1030(["vmware"], pci(0x1000, 0x0030, 0x15ad, 0x1976, class: PCIClass.scsi)),
        lsi1030(["virtualbox"], pci(0x1000, 0x0030, 0x1000, 0x8000, class: PCIClass.scsi)),
        lsisas(["vmware"], pci(0x1000, 0x0054, 0x15ad, 0x1976, class: PCIClass.sas)),
        lsisas(["kvm"], pci(0x1000, 0x0054, 0x1000, 0x8000, class: PCIClass.scsi)),
        lsisas(["virtualbox"], pci(0x1000, 0x0054, 0x1000, 0x1000, class: PCIClass.scsi)),
        TargetDevice(
            "sym53c8xx", .storage, targets: ["kvm"],
            routes: [
                [
                    DriverStep(
                        "LSI 53c895a", aliases: [pci(0x1000, 0x0012, 0x1000, 0x1000, class: PCIClass.scsi)],
                        drivers: [NamedDriver("sym53c8xx", "SCSI_SYM53C8XX_2")]),
                    .scsiDisk,
                ]
            ]),
        TargetDevice(
            "megasas", .storage, targets: ["kvm"],
            routes: [
                [
                    DriverStep(
                        "LSI MegaRAID SAS",
                        aliases: [pci(0x1000, 0x0060, 0x1000, 0x1013, class: PCIClass.raid)],
                        drivers: [NamedDriver("megaraid_sas", "MEGARAID_SAS")]),
                    .scsiDisk,
                ]
            ]),
        TargetDevice(
            "buslogic", .storage, targets: ["vmware"],
            routes: [
                [
                    DriverStep(
                        "BusLogic BT-958",
                        aliases: [pci(0x104b, 0x1040, 0x104b, 0x1040, class: PCIClass.scsi)],
                        drivers: [NamedDriver("BusLogic", "SCSI_BUSLOGIC")]),
                    .scsiDisk,
                ]
            ]),
        TargetDevice(
            "am53c974", .storage, targets: ["kvm"],
            routes: [
                [
                    DriverStep(
                        "AMD 53c974", aliases: [pci(0x1022, 0x2020, 0x1022, 0x2020, class: PCIClass.scsi)],
                        drivers: [
                            NamedDriver("am53c974", "SCSI_AM53C974"), NamedDriver("tmscsim", "SCSI_DC390T"),
                        ]),
                    .scsiDisk,
                ]
            ]),
        TargetDevice(
            "pvscsi", .storage, targets: ["vmware", "kvm"],
            routes: [
                [
                    DriverStep(
                        "VMware PVSCSI", aliases: [pci(0x15ad, 0x07c0, 0x15ad, 0x07c0, class: PCIClass.sas)],
                        // VMware's tools brought it to kernels that had none, without "vmw_".
                        drivers: [
                            NamedDriver("vmw_pvscsi", "VMWARE_PVSCSI"),
                            NamedDriver("pvscsi", "VMWARE_PVSCSI"),
                        ]),
                    .scsiDisk,
                ]
            ]),

        // The transitional function, which kernels since 2.6.25 drive.
        TargetDevice(
            "virtio-blk", .storage, targets: ["kvm"],
            routes: [
                [
                    .virtioBus(pci(0x1af4, 0x1001, 0x1af4, 0x0002, class: PCIClass.scsi)),
                    DriverStep(
                        "virtio block device", aliases: [virtio(2)],
                        drivers: [NamedDriver("virtio_blk", "VIRTIO_BLK")]),
                ]
            ]),
        virtioSCSI(["kvm", "gcp"], pci(0x1af4, 0x1004, 0x1af4, 0x0008, class: PCIClass.scsi)),
        // VirtualBox has the function of virtio 1.0 alone.
        virtioSCSI(["virtualbox"], pci(0x1af4, 0x1048, 0x1af4, 0x1048, class: PCIClass.scsi)),

        // Generation 1 boots from IDE, whose disks the synthetic driver takes over (f8615163… is the network's).
        storvsc(["hyperv"], [hypervIDE]),
        storvsc(["hyperv-gen2"], [hypervSCSI]),
        storvsc(["azure"], [hypervSCSI, hypervIDE]),
        TargetDevice(
            "xen-blkfront", .storage, targets: ["xenserver", "aws"],
            routes: [
                [
                    .xenPlatform,
                    DriverStep(
                        "Xen virtual disk", aliases: ["xen:vbd"],
                        drivers: [
                            NamedDriver("xen_blkfront", "XEN_BLKDEV_FRONTEND"),
                            NamedDriver("xenblk", "XEN_BLKDEV_FRONTEND"),
                            NamedDriver("xen_vbd", "XEN_BLKDEV_FRONTEND"),
                        ]),
                ]
            ]),
    ]

    // GUIDs as vmbus shows them: ba6163d9-04a1-4d29-b605-72e2ffb1dc7f and 32412632-86cb-44a2-9b5c-50d1417354f5.
    private static let hypervSCSI = "vmbus:d96361baa104294db60572e2ffb1dc7f"
    private static let hypervIDE = "vmbus:32264132cb86a2449b5c50d1417354f5"

    private static func ide(_ targets: [String], _ alias: String) -> TargetDevice {
        TargetDevice(
            "ide", .storage, targets: targets,
            routes: [
                [
                    DriverStep(
                        "PIIX IDE", aliases: [alias], drivers: [NamedDriver("ata_piix", "ATA_PIIX")],
                        acceptance: .named),
                    .scsiDisk,
                ],
                [
                    DriverStep(
                        "PIIX IDE", aliases: [alias], drivers: [NamedDriver("piix", "BLK_DEV_PIIX")],
                        acceptance: .named),
                    DriverStep(
                        "IDE disk",
                        aliases: ["ide:m-disk"],
                        drivers: [
                            NamedDriver("ide_disk", "BLK_DEV_IDEDISK"), NamedDriver("ide_gd_mod", "IDE_GD"),
                        ]),
                ],
            ])
    }

    private static func ahci(_ targets: [String], _ alias: String) -> TargetDevice {
        TargetDevice(
            "ahci", .storage, targets: targets,
            routes: [
                [
                    DriverStep(
                        "AHCI", aliases: [alias], drivers: [NamedDriver("ahci", "SATA_AHCI")],
                        acceptance: .named),
                    .scsiDisk,
                ]
            ])
    }

    private static func nvme(_ targets: [String], _ alias: String) -> TargetDevice {
        TargetDevice(
            "nvme", .storage, targets: targets,
            routes: [
                [DriverStep("NVM Express", aliases: [alias], drivers: [NamedDriver("nvme", "BLK_DEV_NVME")])]
            ])
    }

    private static func lsi1030(_ targets: [String], _ alias: String) -> TargetDevice {
        TargetDevice(
            "lsi1030", .storage, targets: targets,
            routes: [
                [
                    DriverStep(
                        "LSI 53c1030", aliases: [alias], drivers: [NamedDriver("mptspi", "FUSION_SPI")],
                        acceptance: .named),
                    .scsiDisk,
                ],
                // Up to Linux 2.6.1x the base claims the function and one driver serves every kind of bus.
                [
                    DriverStep(
                        "LSI 53c1030", aliases: [alias], drivers: [NamedDriver("mptbase", "FUSION")],
                        acceptance: .namedAndMatching),
                    DriverStep("LSI SCSI host", drivers: [NamedDriver("mptscsih", "FUSION")]),
                    .scsiDisk,
                ],
            ])
    }

    private static func lsisas(_ targets: [String], _ alias: String) -> TargetDevice {
        TargetDevice(
            "lsisas", .storage, targets: targets,
            routes: [
                [
                    DriverStep(
                        "LSI SAS1068", aliases: [alias], drivers: [NamedDriver("mptsas", "FUSION_SAS")],
                        acceptance: .named),
                    .scsiDisk,
                ]
            ])
    }

    private static func virtioSCSI(_ targets: [String], _ alias: String) -> TargetDevice {
        TargetDevice(
            "virtio-scsi", .storage, targets: targets,
            routes: [
                [
                    .virtioBus(alias),
                    DriverStep(
                        "virtio SCSI host", aliases: [virtio(8)],
                        drivers: [NamedDriver("virtio_scsi", "SCSI_VIRTIO")]),
                    .scsiDisk,
                ]
            ])
    }

    private static func storvsc(_ targets: [String], _ aliases: [String]) -> TargetDevice {
        // Before Linux 3.3 disks on IDE had a driver of their own; before 2.6.32 the names had no "hv_".
        let isIDE = aliases == [hypervIDE]
        let old = isIDE ? ["hv_blkvsc", "blkvsc"] : ["storvsc"]
        return TargetDevice(
            "storvsc", .storage, targets: targets,
            routes: [
                [
                    .vmbus,
                    DriverStep(
                        "Hyper-V storage", aliases: aliases,
                        drivers: [NamedDriver("hv_storvsc", "HYPERV_STORAGE")]
                            + old.map { NamedDriver($0, "HYPERV_STORAGE") }),
                    .scsiDisk,
                ]
            ])
    }
}

extension DriverStep {
    /// Disks on anything that speaks SCSI.
    static let scsiDisk = DriverStep(
        "SCSI disk", aliases: ["scsi:t-0x00"], drivers: [NamedDriver("sd_mod", "BLK_DEV_SD")])

    /// virtio over PCI.
    static func virtioBus(_ alias: String) -> DriverStep {
        DriverStep("virtio over PCI", aliases: [alias], drivers: [NamedDriver("virtio_pci", "VIRTIO_PCI")])
    }

    /// Hyper-V's bus.
    static let vmbus = DriverStep(
        "Hyper-V bus", aliases: ["acpi:VMBUS:VMBus:"],
        drivers: [NamedDriver("hv_vmbus", "HYPERV"), NamedDriver("vmbus", "HYPERV")])

    /// Xen's bus in a machine with emulated hardware. A part of newer kernels that is never a module.
    static let xenPlatform = DriverStep(
        "Xen platform device", aliases: [pci(0x5853, 0x0001, 0x5853, 0x0001, class: 0xff_80_00)],
        drivers: [NamedDriver("xen_platform_pci", "XEN_PLATFORM_PCI")], isOptional: true)
}
