internal import HostIO
internal import Machines
internal import Patcher
internal import Storage

/// What the description of the source's machine says, where one was given.
struct SourceMachine: Sendable {
    let machine: Machine
    /// The description's path.
    let path: String
    /// The index of its first disk among those that are given.
    let firstDisk: Int

    /// Its name, for sentences.
    var name: String { HostPath.name(of: path).hostBytes.shellText }

    /// The hypervisor that it is a description of.
    var hypervisor: Hypervisor? {
        switch machine.platform {
        case .vmware: .vmware
        case .virtualbox: .virtualbox
        case .kvm: .kvm
        case .xen: .xenserver
        case .hyperv: .hyperv
        case nil: nil
        }
    }

    /// Names that a guest's driver gives by the place of a disk: of IDE by channel and device, of virtio and Xen by the letter.
    /// Those of SCSI go by the order in which drivers find disks, which no description tells.
    var names: [String: Int] {
        var names: [String: Int] = [:]
        for (index, disk) in machine.disks.enumerated() {
            guard let unit = disk.unit, let kind = disk.controller?.kind else { continue }
            let start: String
            switch kind {
            case .ide: start = "hd"
            case .virtioBlk: start = "vd"
            case .xenBlkfront: start = "xvd"
            default: continue
            }
            guard (0..<26).contains(unit) else { continue }
            let letter = Character(Unicode.Scalar(UInt8(97 + unit)))
            names["/dev/\(start)\(letter)"] = firstDisk + index + 1
        }
        return names.merging(namesAmongAbsent) { first, _ in first }
    }

    /// Names by the order of all disks, where some of them are not given: without these the others would get their names.
    private var namesAmongAbsent: [String: Int] {
        guard !machine.absentDisks.isEmpty else { return [:] }
        var all = Machine()
        // Places are told apart by the file that stands for the index.
        all.platform = machine.platform
        all.disks =
            (machine.disks + machine.absentDisks).enumerated().map { index, disk in
                var disk = disk
                disk.file = "\(index)"
                return disk
            }.filter { $0.controller.map { ![.virtioBlk, .xenBlkfront, .nvme].contains($0.kind) } ?? true }
        all.sortDisks()
        var names: [String: Int] = [:]
        for (place, disk) in all.disks.prefix(26).enumerated() {
            guard let index = Int(disk.file), index < machine.disks.count else { continue }
            names["/dev/sd\(Character(Unicode.Scalar(UInt8(97 + place))))"] = firstDisk + index + 1
        }
        return names
    }

    /// `source` with what the description says and the user did not.
    func completing(_ source: SourceOptions) -> SourceOptions {
        var source = source
        if source.hypervisor == nil, let hypervisor {
            source.hypervisor = hypervisor
            source.statedBy = name
        }
        let isSaid = { (name: String, disk: Int) in
            source.map.contains {
                ($0.key.hasPrefix("/") ? $0.key : "/dev/\($0.key)") == name || $0.value == disk
            }
        }
        for (name, disk) in names where !isSaid(name, disk) { source.map[name] = disk }
        return source
    }

    /// What it says, in a sentence.
    var summary: String {
        var parts: [String] = []
        switch machine.firmware {
        case .uefi: parts.append(machine.hasSecureBoot == true ? "UEFI with Secure Boot" : "UEFI")
        case .bios: parts.append("BIOS")
        case nil: if machine.isParavirtualized { parts.append("no firmware, Xen starts the kernel") }
        }
        for (index, disk) in machine.disks.enumerated() {
            let place = disk.controller.map { controller in
                let number = controller.number > 0 ? " \(controller.number)" : ""
                return " behind \(controller.kind.rawValue)\(number)" + (disk.unit.map { " at \($0)" } ?? "")
            }
            parts.append("disk \(firstDisk + index + 1)\(place ?? "")")
        }
        for card in machine.cards {
            let model = card.model.map { Array($0.utf8).displayText }
            parts.append(
                ["network card", model, card.address].compactMap(\.self).joined(separator: " "))
        }
        return "\(name) says: \(parts.joined(separator: "; ")). What is said here beside it comes first"
    }

    /// What its one card's address says of a guest's one card, where names are to be kept by addresses, the user gives none and no
    /// file of the guest ties the card to any.
    func address(in guest: LinuxSystem, _ options: PlanOptions) -> AddressStatement? {
        guard options.fix.contains(.net), options.cardAddresses.isEmpty, machine.cards.count == 1,
            let address = machine.cards[0].address.flatMap({ HardwareAddress($0) }), address.isOfOneCard
        else { return nil }
        let cards = guest.network.cards
        guard cards.count == 1, cards[0].pins.isEmpty else { return nil }
        return AddressStatement(card: .name(cards[0].name), new: address)
    }

    /// What of the disks contradicts it; nil where nothing does.
    func contradiction(_ firmware: MachineNeeds) -> String? {
        switch machine.firmware {
        case .uefi where !firmware.source.hasUEFI && !firmware.source.isMissing:
            "\(name) says UEFI, and no disk has a loader for it"
        case .bios where firmware.source.isUEFIOnly:
            "\(name) says BIOS, and the disks start by UEFI alone"
        default: nil
        }
    }
}
