import Machines
import Storage
import TestSupport
import Testing

/// What descriptions state beside the disks, and where they contradict themselves.
struct StatementTests {
    /// One of several machines is taken by its identifier or its name; each has its own disks.
    @Test func oneOfSeveralMachines() throws {
        func system(_ id: String, _ name: String, _ disk: String) -> String {
            "<VirtualSystem ovf:id=\"\(id)\"><Name>\(name)</Name><VirtualHardwareSection>"
                + "<Item><rasd:ResourceType>17</rasd:ResourceType><rasd:HostResource>ovf:/disk/\(disk)</rasd:HostResource></Item>"
                + "</VirtualHardwareSection></VirtualSystem>"
        }
        let files = ["a", "b", "c"].map { "<File ovf:href=\"\($0).vmdk\" ovf:id=\"\($0)\"/>" }.joined()
        let disks = ["a", "b", "c"].map { "<Disk ovf:diskId=\"\($0)\" ovf:fileRef=\"\($0)\"/>" }.joined()
        let text = Array(
            ("<Envelope xmlns:ovf=\"o\" xmlns:rasd=\"r\"><References>\(files)</References><DiskSection>\(disks)</DiskSection>"
                + "<VirtualSystemCollection ovf:id=\"all\">\(system("app", "Application", "a"))"
                + "<VirtualSystemCollection ovf:id=\"inner\">\(system("db", "Database", "b"))\(system("db2", "Database", "c"))"
                + "</VirtualSystemCollection></VirtualSystemCollection></Envelope>").utf8)
        for (name, file) in [
            ("app", "a.vmdk"), ("Application", "a.vmdk"), ("db", "b.vmdk"), ("db2", "c.vmdk"),
        ] {
            #expect(try OVFDescription.read(text, machine: name).disks.map(\.file) == [file])
        }
        for name in ["Database", "web", "inner", ""] {
            let error = try #require(throws: StorageError.self) {
                try OVFDescription.read(text, machine: name)
            }
            #expect(error.isCode(MachineCode.noSuchMachine) && error.message.contains("app, db, db2"))
        }
        let several = try #require(throws: StorageError.self) { try OVFDescription.read(text) }
        #expect(several.isCode(MachineCode.severalMachines) && several.remedies == [.chooseMachine])
        let vmx = Array("displayName = \"web\"\n".utf8)
        #expect(try DescriptionLanguage.vmx.read(vmx, machine: "web").name == "web")
        #expect(throws: StorageError.self) { try DescriptionLanguage.vmx.read(vmx, machine: "db") }
    }

    @Test func oneOfSeveralExports() throws {
        let objects = [
            XVADescriptionTests.machine(),
            XVADescriptionTests.object("VM", "Ref:50", [("name_label", "db"), ("uuid", "u-2")]),
        ]
        let text = XVADescriptionTests.text(objects + XVADescriptionTests.disk(4, place: "0"))
        #expect(try XVADescription.read(text, machine: "db").disks.isEmpty)
        #expect(try XVADescription.read(text, machine: "u-2").name == "db")
        let first = try XVADescription.read(XVADescriptionTests.text([objects[0]]))
        #expect(try XVADescription.read(text, machine: first.name).disks.count == 1)
        #expect(throws: StorageError.self) { try XVADescription.read(text, machine: "x") }
    }

    /// Two disks at one place are said; two at different places, and two without any, are not.
    @Test func twoDisksAtOnePlace() throws {
        func notes(_ text: String, _ language: DescriptionLanguage) throws -> [String] {
            try language.read(Array(text.utf8)).notes.filter { $0.contains("one place") }
        }
        func ovf(_ places: [Int]) -> String {
            OVFDescriptionTests.envelope(
                disks:
                    "<Disk ovf:diskId=\"d1\" ovf:fileRef=\"f1\"/><Disk ovf:diskId=\"d2\" ovf:fileRef=\"f2\"/>",
                files: "<File ovf:href=\"a.vmdk\" ovf:id=\"f1\"/><File ovf:href=\"b.vmdk\" ovf:id=\"f2\"/>",
                items: OVFDescriptionTests.item(6, 3, "<rasd:Address>0</rasd:Address>")
                    + OVFDescriptionTests.disk(5, "ovf:/disk/d1", parent: 3, at: places[0])
                    + OVFDescriptionTests.disk(6, "ovf:/disk/d2", parent: 3, at: places[1]))
        }
        let found = try notes(ovf([1, 1]), .ovf)
        #expect(
            found.count == 1 && found[0].contains("a.vmdk and b.vmdk") && found[0].contains("lsi1030 0 at 1"))
        #expect(try notes(ovf([0, 1]), .ovf) == [])
        func domain(_ targets: [String]) -> String {
            "<domain type='kvm'><devices>"
                + targets.enumerated().map {
                    "<disk type='file'><source file='\($0).img'/><target dev='\($1)' bus='virtio'/></disk>"
                }.joined() + "</devices></domain>"
        }
        #expect(try notes(domain(["vda", "vda"]), .libvirt).count == 1)
        #expect(try notes(domain(["vda", "vdb"]), .libvirt) == [])
    }

    /// VMware's numbers of slots: behind a bridge by 32, its functions by 1024.
    @Test(arguments: [
        ([16, 160], []), ([160, 192], []), ([160, 1184], []), ([192, 160], ["scsi1, scsi0"]),
        ([1184, 192], []), ([1184, 160], ["scsi1, scsi0"]), ([160, 16], ["scsi1, scsi0"]), ([160, -1], []),
    ])
    func slots(_ slots: [Int], _ expected: [String]) throws {
        let lines = slots.enumerated().map { index, slot in
            """
            scsi\(index).present = "TRUE"
            scsi\(index).pciSlotNumber = "\(slot)"
            scsi\(index):0.present = "TRUE"
            scsi\(index):0.fileName = "\(index).vmdk"

            """
        }
        let notes = try VMXDescription.read(Array(lines.joined().utf8)).notes.filter { $0.contains("PCI") }
        #expect(notes.count == expected.count)
        for (note, order) in zip(notes, expected) { #expect(note.contains(order)) }
    }

    /// A card that is not plugged in is none in every language that has a word for it.
    @Test func cardsThatAreNotPluggedIn() throws {
        let texts: [(DescriptionLanguage, String)] = [
            (
                .vmx,
                "ethernet0.present = \"TRUE\"\nethernet0.startConnected = \"FALSE\"\nethernet1.present = \"TRUE\"\n"
            ),
            (
                .ovf,
                OVFDescriptionTests.envelope(
                    items: OVFDescriptionTests.item(
                        10, 6, "<rasd:AutomaticAllocation>false</rasd:AutomaticAllocation>")
                        + OVFDescriptionTests.item(
                            10, 7, "<rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>"))
            ),
            (
                .libvirt,
                "<domain type='kvm'><devices><interface type='network'><link state='down'/></interface><interface type='network'/>"
                    + "</devices></domain>"
            ),
            (
                .virtualbox,
                "<VirtualBox><Machine name=\"web\"><Hardware><Network><Adapter slot=\"0\" enabled=\"true\" cable=\"false\"/>"
                    + "<Adapter slot=\"1\" enabled=\"true\" cable=\"true\"/></Network></Hardware></Machine></VirtualBox>"
            ),
            (
                .proxmox,
                "net0: virtio=52:54:00:12:34:56,bridge=vmbr0,link_down=1\nnet1: virtio,bridge=vmbr0\n"
            ),
        ]
        for (language, text) in texts {
            let machine = try language.read(Array(text.utf8))
            #expect(machine.cards.map(\.isConnected) == [false, true], "\(language)")
        }
        var machine = PrintingTests.machine(.lsi1030, format: "vmdk", files: ["a.vmdk"])
        let places: [(MachineLanguage, DiskController.Kind, String)] = [
            (.vmx, .lsi1030, "ethernet0.startConnected = \"FALSE\""),
            (.ovf, .lsi1030, "<rasd:AutomaticAllocation>false</rasd:AutomaticAllocation>"),
            (.libvirt, .ahci, "<link state=\"down\"/>"), (.proxmox, .ahci, "link_down=1"),
            (.virtualbox, .ahci, "--cableconnected1 off"),
        ]
        for (language, kind, word) in places {
            machine.disks[0].controller = DiskController(kind)
            machine.cards[0].isConnected = true
            #expect(try !language.text(of: machine, in: "/d").contains(word), "\(language)")
            machine.cards[0].isConnected = false
            let text = try language.text(of: machine, in: "/d")
            #expect(text.ranges(of: word).count == 1, "\(language) \(text)")
        }
    }

    @Test(arguments: [
        ("<memory>2048</memory>", 2 << 20), ("<memory unit='b'>4096</memory>", 4096),
        ("<memory unit='KB'>3</memory>", 3000), ("<memory unit='KiB'>3</memory>", 3072),
        ("<memory unit='k'>3</memory>", 3072), ("<memory unit='m'>3</memory>", 3 << 20),
        ("<memory unit='GiB'>3</memory>", 3 << 30), ("<memory unit='TB'>1</memory>", 1_000_000_000_000),
        ("<memory unit='PiB'>2</memory>", 2 << 50), ("<memory unit='PB'>1</memory>", 1_000_000_000_000_000),
        ("<memory unit='EiB'>1</memory>", 1 << 60),
        ("<memory unit='EB'>1</memory>", 1_000_000_000_000_000_000),
    ])
    func unitsOfLibvirt(_ text: String, _ bytes: UInt64) throws {
        let machine = try LibvirtDescription.read(Array("<domain type='kvm'>\(text)</domain>".utf8))
        #expect(machine.memoryByteCount == bytes)
    }

    @Test(arguments: [
        "<memory unit='EiB'>16</memory>", "<memory unit='XiB'>1</memory>", "<memory unit='MiBs'>1</memory>",
    ])
    func unitsThatLibvirtDoesNotHave(_ text: String) throws {
        let error = try #require(throws: StorageError.self) {
            try LibvirtDescription.read(Array("<domain type='kvm'>\(text)</domain>".utf8))
        }
        #expect(error.isCode(MachineCode.badNumber))
    }

    /// A copy of a file is called by what its name means, and not by its bytes in the old encoding.
    @Test func namesInOtherEncodings() throws {
        let text =
            Array(
                ".encoding = \"GBK\"\nscsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \""
                    .utf8)
            + [0xb4, 0xc5, 0xc5, 0xcc] + Array(".vmdk\"\n".utf8)
        let disk = try #require(try VMXDescription.read(text).disks.first)
        #expect(disk.file.hostBytes.prefix(4).elementsEqual([0xb4, 0xc5, 0xc5, 0xcc]))
        #expect(disk.otherFile == "磁盘.vmdk")
        let plain = Array(
            "scsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"a.vmdk\"\n".utf8)
        #expect(try VMXDescription.read(plain).disks.first?.otherFile == nil)
    }
}
