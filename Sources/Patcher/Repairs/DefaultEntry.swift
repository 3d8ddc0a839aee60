extension Planner {
    /// Why an entry's kernel cannot start on the target, whatever its names and drivers.
    func startProblem(_ entry: BootEntry) -> String? {
        if entry.isXenMultiboot {
            return
                "it boots the Xen hypervisor, which is not supported inside a guest of \(request.target.hypervisor.title)"
        }
        guard isXenOnly(entry), !bootsParavirtualized else { return nil }
        let place =
            request.target.hypervisor == .xenserver
            ? "a XenServer guest with emulated disks" : request.target.hypervisor.title
        return "its kernel is built for Xen's own interface alone and cannot start on \(place)"
    }

    /// The guest's kernel may be one that Xen starts itself. With emulated disks it runs on emulated firmware.
    private var bootsParavirtualized: Bool {
        request.target.hypervisor == .xenserver && controller == .xenBlkfront
    }

    private func isXenOnly(_ entry: BootEntry) -> Bool {
        let options = guest.inspection.kernel(entry.kernelRelease)?.options ?? [:]
        return options.isEmpty
            ? entry.looksXenOnly : options["CONFIG_X86_XEN"] == "y" || options["CONFIG_X86_64_XEN"] == "y"
    }

    /// Whether a kernel for bare machines cannot drive Xen's disks: a 2.6.36 could first, unless it was given the
    /// drivers (RHEL 5's CONFIG_XEN_PV_ON_HVM).
    private func lacksXenDisk(_ entry: BootEntry) -> Bool {
        guard bootsParavirtualized, !isXenOnly(entry), !entry.isXenMultiboot else { return false }
        if let options = guest.inspection.kernel(entry.kernelRelease)?.options, !options.isEmpty {
            return options["CONFIG_XEN_BLKDEV_FRONTEND"] == nil && options["CONFIG_XEN_PV_ON_HVM"] == nil
        }
        return entry.kernelVersion.map { isVersion($0, below: [2, 6, 36]) } ?? false
    }

    /// Back on Xen: a default that cannot drive Xen's disks gives way to the newest kernel that was built for Xen.
    mutating func returnToXenKernel() {
        for (file, entry) in guest.defaultEntries where lacksXenDisk(entry) {
            let others = entries.filter { other in
                isXenOnly(other.entry) && !other.entry.isXenMultiboot
                    && other.file.file.key == file.file.key
            }
            guard let best = others.max(by: { isWorse($0.entry, than: $1.entry) }) else { continue }
            let reason =
                "“\(entry.title)” has no driver for Xen's disks; the kernel of “\(best.entry.title)” is built for Xen"
            guard moveDefault(file, to: best.file, best.entry, reason) else { continue }
            newDefaults[file.file.key] = (best.file.file.key, best.entry.index)
            for settings in guest.files(.sysconfigKernel) {
                guard let value = settings.variables?.last("DEFAULTKERNEL"), value.text == "kernel" else {
                    continue
                }
                edit(
                    settings, value.valueRange, "kernel-xen", .defaultEntry,
                    "the next kernel update would make a kernel without Xen's disks the default again")
            }
        }
    }

    /// Moves the default away from an entry that cannot start to the newest that can, in the same loader.
    mutating func repairDefaultEntry() {
        for (file, entry) in guest.defaultEntries where startProblem(entry) != nil {
            let others = entries.filter { other in
                other.entry.kernel != nil && startProblem(other.entry) == nil
                    && (other.file.file.key == file.file.key
                        || (file.kind == .loaderEntry && other.file.kind == .loaderEntry))
            }
            guard let best = others.max(by: { isWorse($0.entry, than: $1.entry) }) else { continue }
            let reason =
                "“\(entry.title)” cannot start on \(request.target.hypervisor.title); “\(best.entry.title)” can"
            if moveDefault(file, to: best.file, best.entry, reason) {
                newDefaults[file.file.key] = (best.file.file.key, best.entry.index)
            }
        }
    }

    /// `--drivers fallback`: the entry whose initramfs was made for any machine becomes the default.
    mutating func preferFallbackInitramfs() {
        guard request.usesFallbackInitramfs else { return }
        for (file, entry) in guest.defaultEntries
        where newDefaults[file.file.key] == nil && !isFallback(entry) {
            let others = entries.filter { other in
                isFallback(other.entry) && startProblem(other.entry) == nil
                    && (other.file.file.key == file.file.key
                        || (file.kind == .loaderEntry && other.file.kind == .loaderEntry))
            }
            guard let best = others.max(by: { isWorse($0.entry, than: $1.entry) }) else {
                advise(.defaultEntry, file, "the guest has no entry with a rescue or fallback initramfs")
                continue
            }
            let reason = "the initramfs of “\(best.entry.title)” has the drivers of any machine"
            if moveDefault(file, to: best.file, best.entry, reason) {
                newDefaults[file.file.key] = (best.file.file.key, best.entry.index)
            }
        }
    }

    /// Red Hat's 0-rescue and Arch's fallback image are built without regard to the machine.
    private func isFallback(_ entry: BootEntry) -> Bool {
        entry.initrds.contains { $0.contains("-0-rescue-") || $0.contains("-fallback") }
    }

    private func isWorse(_ one: BootEntry, than other: BootEntry) -> Bool {
        if one.isRescue != other.isRescue { return one.isRescue }
        let order = LoaderEntry.compareVersions(one.kernelRelease ?? "", other.kernelRelease ?? "")
        return order == 0 ? one.index > other.index : order < 0
    }

    private mutating func moveDefault(
        _ file: ScannedFile, to target: ScannedFile, _ entry: BootEntry, _ reason: String
    ) -> Bool {
        switch file.syntax {
        case .grubLegacy(let menu):
            if let range = menu.defaultRange {
                return edit(file, range, "\(entry.index)", .defaultEntry, reason)
            }
            let start = menu.entries.first?.range.lowerBound ?? 0
            return edit(file, start..<start, "default \(entry.index)\n", .defaultEntry, reason)
        case .grub2(let menu): return moveGRUB2Default(file, menu, entry, reason)
        case .loaderEntry:
            guard case .loaderEntry(let one) = target.syntax else { return false }
            if let wanted = guest.systemdBootDefault {
                return edit(wanted.file, wanted.range, one.identifier + ".conf", .defaultEntry, reason)
            }
            guard let saved = guest.savedEntry else { return false }
            return edit(saved.file, saved.range, one.identifier, .defaultEntry, reason)
        case .syslinux(let menu):
            guard menu.menuDefaultIndex == nil, let range = menu.defaultRange,
                let label = entry.identifiers.first
            else { return false }
            return edit(file, range, label, .defaultEntry, reason)
        default: return false
        }
    }

    private mutating func moveGRUB2Default(
        _ file: ScannedFile, _ menu: GRUB2Config, _ entry: BootEntry, _ reason: String
    ) -> Bool {
        // Identifiers outlive a menu that is made anew; without them the place in the menu must do.
        let hasIdentifiers = entry.menuPath.allSatisfy { $0.names.count > 1 }
        let name =
            hasIdentifiers
            ? entry.menuPath.map { $0.names[1] }.joined(separator: ">")
            : entry.menuPath.map { "\($0.index)" }.joined(separator: ">")
        var moved = false
        if menu.defaults.contains(where: { $0.text.contains("saved_entry") }), let saved = guest.savedEntry {
            moved = edit(saved.file, saved.range, name, .defaultEntry, reason)
        } else {
            for value in menu.defaults where !value.text.isEmpty && !value.text.contains("$") {
                moved = edit(file, value.valueRange, name, .defaultEntry, reason) || moved
            }
        }
        for settings in guest.files(.grubDefaults) {
            guard let value = settings.variables?.last("GRUB_DEFAULT"), value.text != "saved", !value.isOpaque
            else {
                continue
            }
            let text = value.quote == nil ? "\"\(name)\"" : name
            edit(settings, value.valueRange, text, .defaultEntry, reason)
        }
        return moved
    }

    /// Red Hat's installer of kernels makes the next kernel of this package the default.
    mutating func repairDefaultKernelPackage() {
        // Where Xen starts kernels itself, a Xen kernel may be what is wanted, unless the default just had to leave one.
        let leavesXen = guest.defaultEntries.contains { file, entry in
            startProblem(entry) != nil && newDefaults[file.file.key] != nil
        }
        guard !bootsParavirtualized || leavesXen else { return }
        for file in guest.files(.sysconfigKernel) {
            guard let value = file.variables?.last("DEFAULTKERNEL"),
                value.text.hasSuffix("-xen") || value.text == "kernel-xenU"
            else { continue }
            edit(
                file, value.valueRange, "kernel", .defaultEntry,
                "the next kernel update would make a Xen kernel the default again")
        }
    }
}
