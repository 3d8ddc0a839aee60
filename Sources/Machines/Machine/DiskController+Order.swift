internal import Storage

extension DiskController.Kind {
    /// Its place among the controllers of one machine, as that machine's firmware goes over them.
    func rank(on platform: Machine.Platform?) -> Int {
        // VMware's starts with SCSI; SeaBIOS and VirtualBox's go by the PCI slots, in which IDE comes first.
        let isOfVMware = platform == .vmware
        switch self {
        case .ide: return isOfVMware ? 3 : 0
        case .ahci: return isOfVMware ? 1 : 1
        case .nvme: return isOfVMware ? 2 : 4
        case .virtioBlk: return 3
        case .usb: return 5
        case .xenBlkfront: return 0
        case .buslogic, .lsi1030, .sym53c8xx, .lsisas, .pvscsi, .megasas, .virtioSCSI, .storvsc:
            return isOfVMware ? 0 : 2
        }
    }
}

extension Machine {
    /// Brings the disks into the order of bus, controller and place; those of which nothing is said stay in their order, last.
    package mutating func sortDisks() {
        let platform = platform
        func key(_ disk: Disk) -> [Int] {
            guard let controller = disk.controller else { return [Int.max, 0, 0] }
            return [controller.kind.rank(on: platform), controller.number, disk.unit ?? Int.max]
        }
        let order = disks.enumerated().sorted { first, second in
            let (one, other) = (key(first.element), key(second.element))
            return one == other ? first.offset < second.offset : one.lexicographicallyPrecedes(other)
        }
        disks = order.map(\.element)
    }

    /// Notes disks that are said to lie in one place: which of them the guest saw there nothing tells.
    mutating func noteSharedPlaces() {
        struct Place: Hashable {
            var controller: DiskController
            var unit: Int
        }
        var known: [Place: String] = [:]
        for disk in disks + absentDisks {
            guard let controller = disk.controller, let unit = disk.unit else { continue }
            let place = Place(controller: controller, unit: unit)
            let name = disk.file.isEmpty ? "a disk without a file" : disk.file.hostBytes.shellText
            guard let other = known.updateValue(name, forKey: place) else { continue }
            notes.append(
                "\(other) and \(name) are said to lie in one place, \(controller.kind.rawValue) \(controller.number) at \(unit): "
                    + "their order is that of the description")
        }
    }
}
