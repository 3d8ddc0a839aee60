/// What a change is for: the words of `--only` and `--skip`.
package enum Repair: String, Sendable, CaseIterable {
    /// Device names become names that hold on the target.
    case names
    /// A default entry that cannot boot there gives way to one that can.
    case defaultEntry = "default-entry"
    /// Consoles that the target does not have.
    case console
    /// Kernel options that the source's hypervisor needed and the target's does not bear.
    case kernelOptions = "kernel-options"
    /// fstab rows whose device or driver is gone.
    case deadRows = "dead-rows"
    /// LVM's device filter and devices file.
    case lvm
    /// Settings that the next installation of a kernel or boot loader reads.
    case settings
    /// Guest tools of the source's hypervisor.
    case tools
    /// Network interface names.
    case net
    /// The X server's driver.
    case xorg
    /// Clock options.
    case clock
    /// debconf's memory of the boot disk.
    case debconf
}
