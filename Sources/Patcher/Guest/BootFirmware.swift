internal import Storage

/// What can start a guest from its disks.
package struct BootFirmware: Sendable, Equatable {
    /// A disk with code for a BIOS (0 is the first given); nil when there is none, or nobody looked.
    package var biosDisk: Int?
    /// Somebody looked at the first sectors.
    package var isBIOSKnown: Bool
    /// UEFI has started it: there is an EFI system partition, or a loader of such.
    package var hasUEFI: Bool
    /// The disk with the EFI system partition; nil when it cannot be told.
    package var uefiDisk: Int?

    /// UEFI starts it and a BIOS does not.
    package var isUEFIOnly: Bool { isBIOSKnown && biosDisk == nil && hasUEFI }
    /// Neither does.
    package var isMissing: Bool { isBIOSKnown && biosDisk == nil && !hasUEFI }
    /// For people: "BIOS and UEFI".
    package var summary: String {
        switch (biosDisk != nil, hasUEFI) {
        case (true, true): "BIOS and UEFI"
        case (true, false): "BIOS"
        case (false, true): isBIOSKnown ? "UEFI" : "UEFI (whether a BIOS starts it too was not looked at)"
        case (false, false): isBIOSKnown ? "none: no boot code, no EFI system partition" : "BIOS"
        }
    }
}

extension LinuxSystem {
    /// What can start it.
    package var firmware: BootFirmware {
        let codes = frame.bootCode
        let started = codes.indices.filter { codes[$0] != .none }
        // Of several, the one that holds the menu.
        let home = disk(of: mounts.first { $0.path == "/boot" }?.volume ?? rootVolume)
        return BootFirmware(
            biosDisk: started.first { $0 == home } ?? started.first, isBIOSKnown: !codes.isEmpty,
            hasUEFI: hasUEFILoader, uefiDisk: efiSystemPartition.flatMap { disk(of: $0) })
    }

    /// The volume for UEFI's loaders.
    package var efiSystemPartition: Int? {
        mounts.first { ["/boot/efi", "/efi"].contains($0.path) }?.volume
            ?? volumes.firstIndex { $0.isEFISystemPartition }
    }

    /// A partition for UEFI's loaders is there.
    package var hasEFISystemPartition: Bool {
        volumes.contains { $0.isEFISystemPartition } || mounts.contains { $0.path == "/boot/efi" }
    }

    /// Something shows that UEFI has booted it.
    var hasUEFILoader: Bool {
        hasEFISystemPartition || inspection.hasFallbackLoader != nil
            || !files(SystemdBootConfiguration.self).isEmpty
    }

    /// What the first sector starts that a BIOS goes to; nil when nobody looked.
    var bootCode: BootCode? {
        frame.bootCode.isEmpty ? nil : firmware.biosDisk.map { frame.bootCode[$0] } ?? BootCode.none
    }

    /// The disk that a volume lies on; nil for one that may lie on several.
    private func disk(of volume: Int) -> Int? {
        switch volumes[volume].location {
        case .wholeDisk(let disk), .partition(let disk, _): disk
        case .logicalVolume, .array: nil
        }
    }
}
