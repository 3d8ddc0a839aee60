internal import Storage

extension Planner {
    /// A name and why it is the right one.
    struct Choice {
        var text: String
        var reason: String
    }

    /// The name that a site's volume gets; nil when the one it has is as good as any.
    mutating func replacement(for volume: Int, _ file: ScannedFile, _ site: DeviceSite) -> Choice? {
        let what = "\(site.text) is \(guest.volumes[volume].name)"
        switch site.use {
        case .fstab: return choose(stableNames(volume), volume, what)
        case .kernelArgument(_, let entry):
            if entry.initrds.isEmpty { return withoutInitrd(volume, entry, what) }
            let stable = stableNames(volume).filter { initrdKnows($0, entry) }
            var names = fitting(stable, file, site, entry)
            if names.isEmpty, stable.isEmpty, request.names != .target, initrdKnows("LABEL=", entry),
                let label = labelToWrite(volume), !fitting(["LABEL=" + label], file, site, entry).isEmpty
            {
                names = ["LABEL=" + label]
                writeLabel(label, volume, "the guest's initrd is too old to know UUIDs")
            }
            if names.isEmpty, !stable.isEmpty, let label = labelToWrite(volume) {
                names = fitting(["LABEL=" + label], file, site, entry)
                if !names.isEmpty {
                    writeLabel(
                        label, volume, "a UUID would make the kernel's arguments longer than the kernel takes"
                    )
                }
            }
            return choose(names, volume, what, entry.kernelVersion)
        case .sharedKernelArgument(let name):
            // A kernel without initramfs would only not resume, but not boot either without its root.
            let names = everyEntryHasInitrd || name == "resume" ? stableNames(volume) : []
            return choose(names, volume, what)
        case .crypttab: return choose(stableNames(volume), volume, what)
        case .loaderDisk, .lvmDevice, .reported: return choose([], volume, what)
        }
    }

    /// The stable names that a volume has, the preferred first.
    private func stableNames(_ volume: Int) -> [String] {
        let uuid = guest.resolver.uuidName(volume)
        let label = guest.resolver.labelName(volume)
        let names: [String?] =
            switch request.names {
            case .uuid: [uuid, label]
            case .label: [label, uuid]
            case .target: []
            }
        return names.compactMap { $0 }
    }

    private func choose(_ names: [String], _ volume: Int, _ what: String, _ kernel: [Int]? = nil) -> Choice? {
        if let name = names.first {
            return Choice(text: name, reason: "\(what), whatever the controller calls it")
        }
        guard let name = targetName(volume, controller, kernel: kernel) else { return nil }
        return Choice(
            text: name,
            reason:
                "\(what), which \(request.target.hypervisor.title)'s \(controller.rawValue) controller presents as \(name)"
        )
    }

    /// A label that a file system without one could bear: unique on the disks, short, and plain.
    private func labelToWrite(_ volume: Int) -> String? {
        let identity = guest.volumes[volume].identity
        guard identity.kind.isExt, identity.label?.isEmpty ?? true, request.wants(.names) else { return nil }
        let label = "dg" + guest.volumes[volume].name.filter { $0.isLetter || $0.isNumber }
        // 16 bytes in the superblock of ext2 to ext4.
        guard label.utf8.count <= 16,
            !guest.volumes.contains(where: { $0.identity.label == Array(label.utf8) })
        else { return nil }
        return label
    }

    private mutating func writeLabel(_ label: String, _ volume: Int, _ reason: String) {
        let kind = Action.Kind.setLabel(volume: volume, label: Array(label.utf8))
        guard !extraActions.contains(where: { $0.kind == kind }) else { return }
        extraActions.append(
            Action(
                kind: kind, reason: reason,
                repairs: [.names]))
    }

    /// The initrds of before 2006 (kernels before 2.6.15) do not look for UUIDs: Red Hat's nash looks for labels, Debian's
    /// and SUSE's mkinitrd for neither.
    private func initrdKnows(_ name: String, _ entry: BootEntry) -> Bool {
        guard let version = entry.kernelVersion, isVersion(version, below: [2, 6, 15]) else { return true }
        return guest.release?.family == .redHat && name.hasPrefix("LABEL=")
    }

    /// The kernel alone knows no UUIDs or labels of file systems, only names, and partitions' UUIDs since 2.6.37
    /// (GPT) and 3.8 (MBR): init/do_mounts.c.
    private func withoutInitrd(_ volume: Int, _ entry: BootEntry, _ what: String) -> Choice? {
        if request.names != .target, let name = guest.resolver.partitionUUIDName(volume),
            let version = entry.kernelVersion
        {
            let isGPT = UUID16(text: String(name.dropFirst("PARTUUID=".count))) != nil
            if !isVersion(version, below: isGPT ? [2, 6, 37] : [3, 8]) {
                return Choice(
                    text: name,
                    reason:
                        "\(what); without an initramfs the kernel knows partitions' UUIDs, not file systems'")
            }
        }
        return choose(
            [], volume, what + "; without an initramfs the kernel knows only device names",
            entry.kernelVersion)
    }

    /// Names that keep the kernel's arguments within its limit: 256 bytes with the final zero before 2.6.22.
    private func fitting(
        _ names: [String], _ file: ScannedFile, _ site: DeviceSite, _ entry: BootEntry
    ) -> [String] {
        guard let version = entry.kernelVersion, isVersion(version, below: [2, 6, 22]),
            let arguments = entry.argumentsRange
        else { return names }
        // Room for the others of the same line that are still to be replaced, each by the longest form.
        let others = file.sites.filter { other in
            guard other.range != site.range, case .kernelArgument(_, let owner) = other.use else {
                return false
            }
            return owner.index == entry.index && DeviceName(other.text).isPositional
        }
        let growth = others.reduce(0) { $0 + max(0, uuidLength - $1.range.count) }
        let fixed = arguments.count - site.range.count + growth
        return names.filter { fixed + $0.utf8.count <= oldCommandLineLimit }
    }
}

/// COMMAND_LINE_SIZE of 256 on x86 until 2.6.22, less the final zero.
let oldCommandLineLimit = 255
/// `UUID=` and 36 characters.
private let uuidLength = 41
