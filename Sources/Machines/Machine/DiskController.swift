/// A controller that disks of a machine lie behind.
package struct DiskController: Sendable, Hashable {
    /// What it is.
    package var kind: Kind
    /// Its number among the controllers of its bus, from 0.
    package var number: Int

    /// Makes a controller.
    package init(_ kind: Kind, number: Int = 0) {
        self.kind = kind
        self.number = number
    }

    /// What a guest's driver sees.
    package enum Kind: String, Sendable, CaseIterable {
        /// The PIIX IDE controller.
        case ide
        /// SATA.
        case ahci
        /// BusLogic SCSI.
        case buslogic
        /// LSI Logic parallel SCSI (53c1030).
        case lsi1030
        /// LSI 53c895a.
        case sym53c8xx
        /// LSI SAS 1068.
        case lsisas
        /// VMware's paravirtual SCSI.
        case pvscsi
        /// LSI MegaRAID SAS.
        case megasas
        /// A virtio block device, which is a controller and its disk in one.
        case virtioBlk = "virtio-blk"
        /// virtio SCSI host.
        case virtioSCSI = "virtio-scsi"
        /// NVM Express.
        case nvme
        /// Hyper-V's synthetic SCSI.
        case storvsc
        /// Xen's paravirtual disk.
        case xenBlkfront = "xen-blkfront"
        /// A USB disk.
        case usb
    }
}
