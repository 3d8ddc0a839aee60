import Machines
import Storage
import TestSupport
import Testing

struct OVFDescriptionTests {
    /// An envelope as VMware writes it, with `items` and whatever stands beside them.
    static func envelope(
        disks: String =
            "<Disk ovf:capacity=\"40\" ovf:capacityAllocationUnits=\"byte * 2^30\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\" "
            + "ovf:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\"/>",
        files: String = "<File ovf:href=\"web-disk1.vmdk\" ovf:id=\"f1\" ovf:size=\"1\"/>",
        items: String, type: String = "vmx-13", beside: String = "", system: String = ""
    ) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="r" xmlns:vssd="v" xmlns:vmw="w">
        <References>\(files)</References><DiskSection><Info/>\(disks)</DiskSection>
        <VirtualSystem ovf:id="web"><Name>web</Name>\(system)
        <VirtualHardwareSection><System><vssd:VirtualSystemType>\(type)</vssd:VirtualSystemType></System>
        \(items)\(beside)</VirtualHardwareSection></VirtualSystem></Envelope>
        """
    }

    static func item(_ type: Int, _ id: Int, _ more: String, element: String = "Item") -> String {
        "<\(element)><rasd:InstanceID>\(id)</rasd:InstanceID><rasd:ResourceType>\(type)</rasd:ResourceType>\(more)</\(element)>"
    }

    static func disk(_ id: Int, _ resource: String, parent: Int, at place: Int) -> String {
        item(
            17, id,
            "<rasd:HostResource>\(resource)</rasd:HostResource><rasd:Parent>\(parent)</rasd:Parent>"
                + "<rasd:AddressOnParent>\(place)</rasd:AddressOnParent>")
    }

    static func read(_ text: String) throws(StorageError) -> Machine {
        try OVFDescription.read(Array(text.utf8))
    }

    private static let scsi = item(
        6, 3, "<rasd:Address>0</rasd:Address><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>")

    @Test func vmwaresDialect() throws {
        let machine = try Self.read(
            Self.envelope(
                items: Self.item(3, 1, "<rasd:VirtualQuantity>4</rasd:VirtualQuantity>")
                    + Self.item(
                        4, 2,
                        "<rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:VirtualQuantity>2048</rasd:VirtualQuantity>"
                    ) + Self.scsi + Self.disk(5, "ovf:/disk/d1", parent: 3, at: 1)
                    + Self.item(
                        10, 6,
                        "<rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:Address>00:50:56:AA:BB:01</rasd:Address>"
                            + "<rasd:Connection>VM Network</rasd:Connection>"),
                beside:
                    "<vmw:Config ovf:required=\"false\" vmw:key=\"firmware\" vmw:value=\"efi\"/>"
                    + "<vmw:Config vmw:key=\"bootOptions.efiSecureBootEnabled\" vmw:value=\"true\"/>",
                system: "<OperatingSystemSection ovf:id=\"80\" vmw:osType=\"rhel8_64Guest\"/>"))
        #expect(machine.name == "web" && machine.platform == .vmware)
        #expect(machine.firmware == .uefi && machine.hasSecureBoot == true)
        #expect(machine.processorCount == 4 && machine.memoryByteCount == 2048 << 20)
        #expect(machine.operatingSystem == "rhel8_64Guest")
        let disk = try #require(machine.disks.first)
        #expect(disk.file == "web-disk1.vmdk" && disk.byteCount == 40 << 30)
        #expect(disk.controller == DiskController(.pvscsi) && disk.unit == 1)
        #expect(machine.controllers == [DiskController(.pvscsi)])
        #expect(
            machine.cards == [
                Machine.NetworkCard(model: "VmxNet3", address: "00:50:56:aa:bb:01", network: "VM Network")
            ])
    }

    @Test(arguments: [
        (6, "lsilogic", DiskController.Kind.lsi1030), (6, "LsiLogicSAS", .lsisas), (6, "buslogic", .buslogic),
        (6, "VirtualSCSI", .pvscsi), (6, "", .lsi1030), (5, "PIIX4", .ide), (20, "vmware.sata.ahci", .ahci),
        (20, "AHCI", .ahci), (20, "vmware.nvme.controller", .nvme), (20, "VirtioSCSI", .virtioSCSI),
        (6, "something VirtualSCSI lsilogic", .pvscsi),
        (20, "own.controller, vmware.nvme.controller", .nvme),
        (6, "new</rasd:ResourceSubType><rasd:ResourceSubType>lsilogicsas", .lsisas),
    ])
    func controllers(_ type: Int, _ subtype: String, _ kind: DiskController.Kind) throws {
        let controller = Self.item(type, 3, "<rasd:ResourceSubType>\(subtype)</rasd:ResourceSubType>")
        let machine = try Self.read(
            Self.envelope(items: controller + Self.disk(5, "/disk/d1", parent: 3, at: 0)))
        #expect(machine.disks.first?.controller?.kind == kind)
    }

    /// Of a card's models, which stand by preference, the first that is known; a name with blanks is one.
    @Test(arguments: [
        ("VmxNet3 E1000", "VmxNet3"), ("own E1000e", "E1000e"), ("3", "virtio"),
        ("Ethernet Adapter", "Ethernet Adapter"),
    ])
    func models(_ text: String, _ model: String) throws {
        let card = Self.item(10, 6, "<rasd:ResourceSubType>\(text)</rasd:ResourceSubType>")
        #expect(try Self.read(Self.envelope(items: card)).cards.first?.model == model)
    }

    /// VMware's order of starting: a section a device, of which the first disk counts.
    @Test func theDiskThatIsStarted() throws {
        let disks = ["a", "b"].map {
            "<Disk ovf:capacity=\"1\" ovf:diskId=\"\($0)\" ovf:fileRef=\"f\($0)\"/>"
        }.joined()
        let files = ["a", "b"].map { "<File ovf:href=\"\($0).vmdk\" ovf:id=\"f\($0)\"/>" }.joined()
        func started(_ sections: [(String, String)]) throws -> [Bool] {
            let system = sections.map {
                "<vmw:BootOrderSection vmw:instanceId=\"\($0.0)\" vmw:type=\"\($0.1)\"><Info/></vmw:BootOrderSection>"
            }.joined()
            return try Self.read(
                Self.envelope(
                    disks: disks, files: files,
                    items: Self.scsi + Self.disk(7, "ovf:/disk/a", parent: 3, at: 0)
                        + Self.disk(8, "ovf:/disk/b", parent: 3, at: 1), system: system)
            ).disks.map(\.isStarted)
        }
        #expect(try started([]) == [false, false])
        #expect(try started([("9", "cdrom"), ("8", "disk"), ("7", "disk")]) == [false, true])
        #expect(try started([("8", "net")]) == [false, false])
    }

    /// Items in any order; SCSI before IDE, by controller and place; IDE's channels make one controller.
    @Test func theOrderIsTheMachines() throws {
        let names = ["a", "b", "c", "d"]
        let files = names.map { "<File ovf:href=\"\($0).vmdk\" ovf:id=\"f\($0)\"/>" }.joined()
        let disks = names.map { "<Disk ovf:capacity=\"1\" ovf:diskId=\"\($0)\" ovf:fileRef=\"f\($0)\"/>" }
            .joined()
        let ide = Self.item(5, 9, "<rasd:Address>1</rasd:Address>")
        let second = Self.item(
            6, 4, "<rasd:Address>1</rasd:Address><rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>")
        let machine = try Self.read(
            Self.envelope(
                disks: disks, files: files,
                items: Self.disk(20, "ovf:/disk/a", parent: 9, at: 1)
                    + Self.disk(21, "ovf:/disk/b", parent: 4, at: 0)
                    + Self.disk(22, "ovf:/disk/c", parent: 3, at: 8)
                    + Self.disk(23, "ovf://disk/d", parent: 3, at: 2)
                    + ide + second + Self.scsi))
        #expect(machine.disks.map(\.file) == ["d.vmdk", "c.vmdk", "b.vmdk", "a.vmdk"])
        #expect(machine.disks.map(\.unit) == [2, 8, 0, 3])
        #expect(machine.disks[3].controller == DiskController(.ide))
    }

    @Test func virtualBoxsDialect() throws {
        let machine = try Self.read(
            Self.envelope(
                items: Self.item(
                    20, 3, "<rasd:ResourceSubType>AHCI</rasd:ResourceSubType>", element: "StorageItem")
                    + Self.item(
                        17, 8,
                        "<rasd:HostResource>/disk/d1</rasd:HostResource><rasd:Parent>3</rasd:Parent><rasd:AddressOnParent>0</rasd:AddressOnParent>",
                        element: "StorageItem")
                    + Self.item(
                        10, 9, "<rasd:ResourceSubType>E1000</rasd:ResourceSubType>",
                        element: "EthernetPortItem"),
                type: "virtualbox-2.2",
                system:
                    "<vbox:Machine xmlns:vbox=\"b\" uuid=\"{5e2b3c1a-0000-4000-8000-000000000001}\"><Hardware><Firmware type=\"EFI\"/>"
                    + "<Network><Adapter slot=\"0\" enabled=\"true\" MACAddress=\"080027ABCDEF\" type=\"82540EM\"/></Network></Hardware></vbox:Machine>"
            ))
        #expect(machine.platform == .virtualbox && machine.firmware == .uefi)
        #expect(machine.disks.first?.controller == DiskController(.ahci))
        #expect(machine.cards.first?.address == "08:00:27:ab:cd:ef")
        #expect(machine.identifier?.description == "5e2b3c1a-0000-4000-8000-000000000001")
    }

    @Test func oVirtsDialect() throws {
        let text = """
            <ovf:Envelope xmlns:ovf="o" xmlns:rasd="r" xmlns:xsi="x" ovf:version="4.4">
            <References><File ovf:href="img-1" ovf:id="img-1" ovf:size="5"/></References>
            <Section xsi:type="ovf:DiskSection_Type"><Disk ovf:diskId="img-1" ovf:size="8" ovf:capacity="8589934592" ovf:capacityAllocationUnits="byte" ovf:fileRef="img-1" ovf:boot="true" ovf:disk-interface="VirtIO"/></Section>
            <Content ovf:id="out" xsi:type="ovf:VirtualSystem_Type"><Name>rhev</Name><BiosType>4</BiosType>
            <Section xsi:type="ovf:VirtualHardwareSection_Type">
            <Item><rasd:InstanceId>1</rasd:InstanceId><rasd:ResourceType>3</rasd:ResourceType><rasd:num_of_sockets>2</rasd:num_of_sockets><rasd:cpu_per_socket>3</rasd:cpu_per_socket></Item>
            <Item><rasd:InstanceId>2</rasd:InstanceId><rasd:ResourceType>4</rasd:ResourceType><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
            <Item><rasd:InstanceId>img-1</rasd:InstanceId><rasd:ResourceType>17</rasd:ResourceType><Type>disk</Type><rasd:HostResource>img-1</rasd:HostResource></Item>
            <Item><rasd:InstanceId>n</rasd:InstanceId><rasd:ResourceType>10</rasd:ResourceType><rasd:ResourceSubType>3</rasd:ResourceSubType><rasd:MACAddress>56:6f:00:00:00:01</rasd:MACAddress></Item>
            </Section></Content></ovf:Envelope>
            """
        let machine = try Self.read(text)
        #expect(machine.platform == .kvm && machine.name == "rhev" && machine.firmware == .uefi)
        #expect(machine.processorCount == 6 && machine.memoryByteCount == 512 << 20)
        let disk = try #require(machine.disks.first)
        #expect(disk.file == "img-1" && disk.byteCount == 8 << 30 && disk.isStarted)
        #expect(disk.controller == DiskController(.virtioBlk) && disk.unit == 0)
        #expect(machine.cards.first?.model == "virtio")
    }

    @Test(arguments: [
        ("byte * 2^20", "3", UInt64(3) << 20), ("byte", "512", 512), ("byte*2^30", "1", 1 << 30),
        ("MegaBytes", "2", 2 << 20), ("GigaBytes", "2", 2 << 30), ("byte * 10^9", "5", 5_000_000_000),
        ("GigaBytes", "1.5", 3 << 29), ("byte * 2^20", "0.25", 1 << 18), ("byte", "1.9", 1),
    ])
    func units(_ unit: String, _ number: String, _ bytes: UInt64) throws {
        let disk =
            "<Disk ovf:capacity=\"\(number)\" ovf:capacityAllocationUnits=\"\(unit)\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>"
        let machine = try Self.read(
            Self.envelope(disks: disk, items: Self.scsi + Self.disk(5, "ovf:/disk/d1", parent: 3, at: 0)))
        #expect(machine.disks.first?.byteCount == bytes)
    }

    @Test(arguments: [
        "<Disk ovf:capacity=\"99999999999999999999\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
        "<Disk ovf:capacity=\"9223372036854775807\" ovf:capacityAllocationUnits=\"byte * 2^40\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
        "<Disk ovf:capacity=\"1.\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
        "<Disk ovf:capacity=\"1.5.0\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
        "<Disk ovf:capacity=\"-1\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
        "<Disk ovf:capacity=\"1\" ovf:capacityAllocationUnits=\"byte * 2^99\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
    ])
    func hugeCapacities(_ disk: String) throws {
        let error = try #require(throws: StorageError.self) {
            try Self.read(
                Self.envelope(disks: disk, items: Self.scsi + Self.disk(5, "ovf:/disk/d1", parent: 3, at: 0)))
        }
        #expect(error.isCode(MachineCode.badNumber) && error.kind == .corrupt)
    }

    @Test(arguments: [
        (
            "<Disk ovf:capacity=\"1\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\" ovf:parentRef=\"d0\"/>", "",
            MachineCode.chainOfDifferences
        ),
        ("", "", .danglingReference),
        ("<Disk ovf:capacity=\"1\" ovf:diskId=\"d1\" ovf:fileRef=\"f9\"/>", "", .danglingReference),
        (
            "<Disk ovf:capacity=\"1\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/><Disk ovf:capacity=\"2\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
            "", .contradiction
        ),
        (
            "<Disk ovf:capacity=\"1\" ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/>",
            "<File ovf:href=\"x\" ovf:id=\"f1\" ovf:chunkSize=\"7\"/>", .inPieces
        ),
    ])
    func whatIsRefused(_ disks: String, _ files: String, _ code: MachineCode) throws {
        let error = try #require(throws: StorageError.self) {
            try Self.read(
                Self.envelope(
                    disks: disks, files: files.isEmpty ? "<File ovf:href=\"x.vmdk\" ovf:id=\"f1\"/>" : files,
                    items: Self.scsi + Self.disk(5, "ovf:/disk/d1", parent: 3, at: 0)))
        }
        #expect(error.isCode(code), "\(error)")
    }

    @Test func severalMachinesAreNamed() throws {
        let one = "<VirtualSystem ovf:id=\"NAME\"><VirtualHardwareSection/></VirtualSystem>"
        let text =
            "<Envelope xmlns:ovf=\"o\"><References/><VirtualSystemCollection>"
            + one.replacing("NAME", with: "app") + one.replacing("NAME", with: "db")
            + "</VirtualSystemCollection></Envelope>"
        let error = try #require(throws: StorageError.self) { try Self.read(text) }
        #expect(error.isCode(MachineCode.severalMachines) && error.message.contains("app, db"))
    }

    @Test func anEmptyDiskHasNoFile() throws {
        let machine = try Self.read(
            Self.envelope(
                disks: "<Disk ovf:capacity=\"1\" ovf:diskId=\"d1\"/>",
                items: Self.scsi + Self.disk(5, "ovf:/disk/d1", parent: 3, at: 0)))
        #expect(machine.disks.isEmpty && machine.notes.count == 1)
        // It has its place all the same, which the names of the others go by.
        #expect(machine.absentDisks.map(\.unit) == [0])
    }

    @Test(.enabled(if: SharedSamples.present, Comment(rawValue: SharedSamples.skipMessage)))
    func aRealOneOfKubeVirt() throws {
        let text = try Tool.run("tar", ["-xOf", try SharedSamples.path("formats/cdi/fake.ova"), "fake.ovf"])
            .output
        let machine = try OVFDescription.read(text)
        #expect(machine.disks.map(\.file) == ["disk1.vmdk"])
        #expect(machine.platform == .vmware)
    }
}
