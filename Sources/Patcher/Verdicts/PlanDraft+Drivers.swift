extension PlanDraft {
    /// A driver that is built into the kernel needs no initramfs; more than that is for whoever reads the initramfs.
    func drivers(of entry: BootEntry) -> EntryVerdict.Drivers { drivers(of: entry, behind: controller) }

    /// The same for another controller.
    func drivers(of entry: BootEntry, behind controller: Controller) -> EntryVerdict.Drivers {
        guard let options = guest.inspection.kernel(entry.kernelRelease)?.options else { return .notChecked }
        func builtIn(_ names: String...) -> Bool { names.allSatisfy { options[$0] == "y" } }
        let isPresent =
            switch controller {
            case .ide:
                builtIn("CONFIG_IDE", "CONFIG_BLK_DEV_PIIX", "CONFIG_BLK_DEV_IDEDISK")
                    || builtIn("CONFIG_ATA_PIIX", "CONFIG_BLK_DEV_SD") && hypervisor != .hyperv
            case .ahci: builtIn("CONFIG_SATA_AHCI", "CONFIG_BLK_DEV_SD")
            case .virtioBlk: builtIn("CONFIG_VIRTIO_BLK", "CONFIG_VIRTIO_PCI")
            case .virtioSCSI: builtIn("CONFIG_SCSI_VIRTIO", "CONFIG_VIRTIO_PCI", "CONFIG_BLK_DEV_SD")
            case .nvme: builtIn("CONFIG_BLK_DEV_NVME")
            case .pvscsi: builtIn("CONFIG_VMWARE_PVSCSI", "CONFIG_BLK_DEV_SD")
            case .storvsc: builtIn("CONFIG_HYPERV_STORAGE", "CONFIG_HYPERV", "CONFIG_BLK_DEV_SD")
            case .xenBlkfront: builtIn("CONFIG_XEN_BLKDEV_FRONTEND")
            case .lsi1030: builtIn("CONFIG_FUSION_SPI", "CONFIG_BLK_DEV_SD")
            case .lsisas: builtIn("CONFIG_FUSION_SAS", "CONFIG_BLK_DEV_SD")
            case .megasas: builtIn("CONFIG_MEGARAID_SAS", "CONFIG_BLK_DEV_SD")
            case .sym53c8xx: builtIn("CONFIG_SCSI_SYM53C8XX_2", "CONFIG_BLK_DEV_SD")
            }
        return isPresent ? .present : .notChecked
    }
}
