package import Storage

/// The description in an export of XenServer and XCP-ng (ova.xml), with what an import asks for: objects of the XenAPI as XML-RPC.
package struct XVAText {
    private let machine: Machine

    /// Of a machine; the files of its disks are what `reference` has.
    package init(_ machine: Machine) { self.machine = machine }

    /// The reference of disk number `index`. All have as many digits, so that an export, which has its disks in the order of
    /// these as strings, has them in the machine's order.
    package static func reference(ofDisk index: Int) -> String { "Ref:\(10000 + index)" }

    /// The text. Throws `io` where there is no randomness for identifiers.
    package func text() throws(StorageError) -> String {
        let version = structure([
            ("hostname", text("localhost")), ("date", text("2024-01-01")), ("product_version", text("8.2.0")),
            ("product_brand", text("XCP-ng")), ("build_number", text("0")),
            // An import refuses what is newer than itself: these are old.
            ("xapi_major", text("1")), ("xapi_minor", text("20")), ("export_vsn", text("2")),
        ])
        var objects = [object("VM", "Ref:0", try machineMembers())]
        for (index, disk) in machine.disks.enumerated() {
            objects.append(object("VBD", "Ref:\(20000 + index)", try deviceMembers(index, disk)))
            objects.append(object("VDI", Self.reference(ofDisk: index), try diskMembers(index, disk)))
        }
        objects.append(
            object(
                "SR", "Ref:1",
                [
                    ("uuid", text(try UUID16.random().description)), ("name_label", text("Local storage")),
                    ("VDIs", list(machine.disks.indices.map { Self.reference(ofDisk: $0) })),
                    ("type", text("lvm")), ("content_type", text("user")), ("shared", boolean(false)),
                ]))
        if !machine.cards.isEmpty {
            for (index, card) in machine.cards.enumerated() {
                objects.append(object("VIF", "Ref:\(30000 + index)", try cardMembers(index, card)))
            }
            objects.append(
                object(
                    "network", "Ref:2",
                    [
                        ("uuid", text(try UUID16.random().description)),
                        ("name_label", text("Pool-wide network associated with eth0")),
                        ("VIFs", list(machine.cards.indices.map { "Ref:\(30000 + $0)" })),
                        ("bridge", text("xenbr0")), ("MTU", text("1500")), ("other_config", structure([])),
                    ]))
        }
        let array = "<array><data>\(objects.map { "<value>\($0)</value>" }.joined())</data></array>"
        return "<value>" + structure([("version", version), ("objects", array)]) + "</value>"
    }

    private func machineMembers() throws(StorageError) -> [(String, String)] {
        let memory = text("\(machine.memoryByteCount ?? Machine.assumedMemoryByteCount)")
        let processors = text("\(machine.processorCount ?? Machine.assumedProcessorCount)")
        var boot = [("order", text("cdn"))]
        boot.append(("firmware", text(machine.firmware == .uefi ? "uefi" : "bios")))
        var platform = [
            ("nx", text("true")), ("acpi", text("1")), ("apic", text("true")), ("pae", text("true")),
            ("viridian", text("false")), ("device-model", text("qemu-upstream-compat")),
        ]
        if machine.firmware == .uefi {
            platform.append(("secureboot", text(machine.hasSecureBoot == true ? "true" : "false")))
        }
        return [
            ("uuid", text(try UUID16.random().description)), ("name_label", text(machine.shownName)),
            ("name_description", text("")), ("power_state", text("Halted")), ("user_version", text("1")),
            ("is_a_template", boolean(false)), ("is_a_snapshot", boolean(false)),
            ("memory_static_max", memory), ("memory_dynamic_max", memory), ("memory_dynamic_min", memory),
            ("memory_static_min", memory), ("VCPUs_max", processors), ("VCPUs_at_startup", processors),
            ("VCPUs_params", structure([])),
            ("VBDs", list(machine.disks.indices.map { "Ref:\(20000 + $0)" })),
            ("VIFs", list(machine.cards.indices.map { "Ref:\(30000 + $0)" })), ("PV_bootloader", text("")),
            ("PV_kernel", text("")), ("PV_ramdisk", text("")), ("PV_args", text("")),
            ("PV_bootloader_args", text("")), ("HVM_boot_policy", text("BIOS order")),
            ("HVM_boot_params", structure(boot)), ("HVM_shadow_multiplier", text("1.000")),
            ("platform", structure(platform)), ("other_config", structure([])), ("recommendations", text("")),
            ("domain_type", text("hvm")), ("has_vendor_device", boolean(false)),
        ]
    }

    private func deviceMembers(_ index: Int, _ disk: Machine.Disk) throws(StorageError) -> [(String, String)]
    {
        [
            ("uuid", text(try UUID16.random().description)), ("VM", text("Ref:0")),
            ("VDI", text(Self.reference(ofDisk: index))), ("device", text("")),
            ("userdevice", text("\(disk.unit ?? index)")),
            ("bootable", boolean(disk.isStarted || index == 0)),
            ("mode", text("RW")), ("type", text("Disk")), ("unpluggable", boolean(false)),
            ("empty", boolean(false)), ("other_config", structure([("owner", text("true"))])),
            ("currently_attached", boolean(false)),
        ]
    }

    private func diskMembers(_ index: Int, _ disk: Machine.Disk) throws(StorageError) -> [(String, String)] {
        [
            ("uuid", text(try UUID16.random().description)),
            ("name_label", text("\(machine.shownName) disk \(index)")), ("name_description", text("")),
            ("SR", text("Ref:1")), ("VBDs", list(["Ref:\(20000 + index)"])),
            ("virtual_size", text("\(disk.byteCount ?? 0)")),
            ("physical_utilisation", text("\(disk.byteCount ?? 0)")), ("type", text("user")),
            ("sharable", boolean(false)), ("read_only", boolean(false)), ("other_config", structure([])),
            ("snapshot_of", text("OpaqueRef:NULL")), ("is_a_snapshot", boolean(false)),
        ]
    }

    private func cardMembers(
        _ index: Int, _ card: Machine.NetworkCard
    ) throws(StorageError) -> [(String, String)] {
        [
            ("uuid", text(try UUID16.random().description)), ("device", text("\(index)")),
            ("network", text("Ref:2")), ("VM", text("Ref:0")), ("MAC", text(card.address ?? "")),
            ("MTU", text("1500")), ("MAC_autogenerated", boolean(card.address == nil)),
            ("other_config", structure([])), ("currently_attached", boolean(false)),
        ]
    }

    private func object(_ kind: String, _ id: String, _ members: [(String, String)]) -> String {
        structure([("class", text(kind)), ("id", text(id)), ("snapshot", structure(members))])
    }

    private func structure(_ members: [(String, String)]) -> String {
        let rows = members.map { "<member><name>\($0.0)</name><value>\($0.1)</value></member>" }
        return "<struct>\(rows.joined())</struct>"
    }

    private func list(_ references: [String]) -> String {
        "<array><data>\(references.map { "<value>\($0)</value>" }.joined())</data></array>"
    }

    private func boolean(_ value: Bool) -> String { "<boolean>\(value ? 1 : 0)</boolean>" }

    /// XML has no words for control characters.
    private func text(_ text: String) -> String {
        XMLText.escaped(String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.isShown })))
    }
}
