internal import Storage

/// A script that runs the machine under qemu-system-x86_64 (qemu.org, "Invocation").
struct QEMUCommand {
    private let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    var text: String {
        var script = ShellScript(comments: ["\(machine.shownName), for QEMU."] + machine.assumptions)
        var arguments: [String] = [
            "-name \(ShellScript.word("guest=" + Self.value(machine.shownName)))",
            "-machine \(machine.qemuBoard)\(machine.startsSignedLoadersAlone ? ",smm=on" : ""),accel=\"${ACCEL:-kvm:tcg}\"",
            "-cpu max", "-m \(machine.memoryMebibytes)",
            "-smp \(machine.shownProcessorCount)",
        ]
        if let identifier = machine.identifier { arguments.append("-uuid \(identifier)") }
        if machine.isUEFI {
            let secure = machine.startsSignedLoadersAlone
            script.add("code=${OVMF_CODE:-/usr/share/OVMF/OVMF_CODE_4M\(secure ? ".ms" : "").fd}")
            script.add("empty=${OVMF_VARS:-/usr/share/OVMF/OVMF_VARS_4M\(secure ? ".ms" : "").fd}")
            // Behind a slash a colon begins no protocol of QEMU's.
            let store = ShellScript.word(Self.value("./\(machine.shownName.asFileName).nvram"))
            let file = ShellScript.word("./\(machine.shownName.asFileName).nvram")
            script.add("[ -e \(file) ] || cp \"$empty\" \(file)")
            if secure {
                arguments.append("-global driver=cfi.pflash01,property=secure,value=on")
                arguments.append("-global ICH9-LPC.disable_s3=1")
            }
            arguments.append("-drive if=pflash,unit=0,format=raw,readonly=on,file=\"$code\"")
            arguments.append("-drive if=pflash,unit=1,format=raw,file=\(store)")
        }
        for controller in machine.usedControllers {
            if let device = controller.qemuDevice { arguments.append("-device \(device)") }
        }
        let order = machine.disksInBootOrder
        for (index, disk) in machine.disks.enumerated() {
            let place = order.firstIndex(of: disk) ?? index
            arguments.append(
                "-drive if=none,id=disk\(index),format=\(disk.qemuFormat),file="
                    + ShellScript.word(Self.value(disk.path(in: "."))))
            arguments.append("-device \(disk.qemuDevice),drive=disk\(index),bootindex=\(place + 1)")
        }
        for (index, card) in machine.cards.enumerated() {
            arguments.append("-netdev user,id=net\(index)")
            let address = card.address.map { ",mac=\($0)" } ?? ""
            arguments.append("-device \(card.qemuModel),netdev=net\(index)\(address)")
        }
        if machine.cards.isEmpty { arguments.append("-nic none") }
        arguments.append("\"$@\"")
        script.add("exec qemu-system-x86_64", arguments)
        return script.text
    }

    /// A value of an option: a comma would end it.
    private static func value(_ text: String) -> String {
        text.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}

extension String {
    /// Fit to be the beginning of a file's name, which has 255 bytes.
    var asFileName: String {
        var name = String(map { $0 == "/" ? "_" : $0 })
        while name.utf8.count > 200 { name.removeLast() }
        return name
    }
}

extension Machine {
    /// QEMU's board: the one with an IDE controller where a disk needs that.
    var qemuBoard: String {
        disks.contains { $0.controller?.kind == .ide } ? "pc" : "q35"
    }
}

extension DiskController {
    /// QEMU's device; nil where the board has it, or the disk is it.
    var qemuDevice: String? {
        let name = "id=bus\(kind.rawValue)\(number)"
        switch kind {
        case .ide, .virtioBlk, .nvme, .usb, .storvsc, .xenBlkfront, .buslogic, .lsi1030: return nil
        case .ahci: return "ich9-ahci,\(name)"
        case .virtioSCSI: return "virtio-scsi-pci,\(name)"
        case .sym53c8xx: return "lsi53c895a,\(name)"
        case .lsisas: return "mptsas1068,\(name)"
        case .pvscsi: return "pvscsi,\(name)"
        case .megasas: return "megasas,\(name)"
        }
    }
}

extension Machine.Disk {
    /// QEMU's word for the image's format.
    var qemuFormat: String {
        switch format {
        case "vhd": "vpc"
        case let format?: format
        case nil: "raw"
        }
    }

    /// The address of a disk of a SAS host, in hexadecimal: another one for each place.
    var worldWideName: String {
        let place = UInt64(UInt16(truncatingIfNeeded: shownController.number)) << 8
        return String(0x5000_c500_0000_0001 + place + UInt64(UInt8(truncatingIfNeeded: shownUnit)), radix: 16)
    }

    /// QEMU's device, without its drive.
    var qemuDevice: String {
        let controller = shownController
        let bus = "bus\(controller.kind.rawValue)\(controller.number)"
        switch controller.kind {
        case .ide: return "ide-hd,bus=ide.\(shownUnit / 2),unit=\(shownUnit % 2)"
        case .ahci: return "ide-hd,bus=\(bus).\(shownUnit)"
        case .virtioBlk: return "virtio-blk-pci"
        case .nvme: return "nvme,serial=disk\(shownUnit)"
        case .usb: return "usb-storage"
        // A SAS host finds its disks by their addresses.
        case .lsisas:
            return "scsi-hd,bus=\(bus).0,scsi-id=\(shownUnit),wwn=0x\(worldWideName)"
        default: return "scsi-hd,bus=\(bus).0,scsi-id=\(shownUnit)"
        }
    }
}

extension Machine.NetworkCard {
    /// QEMU's device.
    var qemuModel: String {
        switch model?.lowercased() {
        case "e1000": "e1000"
        case "e1000e": "e1000e"
        case "rtl8139": "rtl8139"
        case "vmxnet3": "vmxnet3"
        case "pcnet", "pcnet32": "pcnet"
        default: "virtio-net-pci"
        }
    }
}
