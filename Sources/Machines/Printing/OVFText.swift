/// An OVF 1.x envelope (DMTF DSP0243) in the dialect that VMware reads: `Item` elements alone, controllers by resource type.
struct OVFText {
    private let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    var text: String {
        var xml = XMLText()
        let attributes = [
            ("xmlns", "http://schemas.dmtf.org/ovf/envelope/1"),
            ("xmlns:cim", "http://schemas.dmtf.org/wbem/wscim/1/common"),
            ("xmlns:ovf", "http://schemas.dmtf.org/ovf/envelope/1"),
            (
                "xmlns:rasd",
                "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
            ),
            ("xmlns:vmw", "http://www.vmware.com/schema/ovf"),
            (
                "xmlns:vssd",
                "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
            ), ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ]
        xml.element("Envelope", attributes) { xml in
            references(&xml)
            disks(&xml)
            xml.element("NetworkSection") { xml in
                xml.element("Info", [], "The networks")
                for name in networks {
                    xml.element("Network", [("ovf:name", name)]) { xml in
                        xml.element("Description", [], "The network \(name)")
                    }
                }
            }
            xml.element("VirtualSystem", [("ovf:id", machine.shownName)]) { xml in system(&xml) }
        }
        return xml.text
    }

    private var networks: [String] {
        machine.cards.map(\.shownNetwork).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func references(_ xml: inout XMLText) {
        xml.element("References") { xml in
            for (index, disk) in machine.disks.enumerated() {
                let size = disk.fileByteCount.map { [("ovf:size", "\($0)")] } ?? []
                xml.element(
                    "File",
                    [("ovf:href", disk.file.replacing("%", with: "%25")), ("ovf:id", "file\(index + 1)")]
                        + size)
            }
        }
    }

    private func disks(_ xml: inout XMLText) {
        xml.element("DiskSection") { xml in
            xml.element("Info", [], "The disks")
            for (index, disk) in machine.disks.enumerated() {
                xml.element(
                    "Disk",
                    [
                        ("ovf:capacity", "\(disk.byteCount ?? 0)"), ("ovf:capacityAllocationUnits", "byte"),
                        ("ovf:diskId", "vmdisk\(index + 1)"), ("ovf:fileRef", "file\(index + 1)"),
                        (
                            "ovf:format",
                            "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
                        ),
                    ])
            }
        }
    }

    private func system(_ xml: inout XMLText) {
        xml.element("Info", [], "A virtual machine")
        xml.element("Name", [], machine.shownName)
        // 101 is CIM's number for a Linux of 64 bits.
        xml.element(
            "OperatingSystemSection",
            [("ovf:id", "101"), ("vmw:osType", machine.systemOfOVF ?? "otherLinux64Guest")]
        ) { xml in xml.element("Info", [], "The kind of guest") }
        xml.element("VirtualHardwareSection") { xml in
            xml.element("Info", [], "The hardware")
            xml.element("System") { xml in
                xml.element("vssd:ElementName", [], "Virtual Hardware Family")
                xml.element("vssd:InstanceID", [], "0")
                xml.element("vssd:VirtualSystemIdentifier", [], machine.shownName)
                xml.element("vssd:VirtualSystemType", [], "vmx-13")
            }
            items(&xml)
            guard machine.isUEFI else { return }
            configuration("firmware", "efi", &xml)
            if machine.startsSignedLoadersAlone {
                configuration("bootOptions.efiSecureBootEnabled", "true", &xml)
            }
        }
    }

    private func configuration(_ key: String, _ value: String, _ xml: inout XMLText) {
        xml.element("vmw:Config", [("ovf:required", "false"), ("vmw:key", key), ("vmw:value", value)])
    }

    private func items(_ xml: inout XMLText) {
        let processors = machine.shownProcessorCount
        item(
            &xml,
            [
                ("AllocationUnits", "hertz * 10^6"), ("ElementName", "\(processors) virtual CPU(s)"),
                ("InstanceID", "1"), ("ResourceType", "3"), ("VirtualQuantity", "\(processors)"),
            ])
        let memory = (machine.memoryMebibytes + 3) / 4 * 4
        item(
            &xml,
            [
                ("AllocationUnits", "byte * 2^20"), ("ElementName", "\(memory) MB of memory"),
                ("InstanceID", "2"),
                ("ResourceType", "4"), ("VirtualQuantity", "\(memory)"),
            ])
        var number = 3
        var parents: [Channel: Int] = [:]
        for channel in channels {
            let type = channel.controller.kind.ovfType
            var rows = [
                ("Address", "\(channel.number)"),
                ("ElementName", "\(channel.controller.kind.rawValue) \(channel.number)"),
                ("InstanceID", "\(number)"),
            ]
            if let subtype = type.subtype { rows.append(("ResourceSubType", subtype)) }
            item(&xml, rows + [("ResourceType", "\(type.number)")])
            parents[channel] = number
            number += 1
        }
        for (index, disk) in machine.disks.enumerated() {
            item(
                &xml,
                [
                    ("AddressOnParent", "\(disk.unitOnChannel)"), ("ElementName", "disk\(index + 1)"),
                    ("HostResource", "ovf:/disk/vmdisk\(index + 1)"), ("InstanceID", "\(number)"),
                    ("Parent", "\(parents[Channel(disk)] ?? 0)"), ("ResourceType", "17"),
                ])
            number += 1
        }
        for (index, card) in machine.cards.enumerated() {
            let address = card.address.map { [("Address", $0)] } ?? []
            item(
                &xml,
                address + [
                    ("AddressOnParent", "\(index + 7)"),
                    ("AutomaticAllocation", card.isConnected ? "true" : "false"),
                    ("Connection", card.shownNetwork), ("ElementName", "Network adapter \(index + 1)"),
                    ("InstanceID", "\(number)"), ("ResourceSubType", card.ovfSubtype), ("ResourceType", "10"),
                ])
            number += 1
        }
    }

    private func item(_ xml: inout XMLText, _ rows: [(String, String)]) {
        xml.element("Item") { xml in for (name, value) in rows { xml.element("rasd:\(name)", [], value) } }
    }

    private var channels: [Channel] {
        machine.disks.map(Channel.init).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// What OVF counts as a controller: a channel of an IDE controller is one of its own.
    private struct Channel: Hashable {
        var controller: DiskController
        var number: Int

        init(_ disk: Machine.Disk) {
            controller = disk.shownController
            number = controller.kind == .ide ? disk.shownUnit / 2 : controller.number
        }
    }
}

extension Machine.Disk {
    /// Its number behind what OVF counts as a controller.
    fileprivate var unitOnChannel: Int { shownController.kind == .ide ? shownUnit % 2 : shownUnit }
}

extension Machine.NetworkCard {
    /// The network's name, or that of a new ESXi's.
    fileprivate var shownNetwork: String { network ?? "VM Network" }

    /// VMware's word for the card.
    fileprivate var ovfSubtype: String {
        switch model?.lowercased() {
        case "e1000": "E1000"
        case "e1000e": "E1000e"
        case "pcnet", "pcnet32": "PCNet32"
        default: "VmxNet3"
        }
    }
}

extension DiskController.Kind {
    /// The number of the resource, and VMware's word where it tells several apart.
    fileprivate var ovfType: (number: Int, subtype: String?) {
        switch self {
        case .ide: (5, nil)
        case .ahci: (20, "vmware.sata.ahci")
        case .nvme: (20, "vmware.nvme.controller")
        case .buslogic: (6, "buslogic")
        case .lsisas: (6, "lsilogicsas")
        case .pvscsi: (6, "VirtualSCSI")
        default: (6, "lsilogic")
        }
    }
}
