internal import Storage

/// A script of Proxmox VE's `qm` (pve.proxmox.com/pve-docs/qm.1.html), run on the node: VM's number and the storage are
/// its arguments.
struct ProxmoxCommands {
    private let machine: Machine
    private let directory: String

    init(_ machine: Machine, _ directory: String) {
        self.machine = machine
        self.directory = directory
    }

    var text: String {
        var script = ShellScript(
            comments: [
                "\(machine.shownName), for Proxmox VE 7.2 and later: sh FILE NUMBER STORAGE, on the node, with the disks beside it."
            ] + machine.assumptions)
        script.add("number=${1:?number of the new machine}")
        script.add("storage=${2:?the storage for its disks}")
        var arguments = [
            "--name \(ShellScript.word(Self.hostName(machine.shownName)))",
            "--memory \(machine.memoryMebibytes)",
            "--cores \(machine.shownProcessorCount)", "--cpu host", "--ostype l26",
            "--bios \(machine.isUEFI ? "ovmf" : "seabios")", "--machine \(machine.qemuBoard)",
        ]
        if let identifier = machine.identifier { arguments.append("--smbios1 uuid=\(identifier)") }
        if let adapter = machine.usedControllers.compactMap(\.kind.proxmoxAdapter).first {
            arguments.append("--scsihw \(adapter)")
        }
        for (index, card) in machine.cards.enumerated() {
            let model = card.qemuModel == "virtio-net-pci" ? "virtio" : card.qemuModel
            let address = card.address.map { "=\($0.uppercased())" } ?? ""
            arguments.append(
                "--net\(index) "
                    + ShellScript.word(
                        "\(model)\(address),bridge=\(card.network ?? "vmbr0")\(card.isConnected ? "" : ",link_down=1")"
                    ))
        }
        script.add("qm create \"$number\"", arguments)
        if machine.isUEFI {
            let keys = machine.startsSignedLoadersAlone ? 1 : 0
            script.add("qm set \"$number\" --efidisk0 \"$storage:0,efitype=4m,pre-enrolled-keys=\(keys)\"")
        }
        for disk in machine.disks {
            script.add(
                "qm set \"$number\" --\(disk.proxmoxName) \"$storage:0,import-from=$PWD/\"\(ShellScript.word(disk.file))"
            )
        }
        let order = machine.disksInBootOrder.map(\.proxmoxName).joined(separator: ";")
        script.add("qm set \"$number\" --boot 'order=\(order)'")
        return script.text
    }

    /// A name as Proxmox takes it: that of a host.
    private static func hostName(_ name: String) -> String {
        let plain = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "." ? $0 : "-" }
        let text = String(plain.prefix(63)).split(separator: ".").map { part in
            String(part.drop { $0 == "-" }.reversed().drop { $0 == "-" }.reversed())
        }
        let name = text.filter { !$0.isEmpty }.joined(separator: ".")
        return name.isEmpty ? "guest" : name
    }
}

extension DiskController.Kind {
    /// Proxmox' word for a SCSI adapter.
    fileprivate var proxmoxAdapter: String? {
        switch self {
        case .virtioSCSI: "virtio-scsi-pci"
        case .sym53c8xx: "lsi"
        case .pvscsi, .megasas: rawValue
        default: nil
        }
    }
}

extension Machine.Disk {
    /// Proxmox' name for the disk.
    fileprivate var proxmoxName: String {
        switch shownController.kind {
        case .ide: "ide\(shownUnit)"
        case .ahci: "sata\(shownUnit)"
        case .virtioBlk: "virtio\(shownUnit)"
        default: "scsi\(shownUnit)"
        }
    }
}
