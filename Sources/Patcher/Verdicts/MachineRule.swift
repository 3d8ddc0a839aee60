internal import Storage

/// Firmware and controller: what the target's machine has, and the guest needs.
enum MachineRule: GuestRule, RefusalRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        misfit(draft).map { [VerdictFinding($0)] } ?? []
    }

    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? { misfit(draft) }

    private static func misfit(_ draft: PlanDraft) -> VerdictReason? {
        let target = draft.target
        let firmware = draft.guest.firmware
        if target.firmware == .uefi, firmware.isMissing { return .noBootCode(on: target.hypervisor) }
        // Such machines' UEFI has 64 bits. Another target helps only a disk that a BIOS starts.
        if target.firmware == .uefi, !firmware.hasUEFI || firmware.isOf32Bits {
            return .noUEFILoader(target: target.name)
        }
        if target.firmware == .bios, firmware.isUEFIOnly { return .uefiOnly(target: target.name) }
        if let (program, problem) = draft.fallbackObstacle {
            return .noFallbackLoader(program: program, problem)
        }
        if firmware.isMissing, !draft.bootsParavirtualized { return .noBootCode(on: target.hypervisor) }
        if let chosen = draft.request.controller, !target.controllers.contains(chosen) {
            return .controllerNotOffered(chosen, target: target)
        }
        guard isStartedByUEFI(draft.guest, target), !target.startsByUEFI(behind: draft.controller) else {
            return nil
        }
        return .firmwareWithoutDriver(draft.controller, target: target)
    }

    /// Nothing but UEFI starts the guest there.
    static func isStartedByUEFI(_ guest: LinuxSystem, _ target: Target) -> Bool {
        target.firmware == .uefi || guest.firmware.isUEFIOnly
    }
}
