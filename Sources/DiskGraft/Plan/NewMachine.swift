internal import Machines
internal import Patcher
internal import Storage

/// The machine that a plan counts on, to be described for whoever makes it.
struct NewMachine {
    /// What is known of the source's machine; nil where no description of it was given.
    var source: Machine?
    /// The target.
    var target: Target
    /// What the plan says; nil where none was made, and the guest stays as it is.
    var plan: Plan?
    /// The controller that the user asked for.
    var controller: Controller?
    /// The target is a machine of the source's hypervisor, whose words and networks it has.
    var isSamePlatform = false
    /// The addresses that cards get.
    var addresses: [CardAddress]

    /// The machine with these disks, in the order of the source's.
    func machine(named name: String, _ disks: [Machine.Disk]) throws(StorageError) -> Machine {
        var machine = Machine(name: source?.name ?? name)
        machine.firmware = firmware
        machine.hasSecureBoot = machine.firmware == .uefi ? source?.hasSecureBoot : nil
        if machine.hasSecureBoot == true, let unsigned = unsignedLoader {
            machine.hasSecureBoot = false
            machine.notes.append(
                "Secure Boot is off: \(unsigned) is not signed, and the source's machine started it by keys of its own or not at all."
            )
        }
        machine.processorCount = source?.processorCount
        machine.memoryByteCount = source?.memoryByteCount
        machine.operatingSystem = isSamePlatform ? source?.operatingSystem : nil
        machine.cards = cards
        machine.disks = try placed(disks)
        machine.controllers = machine.disks.compactMap(\.controller).reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
        return machine
    }

    /// A program on the new machine's way to the kernel that is there and has no signature; nil where none is known.
    private var unsignedLoader: String? {
        plan?.boot.first { $0.firmware == .uefi }?.steps.first { step in
            step.place.lowercased().hasSuffix(".efi") && step.isThere == true && step.fault == nil
                && step.signers.isEmpty
        }?.place
    }

    private var firmware: Machine.Firmware {
        switch plan?.machine.firmware {
        // The target has no other.
        case _ where target.firmware == .bios: .bios
        case _ where target.firmware == .uefi: .uefi
        case .bios, .pygrub: .bios
        case .uefi: .uefi
        // Both start it: as it was.
        case .either: source?.firmware ?? .bios
        case .unknown, nil: source?.firmware ?? .bios
        }
    }

    /// The source's cards, as the target's first card that the guest has a driver for; one card where nobody says how many.
    private var cards: [Machine.NetworkCard] {
        let model = plan?.cards.first { $0.state == .present }?.name ?? plan?.cards.last?.name
        // What is described without a card has none: it may have been kept off the network.
        guard let old = source?.cards, !old.isEmpty || addresses.isEmpty else {
            let new = addresses.map {
                Machine.NetworkCard(model: model, address: HardwareAddress($0.address)?.text)
            }
            return new.isEmpty ? [Machine.NetworkCard(model: model)] : new
        }
        return old.map { card in
            let address = card.address.flatMap { HardwareAddress($0) }
            let stated = addresses.first { HardwareAddress($0.card) == address && address != nil }
            var new = Machine.NetworkCard(
                model: plan == nil && isSamePlatform ? card.model : model,
                address: (stated.flatMap { HardwareAddress($0.address) } ?? address)?.text,
                // Others name networks in several languages.
                network: isSamePlatform && target == .vmware ? card.network : nil)
            new.isConnected = card.isConnected
            return new
        }
    }

    /// The disks behind the plan's controller, in their order.
    private func placed(_ disks: [Machine.Disk]) throws(StorageError) -> [Machine.Disk] {
        if let kept = keptPlaces(disks) { return kept }
        let described = source?.disks.first?.controller.flatMap { Controller(rawValue: $0.kind.rawValue) }
        let controller =
            plan?.controller ?? self.controller
            ?? described.flatMap { target.controllers.contains($0) ? $0 : nil } ?? target.controllers.first
        guard let controller, let kind = DiskController.Kind(rawValue: controller.rawValue) else {
            return disks
        }
        let isFirstGeneration = target == .hyperv
        // Generation 1 starts what lies first on IDE, whose driver is the synthetic one.
        let first = isFirstGeneration ? DiskController.Kind.ide : kind
        var disks = disks
        let started = plan?.machine.bootDisk ?? 0
        // These start the first of the first controller alone.
        let isByOrder = isFirstGeneration || [.virtualbox, .xenserver].contains(target)
        let order = isByOrder ? [started] + disks.indices.filter { $0 != started } : Array(disks.indices)
        for (place, index) in order.enumerated() where disks.indices.contains(index) {
            let position =
                isFirstGeneration && place >= 2 ? (DiskController.Kind.storvsc, place - 2) : (first, place)
            let (controller, unit) = Self.position(position.1, behind: position.0)
            disks[index].controller = controller
            disks[index].unit = unit
            disks[index].isStarted = index == started
        }
        return disks
    }

    /// The disks where the source had them, where nothing of the guest changes and the target has such controllers.
    private func keptPlaces(_ disks: [Machine.Disk]) -> [Machine.Disk]? {
        guard plan == nil, controller == nil, target != .hyperv, let old = source?.disks,
            old.count == disks.count
        else { return nil }
        let known = Set(target.controllers.map(\.rawValue))
        var kept = disks
        for (index, disk) in old.enumerated() {
            guard let place = disk.controller, disk.unit != nil,
                isSamePlatform || known.contains(place.kind.rawValue)
            else { return nil }
            kept[index].controller = place
            kept[index].unit = disk.unit
            kept[index].isStarted = disk.isStarted || index == 0 && !old.contains(where: \.isStarted)
        }
        return kept
    }

    /// Where disk number `place` lies: SCSI adapters keep an address for themselves, and a second controller follows.
    private static func position(
        _ place: Int, behind kind: DiskController.Kind
    ) -> (controller: DiskController, unit: Int) {
        switch kind {
        case .buslogic, .lsi1030, .lsisas, .pvscsi:
            // Targets 0 to 6; the adapter is 7.
            (DiskController(kind, number: place / 7), place % 7)
        case .sym53c8xx: (DiskController(kind, number: place / 7), place % 7)
        case .ahci: (DiskController(kind, number: place / 6), place % 6)
        default: (DiskController(kind), place)
        }
    }
}
