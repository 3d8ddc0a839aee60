internal import GuestTree

/// Where the initramfs cannot be read, and the guest's own settings show that it was made for the old machine alone: what it
/// may lack, and the ways around that.
enum InitramfsDrivers: PlanStep {
    static let repair = Repair.settings
    static let after: [any PlanStep.Type] = [DefaultIsFallback.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.guest.resolver.presentation.hypervisor != draft.hypervisor else { return }
        for found in draft.guest.defaultEntries {
            let moved = draft.movedDefaults[found.key.file]
            let item = moved.flatMap { key in draft.guest.bootEntries.first { $0.key == key } } ?? found
            guard draft.startProblem(item) == nil, !item.entry.initrds.isEmpty,
                isUnknown(draft.drivers(of: item)), !draft.hasGeneralInitramfs(item.entry),
                let danger = danger(draft)
            else { continue }
            let sentence: Sentence =
                "the initramfs of “\(item.entry.title)” may lack \(danger.modules.joined(separator: " and ")) for \(draft.controller.rawValue): \(danger.sign)\(ways(item, draft))"
            draft.advise(.settings, item.file, sentence)
        }
    }

    /// What can be read tells better.
    private static func isUnknown(_ drivers: EntryVerdict.Drivers) -> Bool {
        switch drivers {
        case .notChecked, .unreadable: true
        default: false
        }
    }

    private typealias Danger = (modules: [String], sign: String)

    /// What the initramfs may lack, and what shows it.
    private static func danger(_ draft: PlanDraft) -> Danger? {
        switch draft.guest.release?.family {
        case .redHat?:
            let rows = draft.guest.files(ModprobeConfiguration.self).first { $0.syntax.isMain }?.syntax.rows
            return rows.map { oldMkinitrd($0, draft) } ?? dracut(draft)
        case .suse?: return draft.guest.hasOldSUSEInitrd ? suseMkinitrd(draft) : dracut(draft)
        case .arch?: return (modules(draft), "mkinitcpio puts in what the machine has that it runs on")
        default: return nil
        }
    }

    private static func modules(_ draft: PlanDraft) -> [String] {
        // Since 3.5 ata_piix leaves Hyper-V's IDE disks to hv_storvsc.
        let isHyperV = draft.hypervisor == .hyperv && draft.request.controller != .ide
        let isNew = draft.guest.firstKernelVersion.map { !isVersion($0, below: [3, 5]) } ?? true
        return draft.controller == .ide && isHyperV && isNew
            ? Controller.storvsc.modules : draft.controller.modules
    }

    /// RHEL 4 and 5: what modprobe.conf names.
    private static func oldMkinitrd(_ rows: [FieldTable.Row], _ draft: PlanDraft) -> Danger? {
        let wanted = ModprobeAliases.hostAdapters(draft)
        let named = rows.compactMap(ModprobeAliases.hostAdapter)
        guard !wanted.isEmpty, !named.contains(where: wanted.contains) else { return nil }
        let names = named.isEmpty ? "no disk driver" : named.joined(separator: ", ") + " alone"
        return ([wanted[0]], "it was made from modprobe.conf, which names \(names)")
    }

    /// SLES 10 and 11: what INITRD_MODULES names.
    private static func suseMkinitrd(_ draft: PlanDraft) -> Danger? {
        guard !(draft.controller == .ide && draft.usesOldIDEDriver()) else { return nil }
        let list = draft.guest.files(SysconfigKernel.self).lazy
            .compactMap { $0.syntax.variables.last("INITRD_MODULES") }.first
        guard let list, !list.isOpaque else { return nil }
        let named = list.text.split(whereSeparator: \.isWhitespace).map(String.init)
        let missing = draft.controller.modules.filter { !named.contains($0) }
        guard !missing.isEmpty else { return nil }
        return (
            missing, "INITRD_MODULES of /etc/sysconfig/kernel names \(named.joined(separator: ", ")) alone"
        )
    }

    /// dracut of RHEL 7, SLES 12 and later puts in what the machine needs that it runs on, unless told otherwise.
    private static func dracut(_ draft: PlanDraft) -> Danger? {
        let release = draft.guest.release
        let isHostOnly = release?.family == .suse || release?.major.map { $0 >= 7 } ?? false
        guard isHostOnly, release?.countsOtherwise == false else { return nil }
        let settings = draft.guest.files(InitramfsPolicy.self).flatMap(\.syntax.variables.assignments)
        guard settings.last(where: { $0.name == "hostonly" })?.text != "no" else { return nil }
        let added = settings.filter { $0.name == "add_drivers" || $0.name == "force_drivers" }
            .flatMap { $0.text.split(whereSeparator: \.isWhitespace).map(String.init) }
        let missing = modules(draft).filter { !added.contains($0) }
        return missing.isEmpty ? nil : (missing, "dracut puts in what the machine has that it runs on")
    }

    private static func ways(_ item: MenuEntry, _ draft: PlanDraft) -> Sentence {
        if let fallback = draft.fallback(beside: item) {
            return
                "; “\(fallback.entry.title)” has the drivers of any machine (\(remedy: .fallbackEntry))"
        }
        let builtIn = draft.target.controllers.first {
            $0 != draft.controller && draft.drivers.state(of: item, behind: $0) == .present
        }
        if let builtIn { return "; its kernel has the driver for \(remedy: .controller(builtIn))" }
        if let stale = draft.staleRescue(beside: item) {
            return
                "; “\(stale.entry.title)” is of no use, for the modules of its kernel \(stale.release) are not installed any more; make the initramfs anew in the running guest before the move"
        }
        return "; make the initramfs anew with them in the running guest before the move"
    }
}
