/// What the new machine must be like for the guest to start.
package struct MachineNeeds: Sendable, Equatable {
    /// What starts the guest there.
    package enum Firmware: String, Sendable {
        /// A BIOS.
        case bios
        /// UEFI.
        case uefi
        /// Either.
        case either
        /// Xen's pygrub, without firmware.
        case pygrub
        /// Nobody looked, or nothing on the disks can be started.
        case unknown
    }

    /// What the disks can be started by, as they are.
    package var source: BootFirmware
    /// What the new machine must have.
    package var firmware: Firmware
    /// The controller that the boot disk must be behind.
    package var controller: Controller
    /// The disk with the loader, which must be the first boot device (0 is the first given); nil where it cannot be told.
    package var bootDisk: Int?
    /// How many disks were given; the plan counts on their order.
    package var diskCount: Int

    /// For people, without the controller: "UEFI firmware; disk 1 has the boot loader…".
    package var summary: String {
        var parts: [String] = []
        switch firmware {
        case .bios: parts.append("firmware: BIOS")
        case .uefi: parts.append(source.uefiWords)
        case .either: parts.append("firmware: BIOS or UEFI (the disks boot with both)")
        case .pygrub: parts.append("no firmware: pygrub starts the kernel")
        case .unknown: parts.append("firmware: not known (the disks boot with \(source.summary))")
        }
        parts.append("boot disk behind \(controller.rawValue)")
        if let bootDisk {
            parts.append("disk \(bootDisk + 1) has the boot loader and must be the first boot device")
        }
        if diskCount > 1 { parts.append("\(diskCount) disks in the order given") }
        return parts.joined(separator: "; ")
    }
}

extension PlanDraft {
    /// What the guest needs on the target.
    var machineNeeds: MachineNeeds {
        let source = guest.firmware
        let firmware: MachineNeeds.Firmware =
            if source.isMissing {
                bootsParavirtualized ? .pygrub : .unknown
            } else if target.firmware == .uefi || source.isUEFIOnly {
                .uefi
            } else if !source.isBIOSKnown {
                source.hasUEFI ? .uefi : .unknown
            } else if !source.hasUEFI || target.firmware == .bios || source.fallbackProblem != nil {
                .bios
            } else {
                request.sourceFirmware ?? .either
            }
        let bootDisk = firmware == .uefi ? source.uefiDisk : source.biosDisk
        return MachineNeeds(
            source: source, firmware: firmware, controller: controller, bootDisk: bootDisk,
            diskCount: guest.frame.diskCount)
    }
}

extension BootFirmware {
    /// For people, with the machine where it is not the usual one.
    fileprivate var uefiWords: String {
        switch uefi {
        case .programs(.ia32, _): "firmware: UEFI of 32 bits (IA32)"
        case .programs(.aa64, _): "firmware: UEFI of 64-bit ARM (AA64)"
        case .programs(.riscv64, _): "firmware: UEFI of 64-bit RISC-V"
        case .programs(.x64, _), .nothing, .unread: "firmware: UEFI"
        }
    }
}
