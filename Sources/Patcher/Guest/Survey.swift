/// Everything found on the disks.
package struct Survey: Sendable {
    /// Linux systems, in the order of their volumes.
    package var guests: [LinuxSystem]
    /// What stands in the way: other systems, volumes that cannot be read.
    package var findings: [String]
    /// A Windows system was recognised.
    package var hasWindows: Bool
}

extension Survey {
    /// What a Windows system would meet on a target; nil when none was recognised.
    package func windowsVerdict(_ target: Target, _ controller: Controller?) -> String? {
        guard hasWindows else { return nil }
        let drivers: String =
            switch controller ?? target.defaultController {
            case .ide: "intelide and atapi"
            case .ahci: "storahci (msahci before Windows 8)"
            case .lsi1030: "LSI_SCSI (symmpi before Vista)"
            case .lsisas: "LSI_SAS"
            case .sym53c8xx: "sym_hi, which newer Windows lacks"
            case .pvscsi: "pvscsi of VMware Tools"
            case .virtioBlk: "viostor of virtio-win"
            case .virtioSCSI: "vioscsi of virtio-win"
            case .nvme: "stornvme"
            case .megasas: "megasas"
            case .storvsc: "vmbus and storvsc"
            case .xenBlkfront: "xenvbd of the XenServer tools"
            }
        return
            "Windows would stop with 0x7B (INACCESSIBLE_BOOT_DEVICE) on \(target.hypervisor.title) unless \(drivers) "
            + "start at boot; nothing of Windows is changed"
    }
}
