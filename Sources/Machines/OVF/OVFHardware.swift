internal import Storage

/// The items of an OVF's hardware (CIM_ResourceAllocationSettingData).
struct OVFHardware {
    private let items: [XMLElement]
    private let disks: OVFDisks
    /// The item of the disk that the machine starts from.
    private let started: String?

    /// The items that count: no limits of others (`bound`), and those of the configuration that is deployed.
    init(_ hardware: XMLElement, disks: OVFDisks, configuration: String?, started: String? = nil) {
        self.disks = disks
        self.started = started
        items = hardware.children.filter { item in
            guard ["Item", "StorageItem", "EthernetPortItem"].contains(item.name) else { return false }
            if let bound = item.attribute("bound"), bound != "normal" { return false }
            guard let configuration, let named = item.attribute("configuration") else { return true }
            return named.split(separator: " ").contains { $0 == configuration }
        }
    }

    /// CIM's numbers of resource types.
    private enum ResourceType {
        static let processors = 3
        static let memory = 4
        static let ide = 5
        static let scsi = 6
        static let network = 10
        static let disk = 17
        /// XenCenter's disks.
        static let storageExtent = 19
        static let other = 20
    }

    private static func type(of item: XMLElement) -> Int? {
        item.value(of: "ResourceType").flatMap { Int($0) }
    }

    private static func identifier(of item: XMLElement) -> String? {
        item.value(of: "InstanceID") ?? item.value(of: "InstanceId")
    }

    /// Adds what the items say.
    func read(into machine: inout Machine) throws(StorageError) {
        let controllers = controllers
        machine.controllers = Set(controllers.values).sorted { first, second in
            let one = (first.kind.rank(on: machine.platform), first.number)
            let other = (second.kind.rank(on: machine.platform), second.number)
            return one == other ? first.kind.rawValue < second.kind.rawValue : one < other
        }
        // IDE's two channels are one controller.
        machine.controllers.removeAll { $0.kind == .ide && $0.number > 0 }
        for item in items {
            switch Self.type(of: item) {
            case ResourceType.processors: try readProcessors(item, &machine)
            case ResourceType.memory:
                if let text = item.value(of: "VirtualQuantity") {
                    machine.memoryByteCount = try OVFUnits.bytes(
                        text, unit: item.value(of: "AllocationUnits") ?? "byte * 2^20", structure: "Item")
                }
            case ResourceType.network: machine.cards.append(card(item))
            case ResourceType.disk, ResourceType.storageExtent: try readDisk(item, controllers, &machine)
            default: break
            }
        }
        machine.sortDisks()
    }

    private func readProcessors(_ item: XMLElement, _ machine: inout Machine) throws(StorageError) {
        let parts = ["num_of_sockets", "cpu_per_socket", "threads_per_cpu"].map { item.value(of: $0) }
        var count: Int?
        if let text = item.value(of: "VirtualQuantity") {
            count = Int(text)
        } else if let sockets = parts[0].flatMap({ Int($0) }) {
            count = parts[1...].compactMap { $0.flatMap { Int($0) } }.reduce(sockets) { product, factor in
                product.flatMap { $0 *? factor }
            }
        }
        machine.processorCount = count.flatMap { (1...4096).contains($0) ? $0 : nil }
    }

    /// Controllers by the identifier of their item, with their numbers on their bus.
    private var controllers: [String: DiskController] {
        var found: [String: DiskController] = [:]
        var counts: [DiskController.Kind: Int] = [:]
        let scsi = items.filter { Self.type(of: $0) == ResourceType.scsi }
        // Addresses of one bus count over all its kinds.
        var bus: [String: Int] = [:]
        for (index, item) in scsi.enumerated() {
            guard let id = Self.identifier(of: item) else { continue }
            bus[id] = item.value(of: "Address").flatMap { Int($0) } ?? index
        }
        for item in items {
            guard let id = Self.identifier(of: item), let kind = Self.kind(of: item) else { continue }
            let address = item.value(of: "Address").flatMap { Int($0) }
            let number =
                switch Self.type(of: item) {
                case ResourceType.scsi: bus[id] ?? 0
                case ResourceType.ide: address ?? counts[kind, default: 0]
                default: address ?? counts[kind, default: 0]
                }
            counts[kind, default: 0] += 1
            found[id] = DiskController(kind, number: min(max(number, 0), 255))
        }
        return found
    }

    /// What a controller is; nil for other devices. Of several subtypes, which stand by preference, the first that is known.
    private static func kind(of item: XMLElement) -> DiskController.Kind? {
        let subtypes = item.list(of: "ResourceSubType").map { $0.lowercased() }
        switch type(of: item) {
        case ResourceType.ide: return .ide
        case ResourceType.scsi: return subtypes.lazy.compactMap(scsiKind).first ?? .lsi1030
        case ResourceType.other: return subtypes.lazy.compactMap(otherKind).first
        default: return nil
        }
    }

    private static func scsiKind(_ subtype: String) -> DiskController.Kind? {
        switch subtype {
        case "lsilogic": .lsi1030
        case "lsilogicsas", "lsisas", "lsisas1068": .lsisas
        case "buslogic": .buslogic
        case "virtualscsi", "pvscsi", "vmware.paravirtualscsi": .pvscsi
        case "virtioscsi", "virtio-scsi": .virtioSCSI
        default: nil
        }
    }

    private static func otherKind(_ subtype: String) -> DiskController.Kind? {
        if subtype.contains("nvme") { return .nvme }
        if subtype.contains("virtio") && subtype.contains("scsi") { return .virtioSCSI }
        if subtype.contains("ahci") || subtype.contains("sata") { return .ahci }
        return nil
    }

    private func readDisk(
        _ item: XMLElement, _ controllers: [String: DiskController], _ machine: inout Machine
    ) throws(StorageError) {
        // oVirt lists other devices with the type of a disk.
        if let kind = item.value(of: "Type"), kind != "disk" { return }
        let found = try item.value(of: "HostResource").flatMap { (resource) throws(StorageError) in
            try disks.disk(resource, instance: Self.identifier(of: item))
        }
        if found == nil {
            machine.notes.append("a disk of the machine has no file: it is empty, or not in the description")
        }
        var disk = found ?? Machine.Disk(file: "")
        if let started, started == Self.identifier(of: item) { disk.isStarted = true }
        let place = item.value(of: "AddressOnParent").flatMap { Int($0) }
        if let parent = item.value(of: "Parent"), let controller = controllers[parent] {
            disk.controller = controller.kind == .ide ? DiskController(.ide) : controller
            disk.unit =
                controller.kind == .ide ? place.map { min(controller.number, 1) * 2 + ($0 & 1) } : place
        } else if disk.controller != nil {
            disk.unit = disk.unit ?? machine.disks.count { $0.controller == disk.controller }
        }
        if found == nil { machine.absentDisks.append(disk) } else { machine.disks.append(disk) }
    }

    /// oVirt gives models by number.
    private static let numberedModels = ["1": "rtl8139", "2": "e1000", "3": "virtio"]

    /// VMware's and others' names, of which a list may have several.
    private static let knownModels: Set<String> = [
        "vmxnet", "vmxnet2", "vmxnet3", "e1000", "e1000e", "pcnet32", "flexible", "sriovethernetcard",
    ]

    private func card(_ item: XMLElement) -> Machine.NetworkCard {
        let models = item.list(of: "ResourceSubType")
        let model = models.first { Self.knownModels.contains($0.lowercased()) } ?? models.first
        var card = Machine.NetworkCard(
            model: model.map { Self.numberedModels[$0] ?? $0 },
            address: Machine.NetworkCard.address(item.value(of: "MACAddress") ?? item.value(of: "Address")),
            network: item.value(of: "Connection"))
        // oVirt has an element of its own; VMware exports a card that is not plugged in as one that is not allocated by itself.
        let linked = item.value(of: "Linked") ?? item.value(of: "AutomaticAllocation")
        card.isConnected = linked?.lowercased() != "false"
        return card
    }
}
