/// What made an initramfs.
package enum InitramfsGenerator: Sendable, Equatable {
    /// Debian's and Ubuntu's.
    case initramfsTools
    /// dracut, with the version that it wrote down ("059-4"), nil where it did not.
    case dracut(version: String?)
    /// Arch's.
    case mkinitcpio
    /// The mkinitrd of SUSE up to SLES 11, a shell script.
    case suseMkinitrd
    /// The mkinitrd of Red Hat up to RHEL 5, with the interpreter nash.
    case nash
    /// Alpine's mkinitfs.
    case mkinitfs
    /// booster.
    case booster
    /// systemd without any of these around it, as mkosi makes it.
    case systemd
    /// None that is known.
    case unknown

    /// The name that people know it by.
    package var name: String {
        switch self {
        case .initramfsTools: "initramfs-tools"
        case .dracut: "dracut"
        case .mkinitcpio: "mkinitcpio"
        case .suseMkinitrd: "mkinitrd (SUSE)"
        case .nash: "mkinitrd (nash)"
        case .mkinitfs: "mkinitfs"
        case .booster: "booster"
        case .systemd: "systemd"
        case .unknown: "unknown"
        }
    }
}

/// What a live system's initramfs looks for its root with.
package enum LiveSystem: String, Sendable {
    /// Debian's live-boot.
    case liveBoot = "live-boot"
    /// Ubuntu's casper.
    case casper
    /// dracut's dmsquash-live.
    case dmsquash = "dmsquash-live"
}
