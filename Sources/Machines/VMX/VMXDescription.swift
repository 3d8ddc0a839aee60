package import Storage

/// Reads VMware's machine files (.vmx): keys of any case, values in quotes with `|XX` for bytes that cannot stand there.
package enum VMXDescription {
    static let language = "vmx"

    /// The machine that the text describes.
    package static func read(_ bytes: [UInt8]) throws(StorageError) -> Machine {
        let values = try VMXValues(bytes)
        try refuseEncrypted(values)
        var machine = Machine(name: values["displayname"])
        machine.platform = .vmware
        machine.operatingSystem = values["guestos"]
        machine.firmware = values["firmware"]?.lowercased() == "efi" ? .uefi : .bios
        machine.hasSecureBoot = values["uefi.secureboot.enabled"].map { $0.lowercased() == "true" }
        machine.processorCount = try values.number("numvcpus") ?? 1
        machine.memoryByteCount = try values.number("memsize").flatMap { UInt64($0) *? (1 << 20) }
        machine.identifier = values["uuid.bios"].flatMap(identifier)
        try readDisks(values, &machine)
        readCards(values, &machine)
        noteSlots(values, &machine)
        machine.sortDisks()
        return machine
    }

    /// An encrypted machine's keys stand within `encryption.data`; where only its TPM's are in there, the others stand beside it.
    private static func refuseEncrypted(_ values: VMXValues) throws(StorageError) {
        guard values["encryption.data"] != nil,
            !buses.contains(where: { bus in
                (0..<bus.controllers).contains { values.hasKey(prefix: "\(bus.name)\($0):") }
            })
        else { return }
        throw .machine(
            .unsupported, .encrypted, language,
            "is encrypted; remove the encryption in VMware (the machine's settings, Access Control), which decrypts its disks too",
            structure: "encryption.data")
    }

    /// "56 4d 19 25 ef ca 37 87-5c 44 …": the bytes in the order of the text.
    private static func identifier(_ text: String) -> UUID16? {
        let digits = text.filter { $0 != " " && $0 != "-" }
        guard digits.utf8.count == 32 else { return nil }
        var parts: [Substring] = []
        var rest = digits[...]
        for count in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return UUID16(text: parts.joined(separator: "-"))
    }

    /// Controllers and places that a machine of VMware's can have.
    private static let buses: [(name: String, controllers: Int, places: Int)] = [
        ("scsi", 4, 256), ("sata", 4, 30), ("nvme", 4, 64), ("ide", 2, 2),
    ]

    private static func readDisks(_ values: VMXValues, _ machine: inout Machine) throws(StorageError) {
        for bus in buses {
            for number in 0..<bus.controllers {
                let name = "\(bus.name)\(number)"
                noteUnstated(name, values, &machine)
                guard bus.name == "ide" || values.isTrue("\(name).present") else { continue }
                let controller = DiskController(
                    kind(bus.name, values["\(name).virtualdev"]), number: bus.name == "ide" ? 0 : number)
                if !machine.controllers.contains(controller), bus.name != "ide" || values.hasKey(prefix: name)
                {
                    machine.controllers.append(controller)
                }
                for place in values.places(of: name) where place < bus.places {
                    let device = "\(name):\(place)"
                    let unit = bus.name == "ide" ? number * 2 + place : place
                    if let file = disk(device, values) {
                        var disk = Machine.Disk(
                            file: file, format: "vmdk", controller: controller, unit: unit)
                        disk.otherFile = values.decoded("\(device).filename")
                        machine.disks.append(disk)
                    } else if isPassedThrough(device, values) {
                        machine.notes.append(
                            "\(device) of the machine is the host's own, which may be a disk, and has no file"
                        )
                        machine.absentDisks.append(Machine.Disk(file: "", controller: controller, unit: unit))
                    }
                }
            }
        }
    }

    /// VMware gives a machine nothing that is not said to be present; where nothing is said, a line may have been lost.
    private static func noteUnstated(_ bus: String, _ values: VMXValues, _ machine: inout Machine) {
        for place in values.places(of: bus).prefix(20) {
            let device = "\(bus):\(place)"
            guard let file = values["\(device).filename"], !file.isEmpty,
                (values["\(device).devicetype"] ?? "disk").lowercased().hasSuffix("disk")
            else { continue }
            let isStated = values["\(device).present"] != nil
            let controllerIsStated = bus.hasPrefix("ide") || values["\(bus).present"] != nil
            guard !isStated || !controllerIsStated && values.isTrue("\(device).present") else { continue }
            machine.notes.append(
                "\(device) names \(file), and \(isStated ? bus : device) is not said to be present: VMware gives the machine no such disk"
            )
        }
    }

    /// The file of a device that is a disk and is there; nil for drives, passed-through devices and empty places.
    private static func disk(_ device: String, _ values: VMXValues) -> String? {
        guard values.isTrue("\(device).present"), let file = values["\(device).filename"], !file.isEmpty
        else {
            return nil
        }
        let kind = (values["\(device).devicetype"] ?? "disk").lowercased()
        guard kind.hasSuffix("disk") else { return nil }
        return file
    }

    /// Whether a device is one of the host's, which the guest may count among its disks.
    private static func isPassedThrough(_ device: String, _ values: VMXValues) -> Bool {
        values.isTrue("\(device).present")
            && (values["\(device).devicetype"] ?? "").lowercased().hasSuffix("passthru")
    }

    private static func kind(_ bus: String, _ word: String?) -> DiskController.Kind {
        switch bus {
        case "sata": .ahci
        case "nvme": .nvme
        case "ide": .ide
        default:
            switch word?.lowercased() {
            case "pvscsi": .pvscsi
            case "lsisas1068", "lsilogicsas": .lsisas
            case "buslogic": .buslogic
            // Where no word stands it is LSI Logic, but for machines of the first versions.
            default: .lsi1030
            }
        }
    }

    private static func readCards(_ values: VMXValues, _ machine: inout Machine) {
        for number in 0..<10 where values.isTrue("ethernet\(number).present") {
            let name = "ethernet\(number)"
            let isGenerated = ["generated", "vpx"].contains(values["\(name).addresstype"]?.lowercased() ?? "")
            let addresses = ["\(name).address", "\(name).generatedaddress"].map { values[$0] }
            let address = isGenerated ? addresses[1] ?? addresses[0] : addresses[0] ?? addresses[1]
            var card = Machine.NetworkCard(
                model: values["\(name).virtualdev"], address: Machine.NetworkCard.address(address),
                network: values["\(name).networkname"] ?? values["\(name).connectiontype"])
            card.isConnected = values["\(name).startconnected"].map { $0.lowercased() != "false" } ?? true
            machine.cards.append(card)
        }
    }

    /// Notes controllers with disks whose PCI slots are in another order than their numbers: a Linux guest goes by the slots.
    private static func noteSlots(_ values: VMXValues, _ machine: inout Machine) {
        for bus in buses where bus.name != "ide" {
            let used = machine.disks.filter { $0.controller?.kind.vmxBus == bus.name }
            var slots: [(number: Int, place: [Int])] = []
            for number in Set(used.compactMap { $0.controller?.number }).sorted() {
                guard let text = values["\(bus.name)\(number).pcislotnumber"], let slot = Int(text), slot >= 0
                else { continue }
                // The slot; behind a bridge also the bridge's, by 32, and its function, by 1024.
                slots.append((number, slot < 32 ? [0, slot] : [slot >> 5 & 31, slot >> 10, slot & 31]))
            }
            let ordered = slots.sorted { $0.place.lexicographicallyPrecedes($1.place) }
            guard ordered.map(\.number) != slots.map(\.number) else { continue }
            let list = ordered.map { "\(bus.name)\($0.number)" }.joined(separator: ", ")
            machine.notes.append(
                "the PCI slots of its controllers are in the order \(list): a Linux guest may have counted its disks so, and not by "
                    + "the controllers' numbers as here")
        }
    }
}
