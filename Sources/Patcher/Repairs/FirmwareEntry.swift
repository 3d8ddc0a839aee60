/// A machine without boot entries of its own looks for one file on the EFI system partition.
enum FirmwareEntry: PlanStep {
    static let repair = Repair.defaultEntry

    static func contribute(to draft: inout PlanDraft) {
        let inspection = draft.guest.inspection
        guard draft.guest.hasUEFILoader, inspection.hasFallbackLoader != true else { return }
        let vendors = inspection.efiVendors.joined(separator: ", ")
        let state = inspection.hasFallbackLoader == false ? "is missing" : "could not be looked for"
        draft.advise(
            .defaultEntry, nil,
            "EFI/BOOT/BOOTX64.EFI \(state) on the EFI system partition: the new machine's firmware knows no other entry; copy the loader there\(vendors.isEmpty ? "" : " from EFI/\(vendors)")"
        )
    }
}
