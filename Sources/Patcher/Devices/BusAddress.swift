/// Where udev's by-path link says that a disk is attached: a controller on the PCI bus, and the place behind it. Paths
/// through anything else (USB, iSCSI, a hypervisor's own bus) tell no order that another machine would keep.
package struct BusAddress: Hashable, Sendable {
    /// What is behind the controller.
    enum Bus { case scsi, ide, ata, nvme }

    /// The controller: "pci-0000:03:00.0".
    package var controller: String
    /// Channel, target and LUN; channel and unit; the port; the name space; or NVMe's controller and name space. All count from 0.
    package var place: [Int]

    /// The first place behind its controller.
    var isFirst: Bool { place.allSatisfy { $0 == 0 } }

    /// The target or the LUN behind a controller that counts one of them alone. Target 7 is a parallel adapter's own, so that
    /// what stands there or behind is not told by its number.
    var ordinal: Int? {
        guard let number else { return nil }
        return place.count == 3 && place[1] >= 7 ? nil : number
    }

    /// The target or the LUN where the other is the first; the port; the name space.
    var number: Int? {
        if place.count == 1 { return place[0] }
        guard place.count == 3, place[0] == 0 else { return nil }
        if place[1] == 0 { return place[2] }
        return place[2] == 0 ? place[1] : nil
    }

    /// Reads a link's name without the partition.
    static func parse(_ name: String) -> (bus: Bus, address: BusAddress)? {
        for (mark, bus) in [("-scsi-", Bus.scsi), ("-ide-", .ide), ("-ata-", .ata), ("-nvme-", .nvme)] {
            guard let found = name.lastRange(of: mark) else { continue }
            let controller = String(name[..<found.lowerBound])
            guard isOnPCI(controller), let place = place(bus, name[found.upperBound...]) else { return nil }
            return (bus, BusAddress(controller: controller, place: place))
        }
        return nil
    }

    /// "pci-0000:03:00.0", or as udev wrote it for virtio before 2012, "virtio-pci-0000:00:05.0".
    private static func isOnPCI(_ controller: String) -> Bool {
        let rest = controller.hasPrefix("virtio-") ? controller.dropFirst(7) : controller[...]
        guard rest.hasPrefix("pci-") else { return false }
        return rest.dropFirst(4).allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }

    private static func place(_ bus: Bus, _ text: Substring) -> [Int]? {
        let separator: Character = bus == .ata ? "." : ":"
        var numbers: [Int] = []
        for part in text.split(separator: separator, omittingEmptySubsequences: false) {
            guard let number = DiskName.smallNumber(part) else { return nil }
            numbers.append(number)
        }
        switch bus {
        // Behind a second host lies libata's second channel, not a target of the first.
        case .scsi: return numbers.count == 4 && numbers[0] == 0 ? Array(numbers[1...]) : nil
        case .ide: return numbers.count == 2 && numbers.allSatisfy { $0 < 2 } ? numbers : nil
        // A second number other than 0 is a place behind a port multiplier.
        case .ata:
            guard let port = numbers.first, port > 0, numbers.count == 1 || numbers == [port, 0] else {
                return nil
            }
            return [port - 1]
        // Name spaces count from 1.
        case .nvme:
            guard let space = numbers.first, space > 0, numbers.count == 1 else { return nil }
            return [space - 1]
        }
    }
}

extension BusAddress: Comparable {
    /// As the kernel finds them: by controller, then by place.
    package static func < (one: BusAddress, other: BusAddress) -> Bool {
        if one.controller != other.controller { return one.controller < other.controller }
        return one.place.lexicographicallyPrecedes(other.place)
    }
}
