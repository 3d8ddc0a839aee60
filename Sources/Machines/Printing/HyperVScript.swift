/// A PowerShell script for Hyper-V (the Hyper-V module's New-VM and its companions), run as an administrator.
struct HyperVScript {
    private let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    var text: String {
        var lines = [
            "# \(machine.shownName), for Hyper-V: run as an administrator, with the disks beside this file."
        ]
        lines += machine.assumptions.map { "# \($0)" }
        lines.append("param([string]$Switch = '')")
        lines.append("$ErrorActionPreference = 'Stop'")
        lines.append("$Name = \(Self.word(machine.shownName))")
        let memory = machine.memoryMebibytes
        // By object from here on: a name may have wildcards. Generation 2 is UEFI, generation 1 a BIOS.
        lines.append(
            "$VM = New-VM -Name $Name -Generation \(machine.isUEFI ? 2 : 1) -MemoryStartupBytes \((memory + 1) / 2 * 2)MB -NoVHD"
        )
        lines.append("Set-VMProcessor -VM $VM -Count \(machine.shownProcessorCount)")
        lines.append("Set-VMMemory -VM $VM -DynamicMemoryEnabled $false")
        for disk in machine.disks {
            let place = place(of: disk)
            lines.append(
                "Add-VMHardDiskDrive -VM $VM -ControllerType \(place.type) -ControllerNumber \(place.number) "
                    + "-ControllerLocation \(place.location) -Path (Join-Path $PSScriptRoot \(Self.word(disk.file)))"
            )
        }
        if machine.isUEFI {
            if machine.startsSignedLoadersAlone {
                // Linux' loaders are signed by this one of Microsoft's keys.
                lines.append(
                    "Set-VMFirmware -VM $VM -EnableSecureBoot On -SecureBootTemplate MicrosoftUEFICertificateAuthority"
                )
            } else {
                lines.append("Set-VMFirmware -VM $VM -EnableSecureBoot Off")
            }
            if let first = machine.disksInBootOrder.first {
                let place = place(of: first)
                lines.append(
                    "Set-VMFirmware -VM $VM -FirstBootDevice (Get-VMHardDiskDrive -VM $VM "
                        + "-ControllerType \(place.type) -ControllerNumber \(place.number) -ControllerLocation \(place.location))"
                )
            }
        }
        // New-VM gives the machine one card.
        lines.append("Get-VMNetworkAdapter -VM $VM | Remove-VMNetworkAdapter")
        for (index, card) in machine.cards.enumerated() {
            let isLegacy = card.model?.lowercased() == "tulip" && !machine.isUEFI
            let name = Self.word("Network adapter \(index + 1)")
            let address =
                card.address.map { " -StaticMacAddress '\($0.filter { $0 != ":" }.uppercased())'" } ?? ""
            lines.append(
                "$Card = Add-VMNetworkAdapter -VM $VM -Name \(name)\(isLegacy ? " -IsLegacy $true" : "")\(address) -Passthru"
            )
            lines.append(
                "if ($Switch) { Connect-VMNetworkAdapter -VMNetworkAdapter $Card -SwitchName $Switch }")
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private func place(of disk: Machine.Disk) -> (type: String, number: Int, location: Int) {
        let unit = disk.shownUnit
        guard disk.shownController.kind == .ide else {
            return ("SCSI", disk.shownController.number, unit)
        }
        return ("IDE", unit / 2, unit % 2)
    }

    /// A literal word: in single quotes, which are doubled inside. PowerShell takes typographic ones for the same.
    private static func word(_ text: String) -> String {
        let quotes: Set<Character> = ["'", "\u{2018}", "\u{2019}", "\u{201a}", "\u{201b}"]
        return "'" + text.map { quotes.contains($0) ? "\($0)\($0)" : String($0) }.joined() + "'"
    }
}
