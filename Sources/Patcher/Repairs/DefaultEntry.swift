extension Planner {
    /// The entry that boots by itself in the guest as it was found, for each loader: the file and the entry.
    var defaults: [(file: ScannedFile, entry: BootEntry)] {
        var found: [(ScannedFile, BootEntry)] = []
        for file in guest.files {
            switch file.syntax {
            case .grubLegacy(let menu):
                let index = menu.defaultIndex ?? 0
                if let entry = menu.entries.first(where: { $0.index == index }) {
                    found.append((file, entry))
                }
            case .grub2(let menu):
                if !menu.entries.isEmpty, let entry = defaultEntry(menu) { found.append((file, entry)) }
            case .syslinux(let menu):
                if let entry = menu.entries.first(where: { $0.index == menu.defaultIndex }) {
                    found.append((file, entry))
                }
            case .lilo(let menu):
                let entry = menu.entries.first { $0.title == menu.defaultText } ?? menu.entries.first
                if let entry { found.append((file, entry)) }
            default: break
            }
        }
        if let entry = defaultLoaderEntry() { found.append(entry) }
        return found
    }

    /// What grub.cfg sets `default` to: a literal, or what the environment block has saved.
    private func defaultEntry(_ menu: GRUB2Config) -> BootEntry? {
        let usesSaved = menu.defaults.contains { $0.text.contains("saved_entry") }
        if usesSaved, let saved = savedEntry?.text, let entry = menu.entry(named: saved) { return entry }
        let literal = menu.defaults.last { !$0.text.isEmpty && !$0.text.contains("$") }
        if let literal, let entry = menu.entry(named: literal.text) { return entry }
        return menu.entries.first
    }

    /// `saved_entry` of the environment block.
    var savedEntry: (file: ScannedFile, range: Range<Int>, text: String)? {
        for file in guest.files(.grubEnvironment) {
            if case .grubEnvironment(let block) = file.syntax, let saved = block.last("saved_entry") {
                return (file, saved.valueRange, saved.text)
            }
        }
        return nil
    }

    private var loaderEntries: [(file: ScannedFile, entry: LoaderEntry)] {
        guest.files(.loaderEntry).compactMap { file in
            if case .loaderEntry(let entry) = file.syntax { (file, entry) } else { nil }
        }
    }

    private func defaultLoaderEntry() -> (ScannedFile, BootEntry)? {
        let sorted = loaderEntries.sorted { LoaderEntry.isAhead($0.entry, of: $1.entry) }
        let chosen =
            systemdBootDefault.flatMap { wanted in
                sorted.first { matches($0.entry.identifier, pattern: wanted.text) }
            } ?? savedEntry.flatMap { saved in sorted.first { $0.entry.identifier == saved.text } }
            ?? sorted.first
        return chosen.map { ($0.file, $0.entry.entry) }
    }

    /// loader.conf's `default`.
    private var systemdBootDefault: (file: ScannedFile, range: Range<Int>, text: String)? {
        for file in guest.files(.systemdBoot) {
            for row in file.rows where row.words.first == "default" && row.words.count > 1 {
                return (file, row.ranges[1], row.words[1])
            }
        }
        return nil
    }

    /// systemd-boot's patterns: with or without ".conf", "*" for anything.
    private func matches(_ identifier: String, pattern: String) -> Bool {
        let pattern = pattern.hasSuffix(".conf") ? String(pattern.dropLast(5)) : pattern
        guard let star = pattern.firstIndex(of: "*") else { return identifier == pattern }
        return identifier.hasPrefix(pattern[..<star])
    }

    /// Why an entry's kernel cannot start on the target, whatever its names and drivers.
    func startProblem(_ entry: BootEntry) -> String? {
        if entry.isXenMultiboot {
            return
                "it boots the Xen hypervisor, which does not drive \(request.target.hypervisor.title)'s disks for the guest"
        }
        let isXenOnly = guest.inspection.kernel(entry.kernelRelease)?.isXenOnly ?? entry.looksXenOnly
        if isXenOnly {
            return
                "its kernel is built for Xen's own interface alone and cannot start on \(request.target.hypervisor.title)"
        }
        return nil
    }

    /// Moves the default away from an entry that cannot start to the newest that can, in the same loader.
    mutating func repairDefaultEntry() {
        for (file, entry) in defaults where startProblem(entry) != nil {
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
            if let wanted = systemdBootDefault {
                return edit(wanted.file, wanted.range, one.identifier + ".conf", .defaultEntry, reason)
            }
            guard let saved = savedEntry else { return false }
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
        if menu.defaults.contains(where: { $0.text.contains("saved_entry") }), let saved = savedEntry {
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
        guard !request.target.hypervisor.hasAliasedDiskNames || newDefaults.isEmpty == false else { return }
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
