extension Controller {
    /// The kernel's modules that drive disks behind it, as kernels since 2.6.20 call them.
    var modules: [String] {
        switch self {
        case .ide: ["ata_piix"]
        case .ahci: ["ahci"]
        case .lsi1030: ["mptspi"]
        case .sym53c8xx: ["sym53c8xx"]
        case .lsisas: ["mptsas"]
        case .pvscsi: ["vmw_pvscsi"]
        case .virtioBlk: ["virtio_pci", "virtio_blk"]
        case .virtioSCSI: ["virtio_pci", "virtio_scsi"]
        case .nvme: ["nvme"]
        case .megasas: ["megaraid_sas"]
        case .storvsc: ["hv_vmbus", "hv_storvsc"]
        case .xenBlkfront: ["xen-blkfront"]
        }
    }
}
