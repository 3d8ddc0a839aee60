internal import Storage

/// Which names a system understands, and where.
extension DeviceSite {
    /// A path is taken here and nothing else.
    func wantsPath(in guest: LinuxSystem) -> Bool {
        switch use {
        // File systems and systemd open what they are told.
        case .fstabOption, .unit: true
        // Options of the mount, which takes what it is told.
        case .kernelArgument(let name, _) where KernelCommandLine.mountOptions.contains(name): true
        case .sharedKernelArgument(let name) where KernelCommandLine.mountOptions.contains(name): true
        case .kernelArgument("overlayroot", _), .sharedKernelArgument("overlayroot"): true
        // grub-mkconfig gives it to grub-probe, and makes root= of it.
        case .sharedKernelArgument("GRUB_DEVICE"): true
        // SUSE's own mkinitrd waits for the path that it is given.
        case .kernelArgument("resume", _), .sharedKernelArgument("resume"): guest.hasOldSUSEInitrd
        default: false
        }
    }
}

extension LinuxSystem {
    /// Volumes whose contents a row of crypttab makes anew at every start.
    func findOverwrittenVolumes() -> Set<Int> {
        var found: Set<Int> = []
        for reference in references {
            guard case .volume(let volume) = reference.resolution, case .crypttab(let row) = reference.use,
                !row.keepsIdentity(of: volumes[volume].identity.kind)
            else { continue }
            found.insert(volume)
        }
        return found
    }

    /// The initrd of SUSE's own mkinitrd, before dracut came with SLES 12 and openSUSE 13.2.
    var hasOldSUSEInitrd: Bool {
        guard let release, release.family == .suse, let major = release.major else { return false }
        let isCommunity = release.distribution == .openSUSE
        return major < 12 || isCommunity && (major == 12 || major == 13 && release.version != [13, 2])
    }

    /// udev and mount(8) look for partitions' UUIDs: in a GPT since util-linux 2.22 (2012), made of an MBR's signature since 2.24
    /// (2013). Debian 7 and Ubuntu 14.04 have 2.20, RHEL 7, Amazon Linux 1 and openSUSE 13.1 2.23, SLES 12 and openSUSE 13.2 2.25.
    /// Alpine's mdev and BusyBox know none.
    func knowsPartitionUUIDs(ofGPT isGPT: Bool) -> Bool {
        switch (release?.family, release?.major) {
        case (.debian?, let major?): return major >= 8
        case (.ubuntu?, let major?): return major >= 15
        case (.redHat?, let major?):
            return switch release?.distribution {
            case .fedora?: major >= (isGPT ? 18 : 20)
            case .amazon?: (2...2013).contains(major) || major >= 2022
            default: major >= (isGPT ? 7 : 8)
            }
        case (.suse?, let major?):
            return release?.distribution == .openSUSE
                ? major > 13 || release?.version == [13, 2] : major >= 12
        case (.alpine?, _): return false
        default: return firstKernelVersion.map { !isVersion($0, below: isGPT ? [3, 8] : [3, 14]) } ?? false
        }
    }
}
