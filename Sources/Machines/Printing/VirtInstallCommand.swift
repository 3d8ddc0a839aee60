internal import Storage

/// A script that imports the disks with virt-install (virt-manager's manual page virt-install(1)).
struct VirtInstallCommand {
    private let machine: Machine
    private let directory: String

    init(_ machine: Machine, _ directory: String) {
        self.machine = machine
        self.directory = directory
    }

    var text: String {
        var script = ShellScript(
            comments: ["\(machine.shownName), for virt-install."] + machine.assumptions)
        var arguments = [
            "--import", "--name=\(ShellScript.word(machine.shownName))",
            "--memory \(machine.memoryMebibytes)",
            "--vcpus \(machine.shownProcessorCount)", "--cpu host-passthrough",
            "--machine \(machine.qemuBoard)",
            "--osinfo detect=on,require=off", "--graphics vnc", "--noautoconsole",
        ]
        if let identifier = machine.identifier { arguments.append("--uuid \(identifier)") }
        if machine.isUEFI {
            let isOn = machine.startsSignedLoadersAlone ? "yes" : "no"
            arguments.append(
                "--boot firmware=efi,firmware.feature0.enabled=\(isOn),firmware.feature0.name=secure-boot,"
                    + "firmware.feature1.enabled=\(isOn),firmware.feature1.name=enrolled-keys")
            if machine.startsSignedLoadersAlone { arguments.append("--features smm.state=on") }
        }
        for controller in machine.usedControllers where controller.kind.libvirtBus == "scsi" {
            arguments.append(
                "--controller type=scsi,index=\(controller.number),model=\(controller.kind.libvirtSCSIModel)")
        }
        let order = machine.disksInBootOrder
        for (index, disk) in machine.disks.enumerated() {
            let place = order.firstIndex(of: disk) ?? index
            let path = Self.value(disk.path(in: directory))
            arguments.append(
                "--disk "
                    + ShellScript.word(
                        "path=\(path),format=\(disk.qemuFormat),bus=\(disk.shownController.kind.libvirtBus),"
                            + "boot.order=\(place + 1)"))
        }
        for card in machine.cards {
            let model = card.qemuModel == "virtio-net-pci" ? "virtio" : card.qemuModel
            let address = card.address.map { ",mac=\($0)" } ?? ""
            arguments.append(
                "--network "
                    + ShellScript.word(
                        "network=\(Self.value(card.network ?? "default")),model=\(model)\(address)"))
        }
        if machine.cards.isEmpty { arguments.append("--network none") }
        arguments.append("\"$@\"")
        script.add("exec virt-install", arguments)
        return script.text
    }

    /// A value of an option: a comma would end it.
    private static func value(_ text: String) -> String {
        text.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}
