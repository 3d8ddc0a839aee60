internal import GuestTree
internal import Storage

/// A name for a volume, and why it is the right one.
struct NameChoice {
    /// The name, in the form that its place takes.
    var text: String
    var reason: String
}

extension NameChoice {
    /// The name that a site's volume gets; nil when the one it has is as good as any.
    static func name(
        for volume: Int, _ file: ScannedFile, _ site: DeviceSite, _ draft: inout PlanDraft
    ) -> NameChoice? {
        let written = file.bytes.text(site.range)
        let what =
            (written == site.text ? written : "\(written) (\(site.text))")
            + " is \(draft.guest.volumes[volume].name)"
        let form = Form(site, file, draft.guest)
        switch site.use {
        // A device of a file system that lies on several: by what that is called udev finds any of them.
        case .fstabOption("device", _) where (draft.guest.volumes[volume].identity.member?.count ?? 1) > 1:
            return choose(partitionNames(volume, draft), volume, what, draft, form)
        case .fstab, .fstabOption, .unit, .unitDependency:
            return choose(stableNames(volume, draft), volume, what, draft, form)
        // The kernel puts the array together itself, and knows nothing else.
        case .kernelArgument("md", _), .sharedKernelArgument("md"):
            return choose([], volume, what, draft, form)
        case .kernelArgument(_, let entry):
            if entry.initrds.isEmpty { return withoutInitrd(volume, entry, what, draft) }
            let stable = stableNames(volume, draft).filter { initrdKnows($0, entry, draft) }
            var names = fitting(stable, file, site, entry, &draft)
            if names.isEmpty, stable.isEmpty, draft.request.names != .target,
                let label = labelToWrite(volume, draft), initrdKnows(.label(label), entry, draft),
                !fitting([.label(label)], file, site, entry, &draft).isEmpty
            {
                names = [.label(label)]
                writeLabel(label, volume, &draft, whyLabel(volume, entry, draft))
            }
            if names.isEmpty, !stable.isEmpty, let label = labelToWrite(volume, draft) {
                names = fitting([.label(label)], file, site, entry, &draft)
                if !names.isEmpty {
                    writeLabel(
                        label, volume, &draft,
                        "a UUID would make the kernel's arguments longer than the kernel takes"
                    )
                }
            }
            return choose(names, volume, what, draft, form, kernel: entry.kernelVersion)
        case .sharedKernelArgument(let name):
            // A kernel without initramfs would only not resume, but not boot either without its root.
            let names = draft.guest.everyEntryHasInitrd || name == "resume" ? stableNames(volume, draft) : []
            return choose(names, volume, what, draft, form)
        case .crypttab, .crypttabPart: return choose(stableNames(volume, draft), volume, what, draft, form)
        case .loaderDisk, .lvmDevice, .reported: return choose([], volume, what, draft, form)
        }
    }

    /// The forms of a stable name.
    private enum Form {
        /// `UUID=…`.
        case tag
        /// udev's link.
        case path
        /// As crypttab takes it.
        case crypttab
        /// The unit of udev's link.
        case unit(SystemdUnitName.Kind)

        init(_ site: DeviceSite, _ file: ScannedFile, _ guest: LinuxSystem) {
            switch site.use {
            case .crypttab: self = .crypttab
            case .unitDependency:
                self = .unit(SystemdUnitName.kind(of: file.bytes.text(site.range)) ?? .device)
            // Scripts take no tags there.
            case .crypttabPart: self = .path
            default: self = type(of: file.syntax).wantsPaths || site.wantsPath(in: guest) ? .path : .tag
            }
        }

        func text(_ name: StableName) -> String {
            switch self {
            case .tag: name.tag
            case .path: name.link
            case .unit(let kind): SystemdUnitName.unit(ofDevice: name.link, kind)
            // crypttab's scripts took `PARTUUID=` later than udev made links of it.
            case .crypttab: if case .partitionUUID = name { name.link } else { name.tag }
            }
        }

        /// udev writes other characters of a label as escapes, which not every file takes as they are.
        func takes(_ name: StableName) -> Bool {
            guard case .label(let label) = name else { return true }
            switch self {
            case .tag, .crypttab: return true
            case .path, .unit: break
            }
            return label.allSatisfy { $0.isLetter || $0.isNumber || "#+-.:=@_".contains($0) }
        }

        /// How long a name by UUID is.
        var uuidLength: Int { text(.uuid("")).utf8.count + 36 }

        /// A device's path in this form.
        func text(path: String) -> String {
            if case .unit(let kind) = self { SystemdUnitName.unit(ofDevice: path, kind) } else { path }
        }
    }

    /// The stable names that a volume has, the preferred first.
    private static func stableNames(_ volume: Int, _ draft: PlanDraft) -> [StableName] {
        let uuid = draft.guest.resolver.uuidName(volume)
        let label = draft.guest.resolver.labelName(volume) ?? draft.plannedLabel(of: volume)
        // What the contents are known by now may be gone after the next start.
        if uuid == nil && label == nil || draft.guest.overwrittenVolumes.contains(volume) {
            return partitionNames(volume, draft)
        }
        let names: [StableName?] =
            switch draft.request.names {
            case .uuid: [uuid, label]
            case .label: [label, uuid]
            case .target: []
            }
        return names.compactMap { $0 }
    }

    /// The partition's own name, where the system looks for such names: what holds a file system whose UUID another bears
    /// too, or none, is known by it.
    private static func partitionNames(_ volume: Int, _ draft: PlanDraft) -> [StableName] {
        guard draft.request.names != .target,
            let name = draft.guest.resolver.partitionUUIDName(volume),
            case .partitionUUID(_, let isGPT) = name, draft.guest.knowsPartitionUUIDs(ofGPT: isGPT)
        else { return [] }
        return [name]
    }

    private static func choose(
        _ names: [StableName], _ volume: Int, _ what: String, _ draft: PlanDraft, _ form: Form,
        kernel: [Int]? = nil
    ) -> NameChoice? {
        if let name = names.first(where: form.takes) {
            return NameChoice(
                text: form.text(name), reason: "\(what), whatever the controller calls it")
        }
        guard let name = draft.targetName(ofVolume: volume, kernel: kernel) else { return nil }
        return NameChoice(
            text: form.text(path: name),
            reason:
                "\(what), which \(draft.hypervisor.title)'s \(draft.controller.rawValue) controller presents as \(name)"
        )
    }

    /// A label that a file system without one could bear: unique on the disks, short, and plain.
    private static func labelToWrite(_ volume: Int, _ draft: PlanDraft) -> String? {
        let identity = draft.guest.volumes[volume].identity
        guard let known = draft.guest.capabilities[volume], known.allows(.label),
            identity.label?.isEmpty ?? true, draft.request.wants(.names)
        else { return nil }
        let label = "dg" + draft.guest.volumes[volume].name.filter { $0.isLetter || $0.isNumber }
        guard label.utf8.count <= known.labelByteLimit,
            !draft.guest.volumes.contains(where: { $0.identity.label == Array(label.utf8) })
        else { return nil }
        return label
    }

    private static func writeLabel(
        _ label: String, _ volume: Int, _ draft: inout PlanDraft, _ reason: String
    ) {
        draft.add(.setLabel(volume: volume, label: Array(label.utf8)), .names, reason)
    }

    /// The initrds of before 2006 (kernels before 2.6.15) do not look for UUIDs: Red Hat's nash looks for labels, Debian's
    /// and SUSE's mkinitrd for neither.
    private static func initrdKnows(_ name: StableName, _ entry: BootEntry, _ draft: PlanDraft) -> Bool {
        guard let version = entry.kernelVersion, isVersion(version, below: [2, 6, 15]) else { return true }
        return draft.guest.release?.family == .redHat && name.isLabel
    }

    private static func whyLabel(_ volume: Int, _ entry: BootEntry, _ draft: PlanDraft) -> String {
        let identity = draft.guest.volumes[volume].identity
        if let version = entry.kernelVersion, isVersion(version, below: [2, 6, 15]) {
            return "the guest's initrd is too old to know UUIDs"
        }
        return identity.uuid?.isEmpty ?? true
            ? "the file system has no UUID" : "another volume has the same UUID"
    }

    /// The kernel alone knows no UUIDs or labels of file systems, only names, and partitions' UUIDs since 2.6.37
    /// (GPT) and 3.8 (MBR): init/do_mounts.c.
    private static func withoutInitrd(
        _ volume: Int, _ entry: BootEntry, _ what: String, _ draft: PlanDraft
    ) -> NameChoice? {
        if draft.request.names != .target, let name = draft.guest.resolver.partitionUUIDName(volume),
            case .partitionUUID(_, let isGPT) = name, let version = entry.kernelVersion,
            !isVersion(version, below: isGPT ? [2, 6, 37] : [3, 8])
        {
            return NameChoice(
                text: name.tag,
                reason: "\(what); without an initramfs the kernel knows partitions' UUIDs, not file systems'")
        }
        return choose(
            [], volume, what + "; without an initramfs the kernel knows only device names", draft, .tag,
            kernel: entry.kernelVersion)
    }

    /// Names that keep the kernel's arguments within its limit. Loaders write the kernel's own path before them.
    private static func fitting(
        _ names: [StableName], _ file: ScannedFile, _ site: DeviceSite, _ entry: BootEntry,
        _ draft: inout PlanDraft
    ) -> [StableName] {
        guard let arguments = entry.argumentsRange else { return names }
        let isOld = entry.kernelVersion.map { isVersion($0, below: [2, 6, 22]) } ?? false
        let head = isOld ? 0 : "BOOT_IMAGE=(hd0,gpt1) ".utf8.count + (entry.kernel ?? "").utf8.count
        let limit = (isOld ? oldCommandLineLimit : commandLineLimit) - head
        // Room for the others of the same line that are still to be replaced, each by the longest form.
        let all = growth(ofArgumentsIn: file, &draft)[entry.index] ?? 0
        let others = all - (growth(of: site, file, draft.guest)?.count ?? 0)
        let fixed = arguments.count - site.range.count + others
        let form = Form(site, file, draft.guest)
        return names.filter { fixed + form.text($0).utf8.count <= limit }
    }

    /// How much longer the arguments of each entry of a file may get, by the entry's index.
    private static func growth(ofArgumentsIn file: ScannedFile, _ draft: inout PlanDraft) -> [Int: Int] {
        if let known = draft.argumentGrowth[file.file.key] { return known }
        var found: [Int: Int] = [:]
        var seen: Set<Range<Int>> = []
        for site in file.sites {
            guard let (entry, count) = growth(of: site, file, draft.guest), seen.insert(site.range).inserted
            else { continue }
            found[entry, default: 0] += count
        }
        draft.argumentGrowth[file.file.key] = found
        return found
    }

    /// The same of one name, with the entry; nil for what stays as it is.
    private static func growth(
        of site: DeviceSite, _ file: ScannedFile, _ guest: LinuxSystem
    ) -> (entry: Int, count: Int)? {
        guard case .kernelArgument(let name, let entry) = site.use, name != "md",
            DeviceName(site.text).isPositional
        else { return nil }
        return (entry.index, max(0, Form(site, file, guest).uuidLength - site.range.count))
    }
}

/// COMMAND_LINE_SIZE of 256 on x86 until 2.6.22, less the final zero.
let oldCommandLineLimit = 255
/// The same of 2048 since.
private let commandLineLimit = 2047

extension PlanDraft {
    /// The label that a volume without one is given.
    fileprivate func plannedLabel(of volume: Int) -> StableName? {
        for case .setLabel(volume, let label) in otherActions.map(\.kind) {
            return .label(String(decoding: label, as: UTF8.self))
        }
        return nil
    }
}
