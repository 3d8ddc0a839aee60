/// A machine without boot entries of its own looks for one file on the EFI system partition.
enum FirmwareEntry: PlanStep {
    static let repair = Repair.defaultEntry

    static func contribute(to draft: inout PlanDraft) {
        let inspection = draft.guest.inspection
        guard draft.machineNeeds.firmware != .bios, draft.guest.hasUEFILoader,
            inspection.hasFallbackLoader != true
        else { return }
        guard inspection.hasFallbackLoader == false else {
            draft.advise(
                .defaultEntry, nil,
                "a new machine's firmware starts EFI/BOOT/BOOTX64.EFI of the EFI system partition, whose files cannot be looked at here: where it is not there, copy the loader to that name in the running guest"
            )
            return
        }
        let vendors = inspection.efiVendors.joined(separator: ", ")
        draft.advise(
            .defaultEntry, nil,
            "EFI/BOOT/BOOTX64.EFI is missing on the EFI system partition: the new machine's firmware knows no other entry; copy the loader there\(vendors.isEmpty ? "" : " from EFI/\(vendors)")"
        )
    }
}
