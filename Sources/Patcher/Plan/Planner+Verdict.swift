internal import Storage

extension Planner {
    /// Judges every kernel entry, as it will be once the drafts' edits are made.
    func verdicts() -> [EntryVerdict] {
        let defaults = guest.defaultEntries
        return entries.filter { $0.entry.kernel != nil }.map { file, entry in
            let isDefault = defaults.contains { found, chosen in
                if let moved = newDefaults[found.file.key] {
                    return moved.file == file.file.key && moved.index == entry.index
                }
                return found.file.key == file.file.key && chosen.index == entry.index
            }
            return verdict(file, entry, isDefault)
        }
    }

    private func verdict(_ file: ScannedFile, _ entry: BootEntry, _ isDefault: Bool) -> EntryVerdict {
        var notes: [String] = []
        if entry.isXenMultiboot { notes.append("it boots the Xen hypervisor first; the entry is kept") }
        if takesArgumentsFromElsewhere(file, entry) {
            notes.append(
                "its arguments are $kernelopts of grubenv, which was not found or lies on the EFI system partition, which "
                    + "cannot be read: see to root= there with grub2-editenv")
        }
        var symptom: String?
        var outcome: EntryVerdict.Outcome
        if let reason = firmwareMisfit() ?? controllerMisfit() {
            outcome = .cannot(reason)
        } else if let reason = startProblem(entry) {
            outcome = .cannot(reason)
            if !entry.isXenMultiboot { symptom = "Error 13: Invalid or unsupported executable format" }
        } else if file.kind == .lilo {
            outcome = .cannot(
                "LILO's map holds the old disk's device number; run lilo in the guest or install GRUB")
            symptom = "VFS: Cannot open root device"
        } else if let reason = rootProblem(file, entry) {
            outcome = .cannot(reason)
            symptom = symptomOfMissingRoot(entry)
        } else {
            outcome = isEdited ? .bootsWithEdits : .boots
        }
        return EntryVerdict(
            path: file.file.displayPath, title: entry.title, kernel: entry.kernel, isDefault: isDefault,
            outcome: outcome, drivers: drivers(entry), symptom: symptom, notes: notes)
    }

    private var isEdited: Bool { drafts.values.contains { !$0.edits.isEmpty } || !extraActions.isEmpty }

    /// A driver that is built into the kernel needs no initramfs; more than that is for whoever reads the initramfs.
    private func drivers(_ entry: BootEntry) -> EntryVerdict.Drivers {
        guard let options = guest.inspection.kernel(entry.kernelRelease)?.options else { return .notChecked }
        func builtIn(_ names: String...) -> Bool { names.allSatisfy { options[$0] == "y" } }
        let isPresent =
            switch controller {
            case .ide:
                builtIn("CONFIG_IDE", "CONFIG_BLK_DEV_PIIX", "CONFIG_BLK_DEV_IDEDISK")
                    || builtIn("CONFIG_ATA_PIIX", "CONFIG_BLK_DEV_SD") && request.target.hypervisor != .hyperv
            case .ahci: builtIn("CONFIG_SATA_AHCI", "CONFIG_BLK_DEV_SD")
            case .virtioBlk: builtIn("CONFIG_VIRTIO_BLK", "CONFIG_VIRTIO_PCI")
            case .virtioSCSI: builtIn("CONFIG_SCSI_VIRTIO", "CONFIG_VIRTIO_PCI", "CONFIG_BLK_DEV_SD")
            case .nvme: builtIn("CONFIG_BLK_DEV_NVME")
            case .pvscsi: builtIn("CONFIG_VMWARE_PVSCSI", "CONFIG_BLK_DEV_SD")
            case .storvsc: builtIn("CONFIG_HYPERV_STORAGE", "CONFIG_HYPERV", "CONFIG_BLK_DEV_SD")
            case .xenBlkfront: builtIn("CONFIG_XEN_BLKDEV_FRONTEND")
            case .lsi1030: builtIn("CONFIG_FUSION_SPI", "CONFIG_BLK_DEV_SD")
            case .lsisas: builtIn("CONFIG_FUSION_SAS", "CONFIG_BLK_DEV_SD")
            case .megasas: builtIn("CONFIG_MEGARAID_SAS", "CONFIG_BLK_DEV_SD")
            case .sym53c8xx: builtIn("CONFIG_SCSI_SYM53C8XX_2", "CONFIG_BLK_DEV_SD")
            }
        return isPresent ? .present : .notChecked
    }

    private func firmwareMisfit() -> String? {
        let hasUEFILoader =
            guest.hasEFISystemPartition || guest.inspection.hasFallbackLoader != nil
            || !guest.files(.systemdBoot).isEmpty
        guard request.target.firmware == .uefi, !hasUEFILoader else { return nil }
        return
            "\(request.target.name) boots with UEFI, and the guest has no EFI system partition; --to hyperv has a BIOS"
    }

    private func controllerMisfit() -> String? {
        guard let chosen = request.controller, !request.target.controllers.contains(chosen) else {
            return nil
        }
        let offered = request.target.controllers.map(\.rawValue).joined(separator: ", ")
        return "\(request.target.name) has no \(chosen.rawValue) controller, only \(offered)"
    }

    /// Why the entry's root will not be found.
    private func rootProblem(_ file: ScannedFile, _ entry: BootEntry) -> String? {
        guard let argument = entry.commandLine.last("root"), let range = argument.valueRange else {
            return environmentProblem(file, entry)
        }
        let text = file.bytes.text(range)
        let name = DeviceName(text)
        if entry.initrds.isEmpty {
            switch name {
            case .uuid, .label: return "root=\(text) needs an initramfs, and the entry has none"
            default: break
            }
        }
        let reference = references.first { $0.file == file.file.key && $0.range == range }
        guard case .unresolved(let reason) = reference?.resolution, name.isPositional, !argument.isOpaque
        else {
            return nil
        }
        return "root=\(text): \(reason)"
    }

    /// RHEL 8's entries take their arguments from the environment block, or from grub.cfg where it has none.
    private func environmentProblem(_ file: ScannedFile, _ entry: BootEntry) -> String? {
        let words = entry.commandLine.arguments.map { file.bytes.text($0.range) }
        guard words.contains("$kernelopts") || words.contains("${kernelopts}") else { return nil }
        let roots = references.filter {
            ($0.kind == .grubEnvironment || $0.kind == .grub2) && $0.use.hasPrefix("root=")
        }
        let chosen = roots.first { $0.kind == .grubEnvironment } ?? roots.first
        guard let chosen else { return nil }
        guard case .unresolved(let reason) = chosen.resolution, !chosen.isStable else { return nil }
        return "root=\(chosen.text): \(reason)"
    }

    /// The entry's root is in an environment block that was not read.
    private func takesArgumentsFromElsewhere(_ file: ScannedFile, _ entry: BootEntry) -> Bool {
        let words = entry.commandLine.arguments.map { file.bytes.text($0.range) }
        guard words.contains("$kernelopts") || words.contains("${kernelopts}") else { return false }
        return !guest.files.contains { file in
            switch file.syntax {
            case .grubEnvironment(let block): block.last("kernelopts") != nil
            case .grub2(let menu): menu.commandLineVariables.contains { $0.name == "kernelopts" }
            default: false
            }
        }
    }

    private func symptomOfMissingRoot(_ entry: BootEntry) -> String {
        if entry.initrds.isEmpty { return "VFS: Cannot open root device" }
        switch guest.release?.family {
        case .redHat?:
            return guest.release.flatMap(\.major).map { $0 <= 5 } == true
                ? "mount: could not find filesystem '/dev/root'"
                : "dracut: Warning: could not boot, root does not exist"
        case .suse?: return "Waiting for the root device to appear: not found -- exiting to /bin/sh"
        default: return "Gave up waiting for root file system device"
        }
    }

    /// Why nothing is to be written at all.
    func refusal(_ verdicts: [EntryVerdict]) -> String? {
        if let suspended = guest.volumes.first(where: { $0.identity.isHibernated }) {
            return "\(suspended.name) holds a suspended system: start the guest and shut it down first"
        }
        if let reason = firmwareMisfit() ?? controllerMisfit() { return reason }
        if let hidden = guest.mounts.first(where: {
            !$0.isReadable && ["/boot", "/usr", "/etc"].contains($0.path)
        }) {
            let volume = guest.volumes[hidden.volume]
            return
                "\(hidden.path) lies on \(volume.name) (\(volume.identity.kind.rawValue)), which cannot be read, and may hold names that must change; "
                + closedMenuRemedy
        }
        if entries.isEmpty,
            let esp = guest.mounts.first(where: { !$0.isReadable && ["/boot/efi", "/efi"].contains($0.path) })
        {
            return
                "the boot menu lies on \(guest.volumes[esp.volume].name) (\(esp.path)), which cannot be read, and may hold names that must change; "
                + closedMenuRemedy
        }
        if entries.isEmpty, let problem = missingBoot() { return problem }
        if entries.isEmpty, guest.inspection.hasBootFiles, !hasKnownLoader {
            return
                "the guest's boot loader is none that is known here: its configuration was not found; give its root= a "
                + "UUID by hand, or install GRUB in the guest"
        }
        let judged = verdicts.filter { verdict in
            guest.files.contains { $0.kind != .lilo && $0.file.displayPath == verdict.path }
        }
        let defaults = judged.filter(\.isDefault)
        let deciding = defaults.isEmpty ? judged : defaults
        let reasons = deciding.compactMap { verdict -> String? in
            if case .cannot(let reason) = verdict.outcome { "“\(verdict.title)”: \(reason)" } else { nil }
        }
        guard let first = reasons.first, reasons.count == deciding.count else { return nil }
        return "the guest cannot boot on \(request.target.hypervisor.title): \(first)"
    }

    private var closedMenuRemedy: String {
        "give its entries UUID= names in the running guest, then copy the disk with `diskgraft convert`"
    }

    /// The fstab mounts a /boot that was not found: the menu is on it.
    private func missingBoot() -> String? {
        for reference in references where reference.kind == .fstab && reference.use == "device of /boot" {
            if case .unresolved(let reason) = reference.resolution {
                return "the boot menu was not found: /boot is \(reference.text), and \(reason)"
            }
        }
        return nil
    }

    private var hasKnownLoader: Bool {
        guest.files.contains {
            [
                .grubLegacy, .grub2, .grubEnvironment, .loaderEntry, .systemdBoot, .syslinux, .lilo,
                .grubDefaults,
                .deviceMap,
            ].contains($0.kind)
        }
    }
}

extension Guest {
    /// A partition for UEFI's loaders is there.
    package var hasEFISystemPartition: Bool {
        volumes.contains { $0.typeName == "EFI System" } || mounts.contains { $0.path == "/boot/efi" }
    }
}
