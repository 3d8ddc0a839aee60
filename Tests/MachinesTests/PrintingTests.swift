import Foundation
import Machines
import Storage
import TestSupport
import Testing

/// What is printed of a machine, judged by the programs that read it where they are there.
struct PrintingTests {
    /// A machine of two disks, the second of which is started.
    static func machine(
        _ kind: DiskController.Kind, firmware: Machine.Firmware = .bios, hasSecureBoot: Bool = false,
        format: String = "raw", files: [String] = ["a b's \"disk\".img", "two.img"]
    ) -> Machine {
        var machine = Machine(name: "web & \"co\"")
        machine.firmware = firmware
        machine.hasSecureBoot = hasSecureBoot
        machine.memoryByteCount = 513 << 20
        machine.processorCount = 3
        machine.identifier = UUID16(text: "564d1234-5678-9abc-def0-123456789abc")
        machine.disks = files.enumerated().map { index, file in
            Machine.Disk(
                file: file, format: format, byteCount: 8 << 20, controller: DiskController(kind), unit: index,
                isStarted: index == files.count - 1)
        }
        machine.cards = [
            Machine.NetworkCard(model: "virtio-net", address: "52:54:00:12:34:56"),
            Machine.NetworkCard(model: "e1000", network: "lan"),
        ]
        return machine
    }

    static let places: [(MachineLanguage, DiskController.Kind)] = [
        (.libvirt, .virtioBlk), (.libvirt, .ide), (.libvirt, .ahci), (.libvirt, .virtioSCSI),
        (.libvirt, .pvscsi),
        (.libvirt, .lsisas), (.libvirt, .sym53c8xx), (.libvirt, .megasas), (.qemu, .nvme),
        (.qemu, .virtioBlk),
        (.qemu, .ide), (.qemu, .ahci), (.qemu, .virtioSCSI), (.qemu, .pvscsi), (.qemu, .lsisas),
        (.qemu, .sym53c8xx),
        (.qemu, .megasas),
    ]

    @Test(
        .enabled(
            if: Tool.has("xmllint") && FileManager.default.fileExists(atPath: schema),
            "libvirt's schema is missing"), arguments: places.filter { $0.0 == .libvirt }.map(\.1))
    func libvirtTakesIt(_ kind: DiskController.Kind) throws {
        let directory = try TemporaryDirectory()
        for firmware in [Machine.Firmware.bios, .uefi] {
            for secure in [false, true] where !(secure && kind == .ide) {
                let machine = Self.machine(kind, firmware: firmware, hasSecureBoot: secure, format: "vhd")
                let file = try directory.write(
                    "m.xml", try MachineLanguage.libvirt.text(of: machine, in: "/d & e"))
                try Tool.run("xmllint", ["--noout", "--relaxng", Self.schema, file])
                let sources = try Tool.run("xmllint", ["--xpath", "//disk/source/@file", file]).text
                #expect(sources.contains("/d &amp; e/two.img"))
            }
        }
    }

    /// The domain's schema of libvirt's own.
    static var schema: String { "/usr/share/libvirt/schemas/domain.rng" }

    /// QEMU starts with it: stopped before the first instruction, it names the disks that it has.
    @Test(
        .enabled(if: Tool.has("qemu-system-x86_64"), "QEMU is missing"),
        arguments: places.filter { $0.0 == .qemu }.map(\.1))
    func qemuTakesIt(_ kind: DiskController.Kind) throws {
        let directory = try TemporaryDirectory()
        let machine = Self.machine(kind, files: ["a, b's \"disk\".img", "two.img"])
        for disk in machine.disks {
            _ = try directory.write(disk.file, [UInt8](repeating: 0, count: 8 << 20))
        }
        let script = try directory.write(
            "m.sh", try MachineLanguage.qemu.text(of: machine, in: directory.root))
        let said = try Tool.run(
            // The processor's own virtualisation is not everywhere.
            "env", ["ACCEL=tcg", "sh", script, "-S", "-display", "none", "-monitor", "stdio"],
            input: "info block\nquit\n"
        ).text
        #expect(said.contains("two.img"))
        #expect(said.contains("a, b's \"disk\".img"))
    }

    /// Every script is one that a shell reads.
    @Test(arguments: MachineLanguage.allCases.filter { $0.suffix.hasSuffix(".sh") })
    func aShellReadsIt(_ language: MachineLanguage) throws {
        let kind: DiskController.Kind = language == .xe ? .xenBlkfront : .ahci
        // A comma has no words there.
        let first = language == .proxmox ? "a b's \"disk\".img" : "a, b's \"disk\".img"
        let text = try language.text(
            of: Self.machine(kind, firmware: .uefi, hasSecureBoot: true, files: [first, "two.img"]),
            in: "/d'e")
        let directory = try TemporaryDirectory()
        try Tool.run("sh", ["-n", try directory.write("m.sh", text)])
        #expect(text.contains("52:54:00:12:34:56") || text.contains("525400123456"))
    }

    /// What the commands get, said by commands of the same names that print what they are given.
    @Test(arguments: [MachineLanguage.proxmox, .virtualbox, .xe, .virtInstall])
    func theWordsArriveWhole(_ language: MachineLanguage) throws {
        let kind: DiskController.Kind = language == .xe ? .xenBlkfront : .ahci
        // A comma has no words there.
        let first = language == .proxmox ? "a b's \"disk\".img" : "a, b's \"disk\".img"
        let directory = try TemporaryDirectory()
        for name in ["qm", "VBoxManage", "xe", "virt-install"] {
            let command = try directory.write(
                "bin/\(name)", "#!/bin/sh\nfor word; do echo \"<$word>\"; done >> \"$LOG\"\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
        }
        let script = try directory.write(
            "m.sh", try language.text(of: Self.machine(kind, files: [first, "two.img"]), in: directory.root))
        let log = directory.path("log")
        try Tool.run(
            "env",
            ["PATH=\(directory.path("bin")):/usr/bin:/bin", "LOG=\(log)", "sh", script, "100", "store"])
        let words = String(decoding: try fileBytes(log), as: UTF8.self)
        #expect(words.contains("two.img"))
        let isDoubled = language == .virtInstall
        #expect(words.contains(isDoubled ? "a,, b's \"disk\".img" : first))
    }

    /// libvirt has no such driver: `virsh define` and the schema refuse it.
    @Test(arguments: [MachineLanguage.libvirt, .virtInstall]) func libvirtOpensNoVHDX(
        _ language: MachineLanguage
    ) throws {
        let error = try #require(throws: StorageError.self) {
            try language.text(of: Self.machine(.virtioBlk, format: "vhdx"), in: "/d")
        }
        #expect(error.isCode(MachineCode.formatNotExpressible) && error.kind == .unsupported)
        _ = try MachineLanguage.qemu.text(of: Self.machine(.virtioBlk, format: "vhdx"), in: "/d")
    }

    /// The driver of a SAS host finds no disk without an address of its own.
    @Test func disksOfASASHostHaveAddresses() throws {
        let text = try MachineLanguage.qemu.text(of: Self.machine(.lsisas), in: "/d")
        #expect(text.contains("wwn=0x5000c50000000001") && text.contains("wwn=0x5000c50000000002"))
        let domain = try MachineLanguage.libvirt.text(of: Self.machine(.lsisas), in: "/d")
        #expect(domain.contains("<wwn>5000c50000000002</wwn>"))
    }

    @Test func whatVMwareReads() throws {
        let text = try MachineLanguage.vmx.text(of: Self.machine(.pvscsi, firmware: .uefi), in: "/d")
        for line in [
            "displayName = \"web & |22co|22\"", "firmware = \"efi\"", "scsi0.virtualDev = \"pvscsi\"",
            "scsi0:0.fileName = \"a b's |22disk|22.img\"", "scsi0:1.fileName = \"two.img\"",
            "bios.hddOrder = \"scsi0:1\"", "ethernet0.address = \"52:54:00:12:34:56\"", "memSize = \"516\"",
            "uuid.bios = \"56 4d 12 34 56 78 9a bc-de f0 12 34 56 78 9a bc\"",
            "ethernet1.networkName = \"lan\"",
        ] {
            #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)")
        }
        #expect(!text.contains("secureBoot"))
    }

    @Test(.enabled(if: Tool.has("xmllint"), "xmllint is missing")) func theEnvelope() throws {
        let directory = try TemporaryDirectory()
        let machine = Self.machine(
            .ide, firmware: .uefi, hasSecureBoot: true, files: ["1.vmdk", "2.vmdk", "3.vmdk"])
        let file = try directory.write("m.ovf", try MachineLanguage.ovf.text(of: machine, in: "/d"))
        func value(_ path: String) throws -> String {
            try Tool.run("xmllint", ["--xpath", "string(\(path))", file]).text.trimmingCharacters(
                in: .newlines)
        }
        #expect(try value("//*[local-name()='File'][3]/@*[local-name()='href']") == "3.vmdk")
        // Two disks on the first channel, one on the second.
        let disk = "//*[local-name()='Item'][*[local-name()='HostResource']='ovf:/disk/vmdisk3']"
        #expect(try value("\(disk)/*[local-name()='AddressOnParent']") == "0")
        let parent = try value("\(disk)/*[local-name()='Parent']")
        #expect(
            try value(
                "//*[local-name()='Item'][*[local-name()='InstanceID']='\(parent)']/*[local-name()='Address']"
            )
                == "1")
        #expect(
            try value(
                "//*[local-name()='Config'][@*[local-name()='key']='firmware']/@*[local-name()='value']")
                == "efi")
    }

    @Test func whatPowerShellReads() throws {
        let text = try MachineLanguage.hyperv.text(
            of: Self.machine(.storvsc, firmware: .uefi, hasSecureBoot: true), in: "/d")
        #expect(text.contains("-Generation 2"))
        #expect(text.contains("'a b''s \"disk\".img'"))
        #expect(text.contains("-SecureBootTemplate MicrosoftUEFICertificateAuthority"))
        #expect(
            text.contains(
                "-FirstBootDevice (Get-VMHardDiskDrive -VM $VM -ControllerType SCSI -ControllerNumber 0 -ControllerLocation 1)"
            ))
        let old = try MachineLanguage.hyperv.text(of: Self.machine(.ide), in: "/d")
        #expect(old.contains("-Generation 1") && old.contains("-ControllerType IDE"))
    }

    /// Names are no protocols, options or wildcards of the programs that get them.
    @Test func namesThatMeanSomethingElsewhere() throws {
        var machine = Self.machine(.ahci, firmware: .uefi, files: ["nbd:127.0.0.1:10809", "a=b"])
        machine.name = "process=sshd"
        let script = try MachineLanguage.qemu.text(of: machine, in: "/d")
        #expect(script.contains("file=./nbd:127.0.0.1:10809"))
        #expect(script.contains("guest=process=sshd"))
        #expect(
            script.contains("file='./process=sshd.nvram'") || script.contains("file=./process=sshd.nvram"))
        machine = Self.machine(.storvsc, firmware: .uefi)
        machine.name = "*"
        let lines = try MachineLanguage.hyperv.text(of: machine, in: "/d").split(separator: "\r\n")
        #expect(!lines.contains { $0.contains("-VMName") || $0.hasPrefix("Get-VMNetworkAdapter -Name") })
        for file in ["a,cache=unsafe.img"] {
            let error = #expect(throws: StorageError.self) {
                try MachineLanguage.proxmox.text(of: Self.machine(.ahci, files: [file]), in: "/d")
            }
            #expect(error?.code == "name-not-expressible")
        }
    }

    @Test(arguments: MachineLanguage.allCases) func whatHasNoWords(_ language: MachineLanguage) throws {
        func code(_ machine: Machine) -> String? {
            do throws(StorageError) {
                _ = try language.text(of: machine, in: "/d")
                return nil
            } catch { return error.code }
        }
        let kind: DiskController.Kind =
            switch language {
            case .xe: .xenBlkfront
            case .hyperv: .storvsc
            default: .ahci
            }
        #expect(code(Self.machine(kind)) == nil)
        #expect(code(Machine(name: "x")) == "no-disk")
        #expect(
            code(Self.machine(language == .hyperv ? .virtioBlk : .storvsc)) == "controller-not-expressible")
        #expect(code(Self.machine(kind, files: ["a\nb"])) == "name-not-expressible")
        #expect(code(Self.machine(kind, files: ["a\u{fffe}b"])) == "name-not-expressible")
        #expect(code(Self.machine(kind, files: [String(hostBytes: [0x61, 0xff])])) == "name-not-expressible")
        #expect(code(Self.machine(kind, files: (0..<300).map { "\($0)" })) == "too-many-disks")
        var twice = Self.machine(kind)
        twice.disks[1].unit = 0
        #expect(code(twice) == "too-many-disks")
        twice.disks[1].unit = -1
        #expect(code(twice) == "too-many-disks")
    }
}
