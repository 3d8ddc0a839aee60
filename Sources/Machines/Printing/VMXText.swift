internal import Storage

/// VMware's .vmx: keys and quoted values.
struct VMXText {
    private let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    var text: String {
        var lines = [".encoding = \"UTF-8\""]
        lines += machine.assumptions.map { "# \($0)" }
        func set(_ key: String, _ value: String) { lines.append("\(key) = \"\(Self.escaped(value))\"") }
        set("config.version", "8")
        // The first that has all of these controllers: ESXi 6.5, Workstation 14.
        set("virtualHW.version", "13")
        set("displayName", machine.shownName)
        set("guestOS", machine.systemOfVMX ?? "otherlinux-64")
        set("memSize", "\((machine.memoryMebibytes + 3) / 4 * 4)")
        set("numvcpus", "\(machine.shownProcessorCount)")
        if let identifier = machine.identifier { set("uuid.bios", Self.spelled(identifier.bytes)) }
        if machine.isUEFI {
            set("firmware", "efi")
            if machine.startsSignedLoadersAlone { set("uefi.secureBoot.enabled", "TRUE") }
        }
        // The slots that cards and controllers of PCI Express lie in.
        set("pciBridge0.present", "TRUE")
        for bridge in 4...7 {
            set("pciBridge\(bridge).present", "TRUE")
            set("pciBridge\(bridge).virtualDev", "pcieRootPort")
            set("pciBridge\(bridge).functions", "8")
        }
        for controller in machine.usedControllers where controller.kind != .ide {
            let name = "\(controller.kind.vmxBus)\(controller.number)"
            set("\(name).present", "TRUE")
            if let device = controller.kind.vmxDevice { set("\(name).virtualDev", device) }
        }
        for disk in machine.disks {
            set("\(disk.vmxName).present", "TRUE")
            set("\(disk.vmxName).fileName", disk.file)
        }
        // Which disk a BIOS starts, where it is not the first.
        if let first = machine.disks.first, let started = machine.disksInBootOrder.first, first != started {
            set("bios.bootOrder", "hdd")
            set("bios.hddOrder", started.vmxName)
        }
        for (index, card) in machine.cards.enumerated() {
            let name = "ethernet\(index)"
            set("\(name).present", "TRUE")
            set("\(name).virtualDev", card.vmxDevice)
            if !card.isConnected { set("\(name).startConnected", "FALSE") }
            set("\(name).networkName", card.network ?? "VM Network")
            if let address = card.address {
                set("\(name).addressType", "static")
                set("\(name).address", address)
                // Addresses outside of VMware's own range.
                set("\(name).checkMACAddress", "FALSE")
            } else {
                set("\(name).addressType", "generated")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What would end a value, or begin an escape, in VMware's way: "|" and two digits.
    private static func escaped(_ text: String) -> String {
        text.map { $0 == "\"" ? "|22" : $0 == "|" ? "|7C" : String($0) }.joined()
    }

    private static func spelled(_ bytes: [UInt8]) -> String {
        let pairs = bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }
        return pairs.prefix(8).joined(separator: " ") + "-" + pairs.dropFirst(8).joined(separator: " ")
    }
}

extension DiskController.Kind {
    /// VMware's word for the bus.
    var vmxBus: String {
        switch self {
        case .ide: "ide"
        case .ahci: "sata"
        case .nvme: "nvme"
        default: "scsi"
        }
    }

    /// VMware's word for a SCSI adapter.
    fileprivate var vmxDevice: String? {
        switch self {
        case .buslogic: "buslogic"
        case .lsi1030: "lsilogic"
        case .lsisas: "lsisas1068"
        case .pvscsi: "pvscsi"
        default: nil
        }
    }
}

extension Machine.Disk {
    /// "scsi0:1", "ide1:0".
    fileprivate var vmxName: String {
        let controller = shownController
        guard controller.kind == .ide else {
            return "\(controller.kind.vmxBus)\(controller.number):\(shownUnit)"
        }
        return "ide\(shownUnit / 2):\(shownUnit % 2)"
    }
}

extension Machine.NetworkCard {
    /// VMware's word for the card.
    fileprivate var vmxDevice: String {
        switch model?.lowercased() {
        case "e1000": "e1000"
        case "e1000e": "e1000e"
        case "pcnet", "pcnet32": "vlance"
        default: "vmxnet3"
        }
    }
}

extension Machine {
    /// VMware's word for the guest's system as an OVF has it ("rhel8_64Guest"); nil where the description's is none.
    var systemOfOVF: String? { system.flatMap { $0.hasSuffix("Guest") ? $0 : nil } }

    /// The same as a .vmx has it ("rhel8-64").
    var systemOfVMX: String? { system.flatMap { $0.hasSuffix("Guest") ? nil : $0 } }

    private var system: String? {
        operatingSystem.flatMap { word in
            let isWord = word.utf8.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            }
            return isWord && !word.isEmpty ? word : nil
        }
    }
}
