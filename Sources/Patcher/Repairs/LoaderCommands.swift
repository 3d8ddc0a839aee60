/// A menu that was made under one firmware may use commands that GRUB has under no other: `linux16` of Red Hat's for a BIOS,
/// `linuxefi` for UEFI.
enum LoaderCommands: PlanStep {
    static let repair = Repair.efi
    static let after: [any PlanStep.Type] = [FallbackLoader.self]

    static func contribute(to draft: inout PlanDraft) {
        for item in draft.guest.bootEntries {
            for word in draft.lackingCommands(of: item) {
                guard let common = GRUBCommandWord.common[word.name] else { continue }
                draft.edit(
                    item.file, word.range, common, .efi,
                    "the GRUB that starts there has no command \(word.name)")
            }
        }
    }
}
