internal import Storage

/// libvirt's domain XML (libvirt.org/formatdomain.html).
struct LibvirtDomain {
    private let machine: Machine
    private let directory: String

    init(_ machine: Machine, _ directory: String) {
        self.machine = machine
        self.directory = directory
    }

    var text: String {
        var xml = XMLText()
        xml.element("domain", [("type", "kvm")]) { xml in
            for sentence in machine.assumptions { xml.comment(sentence) }
            xml.element("name", [], machine.shownName)
            if let identifier = machine.identifier { xml.element("uuid", [], identifier.description) }
            xml.element("memory", [("unit", "MiB")], "\(machine.memoryMebibytes)")
            xml.element("vcpu", [], "\(machine.shownProcessorCount)")
            firmware(&xml)
            xml.element("features") { xml in
                xml.element("acpi")
                xml.element("apic")
                if machine.startsSignedLoadersAlone { xml.element("smm", [("state", "on")]) }
            }
            xml.element("cpu", [("mode", "host-passthrough")])
            xml.element("clock", [("offset", "utc")])
            xml.element("devices") { xml in
                disks(&xml)
                controllers(&xml)
                cards(&xml)
                xml.element("console", [("type", "pty")])
                xml.element("graphics", [("type", "vnc"), ("autoport", "yes")])
                xml.element("video") { xml in xml.element("model", [("type", "vga")]) }
            }
        }
        return xml.text
    }

    private func firmware(_ xml: inout XMLText) {
        xml.element("os", machine.isUEFI ? [("firmware", "efi")] : []) { xml in
            xml.element("type", [("arch", "x86_64"), ("machine", machine.qemuBoard)], "hvm")
            guard machine.isUEFI else { return }
            let isOn = machine.startsSignedLoadersAlone ? "yes" : "no"
            xml.element("firmware") { xml in
                xml.element("feature", [("enabled", isOn), ("name", "secure-boot")])
                xml.element("feature", [("enabled", isOn), ("name", "enrolled-keys")])
            }
        }
    }

    private func disks(_ xml: inout XMLText) {
        let order = machine.disksInBootOrder
        for (index, disk) in machine.disks.enumerated() {
            xml.element("disk", [("type", "file"), ("device", "disk")]) { xml in
                xml.element("driver", [("name", "qemu"), ("type", disk.qemuFormat)])
                xml.element("source", [("file", disk.path(in: directory))])
                let bus = disk.shownController.kind.libvirtBus
                xml.element("target", [("dev", disk.libvirtName(index)), ("bus", bus)])
                if disk.shownController.kind == .lsisas { xml.element("wwn", [], disk.worldWideName) }
                if let place = order.firstIndex(of: disk) { xml.element("boot", [("order", "\(place + 1)")]) }
                address(of: disk, &xml)
            }
        }
    }

    private func address(of disk: Machine.Disk, _ xml: inout XMLText) {
        let unit = disk.shownUnit
        let number = "\(disk.shownController.number)"
        switch disk.shownController.kind {
        case .virtioBlk, .usb: return
        case .ide:
            xml.element(
                "address",
                [
                    ("type", "drive"), ("controller", number), ("bus", "\(unit / 2)"), ("target", "0"),
                    ("unit", "\(unit % 2)"),
                ])
        default:
            xml.element(
                "address",
                [
                    ("type", "drive"), ("controller", number), ("bus", "0"), ("target", "0"),
                    ("unit", "\(unit)"),
                ])
        }
    }

    private func controllers(_ xml: inout XMLText) {
        for controller in machine.usedControllers {
            let index = ("index", "\(controller.number)")
            switch controller.kind {
            case .ide: xml.element("controller", [("type", "ide"), index])
            case .ahci: xml.element("controller", [("type", "sata"), index])
            case .virtioBlk: continue
            case .usb: xml.element("controller", [("type", "usb"), index])
            default:
                xml.element(
                    "controller",
                    [("type", "scsi"), index, ("model", controller.kind.libvirtSCSIModel)])
            }
        }
    }

    private func cards(_ xml: inout XMLText) {
        for card in machine.cards {
            xml.element("interface", [("type", "network")]) { xml in
                if let address = card.address { xml.element("mac", [("address", address)]) }
                xml.element("source", [("network", card.network ?? "default")])
                xml.element(
                    "model", [("type", card.qemuModel == "virtio-net-pci" ? "virtio" : card.qemuModel)])
                if !card.isConnected { xml.element("link", [("state", "down")]) }
            }
        }
    }
}

extension DiskController.Kind {
    /// libvirt's word for the bus.
    var libvirtBus: String {
        switch self {
        case .ide: "ide"
        case .ahci: "sata"
        case .virtioBlk: "virtio"
        case .usb: "usb"
        default: "scsi"
        }
    }

    /// libvirt's word for the model of a SCSI controller.
    var libvirtSCSIModel: String {
        switch self {
        case .lsi1030, .sym53c8xx: "lsilogic"
        case .lsisas: "lsisas1068"
        case .pvscsi: "vmpvscsi"
        case .megasas: "lsisas1078"
        default: "virtio-scsi"
        }
    }
}

extension Machine.Disk {
    /// A name that tells the disks of a domain apart.
    func libvirtName(_ index: Int) -> String {
        let letter =
            switch shownController.kind {
            case .ide: "hd"
            case .virtioBlk: "vd"
            default: "sd"
            }
        var rest = index
        var name = ""
        repeat {
            name = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(rest % 26))) + name
            rest = rest / 26 - 1
        } while rest >= 0
        return letter + name
    }
}
