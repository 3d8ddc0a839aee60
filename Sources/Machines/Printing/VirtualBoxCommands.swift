/// A script of VirtualBox' VBoxManage (VirtualBox' manual, chapter 8).
struct VirtualBoxCommands {
    private let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    var text: String {
        var script = ShellScript(comments: ["\(machine.shownName), for VirtualBox."] + machine.assumptions)
        script.add("name=\(ShellScript.word(machine.shownName))")
        let identifier = machine.identifier.map { " --uuid \($0)" } ?? ""
        script.add("VBoxManage createvm --name \"$name\" --ostype Linux_64\(identifier) --register")
        var arguments = [
            "--memory \(machine.memoryMebibytes)", "--cpus \(machine.shownProcessorCount)", "--ioapic on",
            "--rtcuseutc on", "--firmware \(machine.isUEFI ? "efi" : "bios")", "--graphicscontroller vmsvga",
            "--boot1 disk --boot2 none --boot3 none --boot4 none",
        ]
        for (index, card) in machine.cards.prefix(8).enumerated() {
            let number = index + 1
            arguments.append("--nic\(number) nat --nictype\(number) \(card.virtualBoxType)")
            if !card.isConnected { arguments.append("--cableconnected\(number) off") }
            if let address = card.address {
                arguments.append("--macaddress\(number) \(address.filter { $0 != ":" }.uppercased())")
            }
        }
        if machine.cards.isEmpty { arguments.append("--nic1 none") }
        script.add("VBoxManage modifyvm \"$name\"", arguments)
        if machine.startsSignedLoadersAlone {
            script.add("VBoxManage modifynvram \"$name\" inituefivarstore")
            script.add("VBoxManage modifynvram \"$name\" enrollmssignatures")
            script.add("VBoxManage modifynvram \"$name\" secureboot --enable")
        }
        for controller in machine.usedControllers {
            let count = machine.disks.filter { $0.controller == controller }.map(\.shownUnit).max() ?? 0
            let ports =
                [.ahci, .lsisas, .nvme].contains(controller.kind) ? " --portcount \(count + 1)" : ""
            let type = controller.kind.virtualBoxType
            script.add(
                "VBoxManage storagectl \"$name\" --name \(controller.kind.rawValue)\(controller.number) --add \(type.bus) "
                    + "--controller \(type.chip)\(ports) --bootable on")
        }
        for disk in machine.disks {
            let controller = disk.shownController
            let isIDE = controller.kind == .ide
            script.add(
                "VBoxManage storageattach \"$name\" --storagectl \(controller.kind.rawValue)\(controller.number) "
                    + "--port \(isIDE ? disk.shownUnit / 2 : disk.shownUnit) --device \(isIDE ? disk.shownUnit % 2 : 0) "
                    + "--type hdd --medium \"$PWD/\"\(ShellScript.word(disk.file))")
        }
        return script.text
    }
}

extension DiskController.Kind {
    /// VirtualBox' words for the bus and the chip.
    fileprivate var virtualBoxType: (bus: String, chip: String) {
        switch self {
        case .ide: ("ide", "PIIX4")
        case .buslogic: ("scsi", "BusLogic")
        case .lsi1030: ("scsi", "LSILogic")
        case .lsisas: ("sas", "LSILogicSAS")
        case .nvme: ("pcie", "NVMe")
        case .virtioSCSI: ("virtio", "VirtIO")
        default: ("sata", "IntelAhci")
        }
    }
}

extension Machine.NetworkCard {
    /// VirtualBox' word for the card.
    fileprivate var virtualBoxType: String {
        switch model?.lowercased() {
        case "e1000", "e1000e": "82540EM"
        case "pcnet", "pcnet32": "Am79C973"
        default: "virtio"
        }
    }
}
