/// Entries that distributions keep for machines that are not the one they were installed on.
extension PlanDraft {
    /// Red Hat's 0-rescue and Arch's fallback image are built without regard to the machine.
    func hasGeneralInitramfs(_ entry: BootEntry) -> Bool {
        entry.initrds.contains { $0.contains("-0-rescue-") || $0.contains("-fallback") }
    }

    /// The release of an entry's kernel whose modules are no longer installed; nil where they are, or nobody can tell. A rescue
    /// kernel is that of the day of installation, and updates remove its modules.
    func releaseWithoutModules(_ entry: BootEntry) -> String? {
        let inspection = guest.inspection
        guard let name = entry.kernel?.split(separator: "/").last,
            let release = inspection.unnamedReleases[String(name)],
            inspection.kernels.contains(where: \.hasModules)
        else { return nil }
        return inspection.kernel(release)?.hasModules == true ? nil : release
    }

    /// The best entry of the same menu with an initramfs for any machine, one of the same kernel before others; nil where there
    /// is none whose kernel starts there and has its modules.
    func fallback(beside item: MenuEntry) -> MenuEntry? {
        let entries = startable(beside: item).filter { hasGeneralInitramfs($0.entry) }
        return entries.filter { $0.entry.kernel == item.entry.kernel }.best ?? entries.best
    }

    /// The entries of the same menu whose kernels start there and have their modules.
    func startable(beside item: MenuEntry) -> [MenuEntry] {
        guest.bootEntries.filter { other in
            other.entry.kernel != nil && startProblem(other) == nil && other.isOfSameMenu(as: item)
                && releaseWithoutModules(other.entry) == nil
        }
    }

    /// An entry of the same menu whose rescue kernel has lost its modules, with the kernel's release.
    func staleRescue(beside item: MenuEntry) -> (entry: BootEntry, release: String)? {
        for other in guest.bootEntries where other.isOfSameMenu(as: item) {
            if let release = releaseWithoutModules(other.entry) { return (other.entry, release) }
        }
        return nil
    }
}
