package import Storage

/// Reads VirtualBox's machine files (.vbox, the schema of VirtualBox's Main API settings).
package enum VirtualBoxDescription {
    static let language = "virtualbox"

    /// The machine, as it is now: its snapshots are left out.
    package static func read(_ bytes: [UInt8]) throws(StorageError) -> Machine {
        let root = try XMLReader.root(of: bytes, language)
        guard root.name == "VirtualBox", let own = root.child("Machine") else {
            throw .machine(.corrupt, .otherLanguage, language, "is no machine of VirtualBox")
        }
        guard let hardware = own.child("Hardware") else {
            throw .machine(
                .unsupported, .noMachine, language, "has no hardware: an encrypted machine is not read")
        }
        var machine = Machine(name: own.attribute("name"))
        machine.platform = .virtualbox
        machine.operatingSystem = own.attribute("OSType")
        machine.identifier = identifier(own.attribute("uuid"))
        let firmware = hardware.child("Firmware")?.attribute("type") ?? "BIOS"
        machine.firmware = firmware.uppercased().hasPrefix("EFI") ? .uefi : .bios
        machine.hasSecureBoot = hardware.child("Firmware", "NVRAM", "SecureBoot")?.attribute("enabled").map {
            $0 == "true"
        }
        machine.processorCount = hardware.child("CPU").map { Int($0.attribute("count") ?? "1") ?? 1 }
        if let megabytes = hardware.child("Memory")?.attribute("RAMSize").flatMap({ UInt64($0) }) {
            machine.memoryByteCount = megabytes *? (1 << 20)
        }
        machine.cards = cards(in: hardware)
        try readStorage(
            hardware.child("StorageControllers") ?? own.child("StorageControllers"), own, &machine)
        machine.sortDisks()
        return machine
    }

    private static func identifier(_ text: String?) -> UUID16? {
        text.flatMap { UUID16(text: String($0.filter { $0 != "{" && $0 != "}" })) }
    }

    /// The network cards that are plugged in, in the order of their slots.
    static func cards(in hardware: XMLElement) -> [Machine.NetworkCard] {
        (hardware.child("Network")?.children(named: "Adapter") ?? [])
            .filter { $0.attribute("enabled") == "true" }
            .sorted { (Int($0.attribute("slot") ?? "") ?? 0) < (Int($1.attribute("slot") ?? "") ?? 0) }
            .map { adapter in
                let kinds = ["BridgedInterface", "NATNetwork", "HostOnlyInterface", "InternalNetwork", "NAT"]
                let network = kinds.lazy.compactMap { adapter.child($0) }.first
                var card = Machine.NetworkCard(
                    // The schema's default, which is left out.
                    model: adapter.attribute("type") ?? "Am79C973",
                    address: Machine.NetworkCard.address(adapter.attribute("MACAddress")),
                    network: network.map { $0.attribute("name") ?? $0.name })
                card.isConnected = adapter.attribute("cable") != "false"
                return card
            }
    }

    private static func readStorage(
        _ storage: XMLElement?, _ own: XMLElement, _ machine: inout Machine
    ) throws(StorageError) {
        var media: [String: (location: String, format: String?, parents: [String])] = [:]
        func note(_ element: XMLElement, _ parents: [String]) {
            for disk in element.children(named: "HardDisk") {
                guard let id = disk.attribute("uuid")?.lowercased(), let location = disk.attribute("location")
                else { continue }
                media[id] = (location, disk.attribute("format"), parents)
                note(disk, [location] + parents)
            }
        }
        if let disks = own.child("MediaRegistry", "HardDisks") { note(disks, []) }
        var counts: [DiskController.Kind: Int] = [:]
        for element in storage?.children(named: "StorageController") ?? [] {
            guard let kind = kind(of: element.attribute("type") ?? "") else { continue }
            let controller = DiskController(kind, number: counts[kind, default: 0])
            counts[kind, default: 0] += 1
            machine.controllers.append(controller)
            for device in element.children(named: "AttachedDevice")
            where device.attribute("type") == "HardDisk" {
                let port = Int(device.attribute("port") ?? "0") ?? 0
                let place = Int(device.attribute("device") ?? "0") ?? 0
                let unit = kind == .ide ? (port & 1) * 2 + (place & 1) : port
                guard let image = device.child("Image")?.attribute("uuid") else {
                    machine.notes.append("a disk of the machine has no file")
                    machine.absentDisks.append(Machine.Disk(file: "", controller: controller, unit: unit))
                    continue
                }
                guard let medium = media[image.lowercased()] else {
                    throw StorageError.machine(
                        .unsupported, .danglingReference, language,
                        "its disk \(Array(image.utf8).displayText) is listed in no registry of its own: VirtualBox's own list has it, "
                            + "so give the disk itself", structure: "AttachedDevice")
                }
                var disk = Machine.Disk(
                    file: medium.location, format: medium.format, controller: controller, unit: unit)
                disk.parents = medium.parents
                machine.disks.append(disk)
            }
        }
    }

    private static func kind(of word: String) -> DiskController.Kind? {
        switch word {
        case "PIIX3", "PIIX4", "ICH6": .ide
        case "AHCI": .ahci
        case "LsiLogic": .lsi1030
        case "LsiLogicSas": .lsisas
        case "BusLogic": .buslogic
        case "NVMe": .nvme
        case "VirtioSCSI": .virtioSCSI
        case "USB": .usb
        default: nil
        }
    }
}
