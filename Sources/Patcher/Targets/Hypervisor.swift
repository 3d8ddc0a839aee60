/// Where a guest comes from or goes to.
public enum Hypervisor: String, Sendable, CaseIterable {
    /// Microsoft Hyper-V.
    case hyperv
    /// VMware ESX, Workstation, Fusion.
    case vmware
    /// Citrix XenServer, XCP-ng, plain Xen.
    case xenserver
    /// QEMU with KVM, Proxmox, oVirt.
    case kvm
    /// Oracle VirtualBox.
    case virtualbox
    /// Microsoft Azure.
    case azure
    /// Amazon EC2.
    case aws
    /// Google Compute Engine.
    case gcp
    /// Parallels Desktop: a source, never a target.
    case parallels

    /// The name for people.
    public var title: String {
        switch self {
        case .hyperv: "Hyper-V"
        case .vmware: "VMware"
        case .xenserver: "XenServer"
        case .kvm: "KVM"
        case .virtualbox: "VirtualBox"
        case .azure: "Azure"
        case .aws: "Amazon EC2"
        case .gcp: "Google Compute Engine"
        case .parallels: "Parallels"
        }
    }

    /// Whether a disk has an emulated and a paravirtual name that count alike (hda, sda, xvda).
    package var hasAliasedDiskNames: Bool { self == .xenserver || self == .aws }

    /// The disk-name families that its disks usually have, the likeliest first.
    var families: [DiskName.Family] {
        switch self {
        case .hyperv: [.hd, .sd]
        case .vmware: [.sd, .nvme]
        case .xenserver: [.xvd, .hd, .sd]
        case .kvm: [.vd, .sd, .hd, .nvme]
        case .virtualbox: [.sd, .hd, .nvme]
        case .azure: [.sd, .nvme]
        case .aws: [.xvd, .sd, .nvme]
        case .gcp: [.sd, .nvme]
        case .parallels: [.sd, .hd]
        }
    }
}

/// A storage controller that a hypervisor can offer.
public enum Controller: String, Sendable, CaseIterable {
    /// The PIIX IDE controller.
    case ide
    /// SATA.
    case ahci
    /// LSI Logic parallel SCSI (53c1030).
    case lsi1030
    /// LSI 53c895a.
    case sym53c8xx
    /// LSI SAS 1068.
    case lsisas
    /// VMware's paravirtual SCSI.
    case pvscsi
    /// virtio block device.
    case virtioBlk = "virtio-blk"
    /// virtio SCSI host.
    case virtioSCSI = "virtio-scsi"
    /// NVM Express.
    case nvme
    /// LSI MegaRAID SAS.
    case megasas
    /// Hyper-V's synthetic SCSI or accelerated IDE.
    case storvsc
    /// Xen's paravirtual disk.
    case xenBlkfront = "xen-blkfront"

    /// The name that the guest's kernel gives disk number `index` (from 0) behind this controller.
    package func diskName(_ index: Int, oldIDEDriver: Bool) -> String {
        switch self {
        case .ide where oldIDEDriver:
            // hdc, the master of the second channel, is the optical drive's place.
            return "/dev/" + DiskName.letters(.hd, index < 2 ? index : index + 1)
        case .virtioBlk: return "/dev/" + DiskName.letters(.vd, index)
        case .xenBlkfront: return "/dev/" + DiskName.letters(.xvd, index)
        case .nvme: return "/dev/nvme\(index)n1"
        default: return "/dev/" + DiskName.letters(.sd, index)
        }
    }

    /// The name of a partition behind this controller.
    package func partitionName(_ index: Int, _ partition: Int, oldIDEDriver: Bool) -> String {
        let disk = diskName(index, oldIDEDriver: oldIDEDriver)
        return self == .nvme ? "\(disk)p\(partition)" : "\(disk)\(partition)"
    }
}
