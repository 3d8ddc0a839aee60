package import Storage

/// Reads Proxmox VE's machine files (/etc/pve/qemu-server/N.conf; the keys are those of qm.conf(5)).
package enum ProxmoxDescription {
    static let language = "proxmox"
    private static let byteLimit = 1 << 20

    /// The machine, as it is now: the sections of its snapshots are left out.
    package static func read(_ bytes: [UInt8]) throws(StorageError) -> Machine {
        guard bytes.count <= byteLimit else {
            throw .machine(.refused, .tooLarge, language, "is longer than \(byteLimit) bytes")
        }
        let values = try values(bytes)
        var machine = Machine(name: values["name"])
        machine.platform = .kvm
        machine.operatingSystem = values["ostype"]
        machine.firmware = values["bios"] == "ovmf" ? .uefi : .bios
        let cores = values["cores"].flatMap { Int($0) } ?? 1
        machine.processorCount = cores *? (values["sockets"].flatMap { Int($0) } ?? 1)
        if let text = values["memory"] {
            // Newer versions may write "current=2048".
            let number = text.split(separator: "=").last.flatMap { UInt64($0) }
            guard let bytes = number.flatMap({ $0 *? (1 << 20) }) else {
                throw .machine(.corrupt, .badNumber, language, "memory is \(Array(text.utf8).displayText)")
            }
            machine.memoryByteCount = bytes
        }
        let uuid = options(values["smbios1"] ?? "").first { $0.key == "uuid" }?.value
        machine.identifier = uuid.flatMap { UUID16(text: $0) }
        try readDisks(values, &machine)
        for number in 0..<32 {
            guard let text = values["net\(number)"] else { continue }
            machine.cards.append(card(options(text)))
        }
        return machine
    }

    private static func values(_ bytes: [UInt8]) throws(StorageError) -> [String: String] {
        var values: [String: String] = [:]
        for line in bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            let text = String(hostBytes: line).trimmed
            if text.hasPrefix("[") { break }
            guard !text.hasPrefix("#"), let colon = text.firstIndex(of: ":") else { continue }
            let key = text[..<colon].trimmed
            let value = text[text.index(after: colon)...].trimmed
            if let other = values[key], other != value {
                throw .machine(
                    .corrupt, .contradiction, language, "has two values for \(Array(key.utf8).displayText)")
            }
            values[key] = value
        }
        return values
    }

    /// `a,b=c`: a value without a key has none.
    private static func options(_ text: String) -> [(key: String?, value: String)] {
        text.split(separator: ",").map { part in
            guard let equals = part.firstIndex(of: "=") else { return (nil, String(part)) }
            return (String(part[..<equals]), String(part[part.index(after: equals)...]))
        }
    }

    private static let buses = ["ide": 4, "sata": 6, "scsi": 31, "virtio": 16]

    private static func readDisks(_ values: [String: String], _ machine: inout Machine) throws(StorageError) {
        let started = started(values)
        for bus in ["ide", "sata", "scsi", "virtio"] {
            for unit in 0..<(buses[bus] ?? 0) {
                guard let text = values["\(bus)\(unit)"] else { continue }
                let options = options(text)
                guard !options.contains(where: { $0.key == "media" && $0.value == "cdrom" }),
                    let file = options.first(where: {
                        $0.key == nil || $0.key == "file" || $0.key == "volume"
                    })?.value,
                    file != "none", file != "cdrom"
                else { continue }
                let size = try options.first { $0.key == "size" }.map { (option) throws(StorageError) in
                    try byteCount(option.value)
                }
                let controller = DiskController(kind(bus, values["scsihw"]))
                if !machine.controllers.contains(controller) { machine.controllers.append(controller) }
                machine.disks.append(
                    Machine.Disk(
                        file: file, format: options.first { $0.key == "format" }?.value, byteCount: size,
                        controller: controller, unit: unit, isStarted: "\(bus)\(unit)" == started))
            }
        }
        machine.sortDisks()
    }

    /// The disk that is started first.
    private static func started(_ values: [String: String]) -> String? {
        if let disk = values["bootdisk"] { return disk }
        let order = options(values["boot"] ?? "").first { $0.key == "order" }?.value
        let names = order?.split(separator: ";").map(String.init) ?? []
        return names.first { name in buses.keys.contains { name.hasPrefix($0) } }
    }

    private static func kind(_ bus: String, _ hardware: String?) -> DiskController.Kind {
        switch bus {
        case "ide": .ide
        case "sata": .ahci
        case "virtio": .virtioBlk
        default:
            switch hardware {
            case "virtio-scsi-pci", "virtio-scsi-single": .virtioSCSI
            case "pvscsi": .pvscsi
            case "megasas": .megasas
            // lsi, which is the default, and lsi53c810 are one family.
            default: .sym53c8xx
            }
        }
    }

    private static func byteCount(_ text: String) throws(StorageError) -> UInt64 {
        let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        let unit = text.last.flatMap { units[$0] }
        guard let number = UInt64(unit == nil ? text[...] : text.dropLast()),
            let bytes = number *? (unit ?? 1),
            bytes <= UInt64(Int64.max)
        else {
            throw .machine(.corrupt, .badNumber, language, "\(Array(text.utf8).displayText) is no size")
        }
        return bytes
    }

    private static func card(_ options: [(key: String?, value: String)]) -> Machine.NetworkCard {
        let models = ["virtio", "e1000", "e1000e", "vmxnet3", "rtl8139", "ne2k_pci", "pcnet"]
        let model = options.first { $0.key.map(models.contains) ?? models.contains($0.value) }
        let address = model?.key == nil ? options.first { $0.key == "macaddr" }?.value : model?.value
        var card = Machine.NetworkCard(
            model: model?.key ?? model?.value ?? options.first { $0.key == "model" }?.value,
            address: Machine.NetworkCard.address(address),
            network: options.first { $0.key == "bridge" }?.value)
        card.isConnected = options.first { $0.key == "link_down" }?.value != "1"
        return card
    }
}
