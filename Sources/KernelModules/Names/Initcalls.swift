internal import Storage

/// The functions that a driver begins with, built in or as a module, which `initcall_blacklist=` keeps from running
/// (init/main.c). Names are those of the drivers' sources, of every age that is known.
package enum Initcalls {
    /// Of the driver of that canonical name; none where it is not known.
    package static func of(_ driver: String) -> [String] {
        functions[driver]
            ?? LinuxFileSystem.all.flatMap(\.modules).first { $0.name == driver && !$0.initcalls.isEmpty }?
            .initcalls ?? []
    }

    private static let functions: [String: [String]] = [
        "ata_piix": ["piix_init"], "ahci": ["ahci_pci_driver_init", "ahci_init"], "libata": ["ata_init"],
        "nvme": ["nvme_init"], "nvme_core": ["nvme_core_init"],
        "virtio": ["virtio_init"], "virtio_pci": ["virtio_pci_driver_init", "virtio_pci_init"],
        "virtio_blk": ["virtio_blk_init"], "virtio_scsi": ["virtio_scsi_init"],
        "scsi_mod": ["init_scsi"], "sd_mod": ["init_sd"],
        "mptbase": ["fusion_init"], "mptspi": ["mptspi_init"], "mptsas": ["mptsas_init"],
        "vmw_pvscsi": ["pvscsi_init"], "megaraid_sas": ["megasas_init"], "sym53c8xx": ["sym2_init"],
        "BusLogic": ["blogic_init"], "am53c974": ["am53c974_driver_init"],
        "hv_vmbus": ["hv_acpi_init"], "hv_storvsc": ["storvsc_drv_init"], "xen_blkfront": ["xlblk_init"],
        "jbd2": ["journal_init"],
        "dm_mod": ["dm_init"], "dm_mirror": ["dm_mirror_init"], "dm_snapshot": ["dm_snapshot_init"],
        "dm_thin_pool": ["dm_thin_init"], "dm_raid": ["dm_raid_init"],
        "md_mod": ["md_init"], "raid0": ["raid0_init"], "raid1": ["raid_init", "raid1_init"],
        "raid10": ["raid_init", "raid10_init"], "raid456": ["raid5_init"],
    ]
}
