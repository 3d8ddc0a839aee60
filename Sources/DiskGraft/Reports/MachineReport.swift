internal import Machines

/// What the description of a machine says of it.
public struct MachineReport: Encodable, Sendable {
    /// The description's or the archive's path.
    public var description: String
    /// Its name.
    public var name: String?
    /// "vmware", "virtualbox", "kvm", "xen" or "hyperv"; nil where that is not said.
    public var hypervisor: String?
    /// "bios" or "uefi"; nil where that is not said.
    public var firmware: String?
    /// Whether its firmware starts signed loaders alone.
    public var secureBoot: Bool?
    /// How many processors it has.
    public var processors: Int?
    /// Its memory in bytes.
    public var memory: UInt64?
    /// The guest's system, in the description's own word.
    public var system: String?
    /// Its disks in order.
    public var disks: [Disk]
    /// Its network cards in order.
    public var cards: [Card]

    /// A disk of it.
    public struct Disk: Encodable, Sendable {
        /// The file as the description names it.
        public var file: String
        /// What it lies behind, as `--controller` has it.
        public var controller: String?
        /// The controller's number on its bus.
        public var bus: Int?
        /// Its number behind the controller.
        public var unit: Int?
        /// Bytes of the disk, where they are said.
        public var size: UInt64?
    }

    /// A network card of it.
    public struct Card: Encodable, Sendable {
        /// What it is, in the description's own word.
        public var model: String?
        /// Its address.
        public var address: String?
        /// What it is plugged into.
        public var network: String?
    }

    private enum CodingKeys: String, CodingKey {
        case description, name, hypervisor, firmware, processors, memory, system, disks, cards
        case secureBoot = "secure-boot"
    }

    init(_ source: SourceMachine) {
        let machine = source.machine
        description = source.path
        name = machine.name
        hypervisor = source.hypervisor?.rawValue
        firmware = machine.firmware?.rawValue
        secureBoot = machine.hasSecureBoot
        processors = machine.processorCount
        memory = machine.memoryByteCount
        system = machine.operatingSystem
        disks = machine.disks.map {
            Disk(
                file: $0.file, controller: $0.controller?.kind.rawValue, bus: $0.controller?.number,
                unit: $0.unit, size: $0.byteCount)
        }
        cards = machine.cards.map { Card(model: $0.model, address: $0.address, network: $0.network) }
    }
}
