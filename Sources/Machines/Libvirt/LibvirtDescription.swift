package import Storage

/// Reads libvirt's domain XML (formatdomain of libvirt's documentation).
package enum LibvirtDescription {
    static let language = "libvirt"

    /// The machine that the text describes. Throws `unsupported` for disks that are no files of this host.
    package static func read(_ bytes: [UInt8]) throws(StorageError) -> Machine {
        let root = try XMLReader.root(of: bytes, language)
        guard root.name == "domain" else {
            throw .machine(.corrupt, .otherLanguage, language, "is no domain of libvirt")
        }
        var machine = Machine(name: root.value(of: "name"))
        machine.platform = platform(root.attribute("type"))
        machine.identifier = root.value(of: "uuid").flatMap { UUID16(text: $0) }
        machine.processorCount = root.value(of: "vcpu").flatMap { Int($0) }
        if let memory = root.child("memory"), let text = memory.value {
            guard let number = UInt64(text), let unit = unit(memory.attribute("unit")),
                let bytes = number *? unit
            else {
                throw .machine(
                    .corrupt, .badNumber, language, "memory is \(Array(text.utf8).displayText)",
                    structure: "memory")
            }
            machine.memoryByteCount = bytes
        }
        readFirmware(root.child("os"), &machine)
        let devices = root.child("devices")?.children ?? []
        let models = controllerModels(devices)
        for element in devices where element.name == "disk" {
            let device = element.attribute("device") ?? "disk"
            guard device == "disk" || device == "lun" else { continue }
            machine.disks.append(try disk(element, models, machine.disks.count))
        }
        for disk in machine.disks {
            guard let controller = disk.controller, !machine.controllers.contains(controller) else {
                continue
            }
            machine.controllers.append(controller)
        }
        machine.cards = devices.filter { $0.name == "interface" }.map { card in
            let source = card.child("source")
            var made = Machine.NetworkCard(
                model: card.child("model")?.attribute("type"),
                address: Machine.NetworkCard.address(card.child("mac")?.attribute("address")),
                network: ["network", "bridge", "dev"].lazy.compactMap { source?.attribute($0) }.first)
            made.isConnected = card.child("link")?.attribute("state") != "down"
            return made
        }
        markStarted(devices, root, &machine)
        machine.sortDisks()
        return machine
    }

    private static func platform(_ type: String?) -> Machine.Platform? {
        switch type {
        case "kvm", "qemu", "hvf": .kvm
        case "xen": .xen
        case "vmware": .vmware
        case "vbox": .virtualbox
        case "hyperv": .hyperv
        default: nil
        }
    }

    /// The bytes of a unit, as libvirt's virScaleInteger has them: without regard to case, and KiB where none is named. Nil for
    /// one that it does not know.
    private static func unit(_ word: String?) -> UInt64? {
        let word = (word ?? "").lowercased()
        if word.isEmpty { return 1 << 10 }
        if ["b", "byte", "bytes"].contains(word) { return 1 }
        guard let letter = word.first, let power = "kmgtpe".firstIndex(of: letter) else { return nil }
        let exponent = "kmgtpe".distance(from: "kmgtpe".startIndex, to: power) + 1
        switch word.dropFirst() {
        case "", "ib": return 1 << UInt64(10 * exponent)
        case "b": return (0..<exponent).reduce(1) { product, _ in product * 1000 }
        default: return nil
        }
    }

    private static func readFirmware(_ os: XMLElement?, _ machine: inout Machine) {
        guard let os else { return }
        let loader = os.child("loader")
        machine.operatingSystem = os.value(of: "type")
        machine.isParavirtualized = os.value(of: "type") == "linux" || os.value(of: "type") == "xen"
        if os.attribute("firmware") == "efi" || loader?.attribute("type") == "pflash" {
            machine.firmware = .uefi
        } else if !machine.isParavirtualized {
            machine.firmware = .bios
        }
        let feature = os.child("firmware")?.children(named: "feature").first {
            $0.attribute("name") == "secure-boot"
        }
        if let feature {
            machine.hasSecureBoot = feature.attribute("enabled") == "yes"
        } else if loader?.attribute("secure") == "yes" {
            machine.hasSecureBoot = true
        }
    }

    /// The models of the SCSI controllers, by their index.
    private static func controllerModels(_ devices: [XMLElement]) -> [Int: String] {
        var models: [Int: String] = [:]
        for device in devices where device.name == "controller" && device.attribute("type") == "scsi" {
            guard let index = Int(device.attribute("index") ?? "0"), let model = device.attribute("model")
            else { continue }
            models[index] = model
        }
        return models
    }

    private static func disk(
        _ element: XMLElement, _ models: [Int: String], _ index: Int
    ) throws(StorageError) -> Machine.Disk {
        let source = element.child("source")
        let target = element.child("target")
        let name = target?.attribute("dev") ?? "disk \(index + 1)"
        let type = element.attribute("type") ?? "file"
        guard type == "file" || type == "block",
            let file = source?.attribute("file") ?? source?.attribute("dev")
        else {
            throw .machine(
                .unsupported, .remoteDisk, language,
                "its disk \(Array(name.utf8).displayText) is no file of this host (type \(Array(type.utf8).displayText)); "
                    + "copy it here and give it by itself", structure: "disk")
        }
        let address = element.child("address")
        let number = address?.attribute("controller").flatMap { Int($0) } ?? 0
        let bus = target?.attribute("bus") ?? guessedBus(name)
        var disk = Machine.Disk(file: file, format: element.child("driver")?.attribute("type"))
        if let kind = kind(bus, models[number]) {
            disk.controller = DiskController(
                kind, number: kind == .virtioBlk || kind == .ide ? 0 : max(number, 0))
            disk.unit = unit(name, kind, address)
        }
        return disk
    }

    /// As libvirt itself has it where no bus is named.
    private static func guessedBus(_ name: String) -> String {
        switch name.prefix(2) {
        case "hd": "ide"
        case "vd": "virtio"
        case "xv": "xen"
        default: "scsi"
        }
    }

    private static func kind(_ bus: String, _ model: String?) -> DiskController.Kind? {
        switch bus {
        case "virtio": .virtioBlk
        case "ide": .ide
        case "sata": .ahci
        case "xen": .xenBlkfront
        case "usb": .usb
        case "nvme": .nvme
        case "scsi":
            switch model {
            case "virtio-scsi", "virtio-transitional", "virtio-non-transitional": .virtioSCSI
            case "lsisas1068": .lsisas
            case "lsisas1078": .megasas
            case "vmpvscsi": .pvscsi
            case "buslogic": .buslogic
            default: .sym53c8xx
            }
        default: nil
        }
    }

    /// Its place: as its address has it, else by the letter of its name.
    private static func unit(_ name: String, _ kind: DiskController.Kind, _ address: XMLElement?) -> Int? {
        func number(_ key: String) -> Int? { address?.attribute(key).flatMap { Int($0) } }
        if address?.attribute("type") == "drive", kind != .virtioBlk, kind != .xenBlkfront {
            if kind == .ide { return ((number("bus") ?? 0) & 1) * 2 + ((number("unit") ?? 0) & 1) }
            return (number("target") ?? 0) != 0 ? number("target") : number("unit")
        }
        return Machine.Disk.index(ofLetters: name)
    }

    /// The disk that is started first: by the order of its own, else the first where the machine starts from disks at all.
    private static func markStarted(_ devices: [XMLElement], _ root: XMLElement, _ machine: inout Machine) {
        let disks = devices.filter {
            $0.name == "disk" && ["disk", "lun"].contains($0.attribute("device") ?? "disk")
        }
        let orders = disks.map { $0.child("boot")?.attribute("order").flatMap { Int($0) } }
        guard let first = orders.compactMap(\.self).min(), let index = orders.firstIndex(of: first),
            machine.disks.indices.contains(index)
        else { return }
        machine.disks[index].isStarted = true
    }
}

extension Machine.Disk {
    /// The number that the letters of a disk's name stand for: 0 of "sda", 27 of "vdab"; nil for other names.
    static func index(ofLetters name: String) -> Int? {
        let start = ["xvd", "hd", "sd", "vd"].first { name.hasPrefix($0) }
        guard let start, (1...3).contains(name.utf8.count - start.utf8.count) else { return nil }
        var index = 0
        for letter in name.utf8.dropFirst(start.utf8.count) {
            guard (97...122).contains(letter) else { return nil }
            index = index * 26 + Int(letter) - 96
        }
        return index - 1
    }
}
