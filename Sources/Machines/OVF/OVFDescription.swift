package import Storage

/// Reads OVF (DSP0243 1.0 and 1.1, and the 2.0 of VirtualBox), and what oVirt and XenServer make of it.
package enum OVFDescription {
    static let language = "ovf"

    /// The machine that the text describes; of several the one called `name`, by its identifier or its name. Throws `corrupt`,
    /// `unsupported` (chains of differences, files in pieces), and `refused` for several machines and for one that is not there.
    package static func read(_ bytes: [UInt8], machine name: String? = nil) throws(StorageError) -> Machine {
        let root = try XMLReader.root(of: bytes, language)
        guard root.name == "Envelope" else {
            throw .machine(
                .corrupt, .otherLanguage, language, "begins with an element that is no Envelope")
        }
        let system = try system(in: root, name)
        let disks = try OVFDisks(root)
        var machine = Machine(name: system.value(of: "Name") ?? system.attribute("id"))
        guard let hardware = section("VirtualHardwareSection", in: system) else {
            throw .machine(.corrupt, .noMachine, language, "has a machine without hardware")
        }
        machine.platform = platform(of: hardware, system)
        readSystem(system, hardware, into: &machine)
        try OVFHardware(hardware, disks: disks, configuration: configuration(root), started: started(system))
            .read(into: &machine)
        readVirtualBox(system, into: &machine)
        return machine
    }

    /// The one machine of an envelope, or the one that is asked for.
    private static func system(in root: XMLElement, _ name: String?) throws(StorageError) -> XMLElement {
        var found: [XMLElement] = []
        func look(_ element: XMLElement) {
            for child in element.children {
                let type = child.attribute("type") ?? ""
                if child.name == "VirtualSystem"
                    || child.name == "Content" && type.hasSuffix("VirtualSystem_Type")
                {
                    found.append(child)
                } else if child.name == "VirtualSystemCollection"
                    || child.name == "Content" && type.hasSuffix("VirtualSystemCollection_Type")
                {
                    look(child)
                }
            }
        }
        look(root)
        return try MachineChoice(name, language).one(of: found) { system in
            [system.attribute("id"), system.value(of: "Name")].compactMap(\.self)
        }
    }

    /// A section by its name, or by its type as oVirt has it.
    static func section(_ name: String, in element: XMLElement) -> XMLElement? {
        element.children.first {
            $0.name == name || $0.name == "Section" && ($0.attribute("type") ?? "").hasSuffix(name + "_Type")
        }
    }

    /// The configuration that is deployed when nobody chooses; nil where there are none.
    private static func configuration(_ root: XMLElement) -> String? {
        let all = section("DeploymentOptionSection", in: root)?.children(named: "Configuration") ?? []
        let chosen = all.first { ["true", "1"].contains($0.attribute("default") ?? "") } ?? all.first
        return chosen?.attribute("id")
    }

    /// The item of the first disk in VMware's order of starting, a section a device.
    private static func started(_ system: XMLElement) -> String? {
        system.children(named: "BootOrderSection").first {
            ["disk", "hdd"].contains($0.attribute("type")?.lowercased() ?? "")
        }?.attribute("instanceId")
    }

    private static func platform(of hardware: XMLElement, _ system: XMLElement) -> Machine.Platform? {
        let types = hardware.children(named: "System").compactMap { $0.value(of: "VirtualSystemType") }
        let type = (types.first ?? "").lowercased()
        if type.contains("virtualbox") { return .virtualbox }
        if type.contains("vmx-") { return .vmware }
        if type.contains("xen") || type.contains("hvm") { return .xen }
        if type.contains("kvm") || type.contains("qemu") || type.contains("ovirt") { return .kvm }
        // The sections that are told by their type are oVirt's.
        return hardware.name == "Section" || type.contains("engine") ? .kvm : nil
    }

    private static func readSystem(_ system: XMLElement, _ hardware: XMLElement, into machine: inout Machine)
    {
        if let section = section("OperatingSystemSection", in: system) {
            machine.operatingSystem =
                section.attribute("osType") ?? section.value(of: "OSType") ?? section.value(of: "Description")
        }
        func settings(_ element: XMLElement) -> [(key: String, value: String)] {
            element.children.filter { $0.name == "Config" || $0.name == "ExtraConfig" }.compactMap {
                guard let key = $0.attribute("key"), let value = $0.attribute("value") else { return nil }
                return (key, value.lowercased())
            }
        }
        // An OVF that says nothing of the firmware means a BIOS, in VMware's and VirtualBox's dialect.
        if machine.platform == .vmware || machine.platform == .virtualbox { machine.firmware = .bios }
        for (key, value) in settings(hardware) + settings(system) {
            switch key {
            case "firmware": machine.firmware = value == "efi" ? .uefi : .bios
            case "bootOptions.efiSecureBootEnabled", "uefi.secureBoot.enabled":
                machine.hasSecureBoot = value == "true"
            default: break
            }
        }
        // oVirt's numbers; 2 meant UEFI before version 4.4 and a BIOS since.
        switch system.value(of: "BiosType") {
        case "0", "1": machine.firmware = .bios
        case "3": machine.firmware = .uefi
        case "4":
            machine.firmware = .uefi
            machine.hasSecureBoot = true
        default: break
        }
        if let number = system.attribute("id").flatMap({ UUID16(text: $0) }) { machine.identifier = number }
    }

    /// VirtualBox says in an element of its own what OVF has no words for.
    private static func readVirtualBox(_ system: XMLElement, into machine: inout Machine) {
        guard let own = system.child("Machine") else { return }
        let hardware = own.child("Hardware") ?? own
        if let type = hardware.child("Firmware")?.attribute("type") {
            machine.firmware = type.uppercased().hasPrefix("EFI") ? .uefi : .bios
        }
        if let uuid = own.attribute("uuid") {
            machine.identifier = UUID16(text: String(uuid.filter { $0 != "{" && $0 != "}" }))
        }
        let adapters = VirtualBoxDescription.cards(in: hardware)
        guard adapters.count == machine.cards.count else { return }
        for index in machine.cards.indices {
            machine.cards[index].address = machine.cards[index].address ?? adapters[index].address
        }
    }
}
