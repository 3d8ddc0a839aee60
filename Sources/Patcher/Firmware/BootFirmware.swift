internal import GuestTree
internal import Storage

/// What can start a guest from its disks.
package struct BootFirmware: Sendable, Equatable {
    /// What a UEFI finds.
    package enum UEFI: Sendable, Equatable {
        /// No EFI system partition, or none with a program.
        case nothing
        /// A partition that could not be read.
        case unread
        /// Programs; the state of the one that a machine without boot entries starts.
        case programs(PEImage.Machine, FallbackState)
    }

    /// A disk with code for a BIOS (0 is the first given); nil when there is none, or nobody looked.
    package var biosDisk: Int?
    /// Somebody looked at the first sectors.
    package var isBIOSKnown: Bool
    /// What a UEFI finds.
    package var uefi: UEFI
    /// The disk with the EFI system partition; nil when it cannot be told.
    package var uefiDisk: Int?

    /// UEFI starts it: as it is, or with boot entries in the machine's own memory.
    package var hasUEFI: Bool { uefi != .nothing }
    /// Firmware of 32 bits starts it, and no other.
    var isOf32Bits: Bool { if case .programs(.ia32, _) = uefi { true } else { false } }
    /// UEFI starts it and a BIOS does not.
    package var isUEFIOnly: Bool { isBIOSKnown && biosDisk == nil && hasUEFI }
    /// Neither does.
    package var isMissing: Bool { isBIOSKnown && biosDisk == nil && !hasUEFI }
    /// What keeps a machine without boot entries from starting it by UEFI, and the program; nil where nothing does that is known.
    package var fallbackProblem: (program: String, problem: FallbackState.Problem)? {
        guard case .programs(let machine, let state) = uefi, let problem = state.problem else { return nil }
        return ("EFI/BOOT/BOOT\(machine.suffix.uppercased()).EFI", problem)
    }
    /// For people: "BIOS and UEFI (x64)".
    package var summary: String {
        switch (biosDisk != nil, hasUEFI) {
        case (true, true): "BIOS and \(uefiSummary)"
        case (true, false): "BIOS"
        case (false, true):
            isBIOSKnown ? uefiSummary : "\(uefiSummary) (whether a BIOS starts it too was not looked at)"
        case (false, false): isBIOSKnown ? "none: no boot code, no loader for UEFI" : "BIOS"
        }
    }

    private var uefiSummary: String {
        guard case .programs(let machine, _) = uefi else { return "UEFI" }
        return "UEFI (\(machine.suffix))"
    }
}

extension LinuxSystem {
    /// What can start it, by what `hasUEFILoader` says.
    func findFirmware() -> BootFirmware {
        let codes = frame.bootCode
        let started = codes.indices.filter { codes[$0] != .none }
        // Of several, the one that holds the menu.
        let home = Self.disk(of: volumes[mounts.first { $0.path == "/boot" }?.volume ?? rootVolume])
        return BootFirmware(
            biosDisk: started.first { $0 == home } ?? started.first, isBIOSKnown: !codes.isEmpty,
            uefi: uefi, uefiDisk: efiSystemPartition.flatMap { Self.disk(of: volumes[$0]) })
    }

    private var uefi: BootFirmware.UEFI {
        guard let efi = inspection.efi else { return hasUEFILoader ? .unread : .nothing }
        guard !efi.loaders.isEmpty else { return .nothing }
        return .programs(efiMachine, FallbackState(efi, efiMachine))
    }

    /// The machine whose loaders start the guest: its own where there are loaders for it.
    var efiMachine: PEImage.Machine {
        let there = inspection.efi?.loaders.compactMap(\.machine) ?? []
        if let own = PEImage.Machine(architecture: inspection.architecture) ?? inspection.kernelMachine {
            // Firmware and kernel of one family may differ in their bits.
            let others: [PEImage.Machine] = [.x64, .ia32].contains(own) ? [.x64, .ia32] : []
            return there.contains(own) ? own : others.first(where: there.contains) ?? own
        }
        return PEImage.Machine.allCases.first(where: there.contains) ?? .x64
    }

    /// The volume for UEFI's loaders.
    package var efiSystemPartition: Int? {
        inspection.efi?.volume
            ?? Self.efiSystemPartition(mounts: mounts, volumes: volumes, root: rootVolume)
    }

    /// Whether something shows that UEFI has booted it.
    func findsUEFILoader() -> Bool {
        if let efi = inspection.efi { return !efi.loaders.isEmpty }
        if efiSystemPartition != nil { return true }
        // Firmware reads neither from the root's own file system; a partition that is not given may hide behind a row.
        let hidden = files.lazy.compactMap { $0.syntax as? Fstab }.first?.rows.map(\.mountPoint).filter {
            row in
            !mounts.contains { $0.path == row }
        }
        func isForFirmware(_ volume: Int, _ places: [String]) -> Bool {
            volumes[volume].identity.kind.isReadByFirmware || volumes[volume].isExtendedBoot
                || places.contains { hidden?.contains($0) == true }
        }
        return inspection.loaderDirectories.contains { isForFirmware($0.value, [$0.key]) }
            || files.contains { file in
                type(of: file.syntax).showsUEFILoader
                    && isForFirmware(file.file.volume, ["/boot/efi", "/efi", "/boot"])
            }
    }

    /// What the first sector starts that a BIOS goes to; nil when nobody looked.
    var bootCode: BootCode? {
        frame.bootCode.isEmpty ? nil : firmware.biosDisk.map { frame.bootCode[$0] } ?? BootCode.none
    }

    /// What would put a loader where a machine without boot entries looks for it; nil where one is there, or none can be
    /// made that would work.
    var fallbackMaking: FallbackMaking? {
        guard let efi = inspection.efi, case .programs(let machine, let state) = firmware.uefi else {
            return nil
        }
        return FallbackMaking(efi, machine, state, system: release?.foldedName ?? "")
    }

    /// Why nothing can be put where no program is; nil where nothing shows that.
    var fallbackObstacle: FallbackState.Problem? {
        guard let efi = inspection.efi, case .programs(let machine, let state) = firmware.uefi else {
            return nil
        }
        return FallbackSearch(partition: efi, machine: machine, system: release?.foldedName ?? "")
            .obstacle(state)
    }

    /// The last program that UEFI starts once the plan is carried out; nil where none leads anywhere.
    var lastProgram: EFILoader? {
        guard let efi = inspection.efi, case .programs(let machine, var state) = firmware.uefi else {
            return nil
        }
        if state.problem != nil, let fallbackMaking {
            state = FallbackState(efi.after(fallbackMaking), machine)
        }
        return state.problem == nil ? state.programs.last : nil
    }
}
