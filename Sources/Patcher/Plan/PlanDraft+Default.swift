internal import GuestTree

/// Which entry boots by itself.
extension PlanDraft {
    /// Moves a menu's default to another entry; false when the menu has no place that says so, or it is changed already.
    @discardableResult
    mutating func moveDefault(_ item: MenuEntry, to other: MenuEntry, _ reason: String) -> Bool {
        guard let menu = item.file.syntax.bootMenu else { return false }
        let choice = menu.choose(other, in: item.file, of: guest)
        var moved = false
        for change in choice.changes {
            moved = edit(change.file, change.range, change.text, .defaultEntry, reason) || moved
        }
        for change in choice.settings {
            edit(change.file, change.range, change.text, .defaultEntry, reason)
        }
        if moved { movedDefaults[item.key.file] = other.key }
        return moved
    }
}

extension MenuEntry {
    /// Both are kernels of one entry, in different branches of it.
    func isOfSameEntry(as other: MenuEntry) -> Bool {
        key.file == other.key.file && entry.range == other.entry.range
    }

    /// Whether the loader that offers the other one offers this one too. Loader entries are one menu in many files.
    func isOfSameMenu(as other: MenuEntry) -> Bool {
        key.file == other.key.file || file.isOneEntryOfMany && other.file.isOneEntryOfMany
    }
}

extension [MenuEntry] {
    /// The newest, one that is not for rescue before all others.
    var best: MenuEntry? { self.max { Self.isWorse($0.entry, than: $1.entry) } }

    private static func isWorse(_ one: BootEntry, than other: BootEntry) -> Bool {
        if one.isRescue != other.isRescue { return one.isRescue }
        let order = VersionOrder.compare(one.kernelRelease ?? "", other.kernelRelease ?? "")
        return order == 0 ? one.index > other.index : order < 0
    }
}
