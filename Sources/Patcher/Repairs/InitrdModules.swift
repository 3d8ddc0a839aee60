internal import Initramfs

/// SUSE's list of modules for mkinitrd.
enum InitrdModules: PlanStep {
    static let repair = Repair.settings
    static let reads: [any ConfigurationSyntax.Type] = [SysconfigKernel.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(SysconfigKernel.self) { repair(file, &draft) }
    }

    private static func repair(_ file: ParsedFile<SysconfigKernel>, _ draft: inout PlanDraft) {
        // Some are in other packages than the kernel's; mkinitrd stops at a module that it does not find.
        let isElsewhere = draft.controller == .storvsc || draft.controller == .xenBlkfront
        var wanted = isElsewhere ? [] : draft.controller.modules
        // What is added to its initrd is there.
        if draft.drivers.overlays.contains(where: { $0.generator == .suseMkinitrd }) {
            wanted += draft.drivers.modulesOfNextInitramfs.filter { !wanted.contains($0) }
        }
        guard let list = file.syntax.variables.last("INITRD_MODULES"), !list.isOpaque, list.quote != nil
        else {
            return
        }
        let present = Set(list.text.split(whereSeparator: \.isWhitespace).map(String.init))
        let missing = wanted.filter { !present.contains($0) }
        // The old IDE driver is built in.
        guard !missing.isEmpty, !(draft.controller == .ide && draft.usesOldIDEDriver()) else { return }
        let end = list.valueRange.upperBound
        let text = (list.text.isEmpty ? "" : " ") + missing.joined(separator: " ")
        draft.edit(
            file.file, end..<end, text, .settings,
            "the next initrd needs the driver of \(draft.controller.rawValue)")
    }
}
