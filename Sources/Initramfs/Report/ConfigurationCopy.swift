internal import Storage

/// A copy of configuration that an initramfs carries: what it says holds while the guest boots, whatever the guest's own
/// file says by then.
package struct ConfigurationCopy: Sendable, Equatable {
    /// What it configures.
    package enum Kind: String, Sendable, CaseIterable {
        /// LVM: filters by device name.
        case lvm
        /// LVM: the same of one machine.
        case lvmLocal = "lvm-local"
        /// LVM: which devices it may use.
        case lvmDevices = "lvm-devices"
        /// Encrypted volumes.
        case crypttab
        /// MD arrays.
        case mdadm
        /// What to resume from.
        case resume
        /// Parameters that are added to the kernel's.
        case kernelParameters = "kernel-parameters"
        /// Options of modules, and modules that are not to be loaded.
        case modprobe
        /// File systems to mount.
        case fstab
        /// Multipath devices.
        case multipath
        /// Names of devices that udev gives.
        case udev
        /// Settings of the generator's own scripts.
        case generator
    }

    /// Its path in the unpacked tree.
    package var path: [UInt8]
    /// Its bytes.
    package var bytes: [UInt8]
    /// What it configures.
    package var kind: Kind

    private static let files: [String: Kind] = [
        "etc/lvm/lvm.conf": .lvm, "etc/lvm/lvmlocal.conf": .lvmLocal,
        "etc/lvm/devices/system.devices": .lvmDevices,
        "etc/crypttab": .crypttab, "cryptroot/crypttab": .crypttab, "conf/conf.d/cryptroot": .crypttab,
        "etc/mdadm.conf": .mdadm, "etc/mdadm/mdadm.conf": .mdadm,
        "conf/conf.d/resume": .resume, "etc/conf.d/resume.conf": .resume,
        "etc/cmdline": .kernelParameters, "etc/modprobe.conf": .modprobe, "etc/fstab": .fstab,
        "etc/fstab.empty": .fstab, "etc/multipath.conf": .multipath, "conf/param.conf": .generator,
        "conf/initramfs.conf": .generator, "conf/arch.conf": .generator, "config": .generator,
        "etc/booster.init.yaml": .generator,
    ]

    private static let directories: [(directory: String, suffix: String, kind: Kind)] = [
        ("etc/cmdline.d/", ".conf", .kernelParameters), ("etc/modprobe.d/", ".conf", .modprobe),
        ("usr/lib/modprobe.d/", ".conf", .modprobe), ("lib/modprobe.d/", ".conf", .modprobe),
        ("run/modprobe.d/", ".conf", .modprobe), ("etc/udev/rules.d/", ".rules", .udev),
        ("etc/multipath/", "", .multipath), ("etc/conf.d/", ".conf", .generator),
        ("conf/conf.d/", "", .generator),
        ("config/", ".sh", .generator),
    ]

    /// What the file at `path` configures; nil for one that is no configuration.
    static func kind(of path: [UInt8]) -> Kind? {
        if let kind = files[String(decoding: path, as: UTF8.self)] { return kind }
        return directories.first { place in
            path.starts(with: Array(place.directory.utf8)) && path.count > place.directory.utf8.count
                && path.suffix(place.suffix.utf8.count).elementsEqual(place.suffix.utf8)
        }?.kind
    }
}
