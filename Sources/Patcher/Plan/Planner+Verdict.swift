internal import Storage

extension Planner {
    /// Judges every kernel entry, as it will be once the drafts' edits are made.
    func verdicts() -> [EntryVerdict] {
        entries.filter { $0.entry.kernel != nil }.map { verdict($0.file, $0.entry) }
    }

    private func verdict(_ file: ScannedFile, _ entry: BootEntry) -> EntryVerdict {
        var notes: [String] = []
        if entry.isXenMultiboot { notes.append("it boots the Xen hypervisor first") }
        var symptom: String?
        var outcome: EntryVerdict.Outcome
        if let reason = firmwareMisfit() {
            outcome = .cannot(reason)
        } else if entry.looksXenOnly, !entry.isXenMultiboot, !request.target.hypervisor.hasAliasedDiskNames {
            outcome = .cannot(
                "its kernel is built for Xen alone and cannot start on \(request.target.hypervisor.title)")
            symptom = "Error 13: Invalid or unsupported executable format"
        } else if let reason = rootProblem(file, entry) {
            outcome = .cannot(reason)
            symptom =
                entry.initrds.isEmpty
                ? "VFS: Cannot open root device" : "Gave up waiting for root file system device"
        } else {
            outcome = isEdited ? .bootsWithEdits : .boots
        }
        return EntryVerdict(
            path: file.file.displayPath, title: entry.title, kernel: entry.kernel,
            isDefault: isDefault(file, entry), outcome: outcome, drivers: .notChecked, symptom: symptom,
            notes: notes)
    }

    private var isEdited: Bool { drafts.values.contains { !$0.edits.isEmpty } || !extraActions.isEmpty }

    private func firmwareMisfit() -> String? {
        guard request.target.firmware == .uefi, !guest.hasEFISystemPartition else { return nil }
        return
            "\(request.target.name) boots with UEFI, and the guest has no EFI system partition; --to hyperv has a BIOS"
    }

    /// Why the entry's root will not be found.
    private func rootProblem(_ file: ScannedFile, _ entry: BootEntry) -> String? {
        guard let argument = entry.commandLine.last("root"), let range = argument.valueRange else {
            return nil
        }
        let text = file.bytes.text(range)
        let name = DeviceName(text)
        if entry.initrds.isEmpty {
            switch name {
            case .uuid, .label:
                return "root=\(text) needs an initramfs, and the entry has none"
            default: break
            }
        }
        let reference = references.first { $0.file == file.file.key && $0.range == range }
        guard case .unresolved(let reason) = reference?.resolution else { return nil }
        return name.isPositional ? "root=\(text): \(reason)" : nil
    }

    /// Whether the entry boots by itself.
    func isDefault(_ file: ScannedFile, _ entry: BootEntry) -> Bool {
        switch file.syntax {
        case .grubLegacy(let menu): return menu.defaultIndex == entry.index
        case .grub2: return entry.index == 0
        default: return false
        }
    }

    /// Why nothing is to be written at all.
    func refusal(_ verdicts: [EntryVerdict]) -> String? {
        for (index, volume) in guest.volumes.enumerated() where volume.identity.isHibernated {
            return
                "\(volume.name) (volume \(index + 1)) holds a suspended system: start the guest and shut it down first"
        }
        let reasons = verdicts.compactMap { verdict -> String? in
            if case .cannot(let reason) = verdict.outcome { reason } else { nil }
        }
        guard let first = reasons.first, reasons.count == verdicts.count else { return nil }
        return "no kernel of this guest boots on \(request.target.hypervisor.title): \(first)"
    }
}

extension Guest {
    /// A partition for UEFI's loaders is there.
    package var hasEFISystemPartition: Bool {
        volumes.contains { $0.typeName == "EFI System" } || mounts.contains { $0.path == "/boot/efi" }
    }
}
