package import Storage

/// Reads the description in an export of XenServer and XCP-ng (ova.xml): objects of the XenAPI as XML-RPC.
package enum XVADescription {
    static let language = "xva"
    private static let listLimit = 4096

    /// The machine that the export is of; of several the one called `name`, by its name or its UUID. A disk's file is the reference
    /// of its VDI ("Ref:4").
    package static func read(_ bytes: [UInt8], machine name: String? = nil) throws(StorageError) -> Machine {
        let root = try XMLReader.root(of: bytes, language)
        guard root.name == "value", let objects = XMLRPCValue(root)["objects"]?.elements, !objects.isEmpty
        else {
            // Exports of the first versions have a description in another language.
            throw .machine(
                root.name == "appliance" ? .unsupported : .corrupt, .otherLanguage, language,
                root.name == "appliance"
                    ? "is an export in the form of XenServer's first versions, which is not read"
                    : "holds no objects of XenServer")
        }
        var known: [String: [String: XMLRPCValue]] = [:]
        for object in objects {
            guard let kind = object.text("class"), let id = object.text("id"), let value = object["snapshot"]
            else { continue }
            known[kind, default: [:]][id] = value
        }
        let machines = (known["VM"] ?? [:]).filter { $0.value.text("is_a_snapshot") != "1" }
        let ordered = machines.sorted {
            ($0.value.text("name_label") ?? "", $0.key) < ($1.value.text("name_label") ?? "", $1.key)
        }
        let (reference, own) = try MachineChoice(name, language).one(of: ordered) { machine in
            ["name_label", "uuid"].compactMap { machine.value.text($0) }
        }
        var machine = Machine(name: own.text("name_label"))
        machine.platform = .xen
        readSystem(own, &machine)
        try readDisks(of: reference, known, &machine)
        let cards = (known["VIF"] ?? [:]).values.filter { $0.text("VM") == reference }
        machine.cards = cards.sorted {
            (Int($0.text("device") ?? "") ?? 0) < (Int($1.text("device") ?? "") ?? 0)
        }
        .map { card in
            let network = card.text("network").flatMap { known["network"]?[$0] }
            return Machine.NetworkCard(
                address: Machine.NetworkCard.address(card.text("MAC")), network: network?.text("name_label"))
        }
        return machine
    }

    private static func readSystem(_ own: XMLRPCValue, _ machine: inout Machine) {
        machine.identifier = own.text("uuid").flatMap { UUID16(text: $0) }
        machine.processorCount = own.text("VCPUs_at_startup").flatMap { Int($0) }
        machine.memoryByteCount = own.text("memory_static_max").flatMap { UInt64($0) }
        machine.isParavirtualized = (own.text("HVM_boot_policy") ?? "").isEmpty
        guard !machine.isParavirtualized else { return }
        machine.firmware = own["HVM_boot_params"]?.text("firmware") == "uefi" ? .uefi : .bios
        machine.hasSecureBoot = own["platform"]?.text("secureboot").map { $0 == "true" || $0 == "auto" }
    }

    private static func readDisks(
        of machineID: String, _ known: [String: [String: XMLRPCValue]], _ machine: inout Machine
    ) throws(StorageError) {
        let devices = (known["VBD"] ?? [:]).values.filter {
            $0.text("VM") == machineID && $0.text("type") == "Disk" && $0.text("empty") != "1"
        }
        guard devices.count <= listLimit else {
            throw .machine(.refused, .tooLarge, language, "has more than \(listLimit) disks")
        }
        for device in devices {
            guard let reference = device.text("VDI"), let disk = known["VDI"]?[reference] else {
                throw .machine(
                    .corrupt, .danglingReference, language, "has a device without its disk", structure: "VBD")
            }
            guard let byteCount = disk.text("virtual_size").flatMap({ UInt64($0) }),
                byteCount <= UInt64(Int64.max)
            else {
                throw .machine(.corrupt, .badNumber, language, "has a disk without a size", structure: "VDI")
            }
            let place = device.text("userdevice") ?? ""
            guard let unit = Int(place) ?? Machine.Disk.index(ofLetters: place), (0...255).contains(unit)
            else {
                throw .machine(
                    .corrupt, .badNumber, language,
                    "has a disk at the place \(Array(place.utf8).displayText)",
                    structure: "VBD")
            }
            machine.disks.append(
                Machine.Disk(
                    file: reference, format: "raw", byteCount: byteCount,
                    controller: DiskController(.xenBlkfront), unit: unit,
                    isStarted: device.text("bootable") == "1"))
        }
        if !machine.disks.isEmpty { machine.controllers = [DiskController(.xenBlkfront)] }
        machine.sortDisks()
        let places = machine.disks.compactMap(\.unit)
        guard Set(places).count == places.count else {
            throw .machine(.corrupt, .contradiction, language, "has two disks at one place", structure: "VBD")
        }
    }
}
