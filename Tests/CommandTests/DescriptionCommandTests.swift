import Foundation
import TestSupport
import Testing

/// Appliances and descriptions of machines in the place of disks.
@Suite(
    .enabled(if: Tool.has("qemu-img", "debugfs", "e2fsck", "sfdisk", "mke2fs", "tar"), "judges are missing"))
struct DescriptionCommandTests {
    /// An OVF of disks in their order; each has its own place on a pvscsi controller.
    static func ovf(_ files: [String], format: String = "vmdk.html#streamOptimized") -> String {
        let references = files.enumerated().map { "<File ovf:href=\"\($1)\" ovf:id=\"f\($0)\"/>" }.joined()
        let disks = files.indices.map {
            "<Disk ovf:capacity=\"67110400\" ovf:diskId=\"d\($0)\" ovf:fileRef=\"f\($0)\" ovf:format=\"http://x/\(format)\"/>"
        }.joined()
        let items = files.indices.map {
            "<Item><rasd:InstanceID>\(10 + $0)</rasd:InstanceID><rasd:ResourceType>17</rasd:ResourceType><rasd:Parent>3</rasd:Parent>"
                + "<rasd:AddressOnParent>\($0)</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/d\($0)</rasd:HostResource></Item>"
        }.joined()
        return """
            <?xml version="1.0"?><Envelope xmlns:ovf="o" xmlns:rasd="r" xmlns:vssd="s" xmlns:vmw="w"><References>\(references)</References>
            <DiskSection>\(disks)</DiskSection><VirtualSystem ovf:id="web"><VirtualHardwareSection><System>
            <vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType></System><Item><rasd:InstanceID>3</rasd:InstanceID>
            <rasd:ResourceType>6</rasd:ResourceType><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType></Item>\(items)
            <Item><rasd:InstanceID>9</rasd:InstanceID><rasd:ResourceType>10</rasd:ResourceType><rasd:Address>00:50:56:aa:bb:01</rasd:Address></Item>
            <vmw:Config vmw:key="firmware" vmw:value="bios"/></VirtualHardwareSection></VirtualSystem></Envelope>
            """
    }

    /// The fixture's guest in an OVA that tar and sha256sum made; the raw disk beside it.
    private func appliance(in directory: TemporaryDirectory) throws -> (ova: String, raw: String) {
        let raw = try Fixture.guest(in: directory)
        try Tool.run(
            "qemu-img",
            [
                "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", raw,
                directory.path("web-disk1.vmdk"),
            ])
        try directory.write("web.ovf", Self.ovf(["web-disk1.vmdk"]))
        let digests = try Tool.run(
            "sha256sum", ["--tag", "web.ovf", "web-disk1.vmdk"], directory: directory.root)
        try directory.write("web.mf", digests.output)
        let ova = directory.path("web.ova")
        try Tool.run("tar", ["-cf", ova, "-C", directory.root, "web.ovf", "web.mf", "web-disk1.vmdk"])
        return (ova, raw)
    }

    @Test func anApplianceIsReadAndMigratedAsItLies() throws {
        let directory = try TemporaryDirectory()
        let (ova, raw) = try appliance(in: directory)
        let before = try fileBytes(ova)
        #expect(try Fixture.diskgraft("ls", ova, "/").text.contains("etc"))
        let inspected = try Fixture.diskgraft("inspect", ova).text
        #expect(inspected.contains("VMware (as web.ova says)"))
        let plan = try Fixture.diskgraft("plan", ova, "--to", "kvm").text
        #expect(
            plan.contains("web.ova says: BIOS; disk 1 behind pvscsi at 0; network card 00:50:56:aa:bb:01"))
        // What is said comes first.
        #expect(try Fixture.diskgraft("inspect", ova, "--from", "hyperv").text.contains("Hyper-V"))
        let target = directory.path("out.qcow2")
        try Fixture.diskgraft("migrate", ova, target, "--to", "kvm", "--vm", "libvirt")
        let back = directory.path("back.raw")
        try Tool.run("qemu-img", ["convert", "-O", "raw", target, back])
        try MigrationTests.judge(back, against: raw)
        #expect(
            String(decoding: try fileBytes(directory.path("out.xml")), as: UTF8.self).contains(
                "00:50:56:aa:bb:01"))
        #expect(try fileBytes(ova) == before)
        try Fixture.diskgraft("convert", ova, directory.path("same.raw"))
        #expect(try fileBytes(directory.path("same.raw")) == fileBytes(raw))
        #expect(try Fixture.diskgraft("compare", ova, raw).text.contains("identical"))
        try Fixture.diskgraft("check", ova, expect: 0...3)
    }

    /// Never changed in place, by no command; the sentence names those that work. Nor replaced by a copy of itself.
    @Test func anApplianceIsNotChanged() throws {
        let directory = try TemporaryDirectory()
        let (ova, _) = try appliance(in: directory)
        let before = try fileBytes(ova)
        let file = try directory.write("x", "x")
        for command in [
            ["patch", ova, "--to", "kvm"], ["put", ova, file, "/x"], ["resize", ova, "+1G"], ["undo", ova],
            ["check", "--repair", "gpt", ova], ["check", "--repair", "leaks", ova],
        ] {
            let result = try Tool.run(Fixture.command, command, expect: 1...2)
            #expect(
                result.errorText.contains("never changed in place") && result.errorText.contains("migrate"),
                "\(command)")
        }
        let over = try Fixture.diskgraft("convert", "-O", "raw", ova, ova, expect: 2...2)
        #expect(over.errorText.contains("belongs to the source"))
        #expect(try fileBytes(ova) == before)
    }

    @Test func aWrongDigestStopsEveryCommand() throws {
        let directory = try TemporaryDirectory()
        _ = try appliance(in: directory)
        var disk = try fileBytes(directory.path("web-disk1.vmdk"))
        disk[disk.count - 3000] ^= 1
        try directory.write("web-disk1.vmdk", disk)
        let ova = directory.path("bad.ova")
        try Tool.run("tar", ["-cf", ova, "-C", directory.root, "web.ovf", "web.mf", "web-disk1.vmdk"])
        for path in [ova, directory.path("web.ovf")] {
            for command in [
                ["info", path], ["ls", path, "/"],
                ["migrate", path, directory.path("o.qcow2"), "--to", "kvm"],
            ] {
                let result = try Tool.run(Fixture.command, command, expect: 1...1)
                #expect(result.errorText.contains("sha256") && result.errorText.contains("--no-verify"))
            }
            try Fixture.diskgraft("info", path, "--no-verify")
        }
    }

    /// In place, through the description; undone through it too.
    @Test func aVMXIsPatchedInPlace() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", raw, directory.path("web.vmdk")])
        let before = try fileBytes(directory.path("web.vmdk"))
        let vmx = try directory.write(
            "web.vmx",
            "config.version = \"8\"\nscsi0.present = \"TRUE\"\nscsi0.virtualDev = \"lsilogic\"\nscsi0:0.present = \"TRUE\"\n"
                + "scsi0:0.fileName = \"web.vmdk\"\n")
        try Fixture.diskgraft("patch", vmx, "--to", "kvm")
        let back = directory.path("back.raw")
        try Tool.run("qemu-img", ["convert", "-O", "raw", directory.path("web.vmdk"), back])
        try MigrationTests.judge(back, against: raw)
        try Fixture.diskgraft("undo", vmx)
        #expect(try fileBytes(directory.path("web.vmdk")) == before)
    }

    /// A description with one disk, `name`, in each language.
    static func descriptions(_ name: String) -> [(String, String)] {
        [
            ("web.ovf", ovf([name])),
            (
                "web.vmx",
                "config.version = \"8\"\nscsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"\(name)\"\n"
            ),
            (
                "web.vbox",
                "<VirtualBox><Machine name=\"web\"><MediaRegistry><HardDisks><HardDisk uuid=\"{a}\" location=\"\(name)\"/></HardDisks></MediaRegistry>"
                    + "<Hardware><StorageControllers><StorageController type=\"AHCI\"><AttachedDevice type=\"HardDisk\"><Image uuid=\"{a}\"/>"
                    + "</AttachedDevice></StorageController></StorageControllers></Hardware></Machine></VirtualBox>"
            ),
            (
                "web.xml",
                "<domain type='kvm'><devices><disk type='file'><source file='\(name)'/><target dev='sda' bus='sata'/></disk></devices></domain>"
            ), ("web.conf", "memory: 512\nscsi0: \(name)\n"),
        ]
    }

    /// Links, pipes, directories, and whatever leads elsewhere: nothing of it is opened, in no language.
    @Test(arguments: [
        "/etc/shadow", "../secret.img", "link.img", "pipe.img", "folder", "/dev/null", "sub/../../secret.img",
    ])
    func whatIsNeverOpened(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let secret = try directory.write("secret.img", [UInt8](repeating: 0x41, count: 1 << 20))
        try directory.write("in/folder/x", "x")
        try Tool.run("ln", ["-s", secret, directory.path("in/link.img")])
        try Tool.run("mkfifo", [directory.path("in/pipe.img")])
        for (file, text) in Self.descriptions(name) {
            let path = try directory.write("in/\(file)", text)
            for command in [
                ["info", path], ["convert", path, directory.path("out.raw")], ["ls", path, "/"],
            ] {
                let result = try Tool.run(Fixture.command, command, expect: 1...2)
                #expect(
                    !result.errorText.isEmpty
                        && !FileManager.default.fileExists(atPath: directory.path("out.raw")))
                let isRefused =
                    result.errorText.contains("not opened unasked")
                    || result.errorText.contains("not a regular file")
                    || result.errorText.contains("No such file")
                #expect(isRefused, "\(command) \(result.errorText)")
            }
        }
    }

    /// A path is opened where the user says so, and the file beside the description in its stead where they say that.
    @Test func pathsThatAreAllowed() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        for (file, text) in Self.descriptions(raw) where file != "web.ovf" && file != "web.vmx" {
            let path = try directory.write("in/\(file)", text)
            let refused = try Fixture.diskgraft("ls", path, "/", expect: 2...2)
            #expect(
                refused.errorText.contains("--allow-paths") && refused.errorText.contains("--allow-siblings"))
            #expect(try Fixture.diskgraft("ls", path, "/", "--allow-paths").text.contains("etc"))
            try Fixture.diskgraft("ls", path, "/", "--allow-siblings", expect: 2...2)
        }
        try Tool.run("cp", [raw, directory.path("in/guest.img")])
        #expect(
            try Fixture.diskgraft("ls", directory.path("in/web.xml"), "/", "--allow-siblings").text.contains(
                "etc"))
        // A volume of Proxmox is known by its own name.
        let conf = try directory.write("in/100.conf", "memory: 512\nvirtio0: local:100/guest.img,size=64M\n")
        #expect(try Fixture.diskgraft("ls", conf, "/").text.contains("etc"))
    }

    /// A guest writes its disk: what looks like a description there leads to no other file.
    @Test func aDiskThatLooksLikeADescription() throws {
        let directory = try TemporaryDirectory()
        let secret = try Fixture.guest(in: directory, name: "secret.img")
        for (_, text) in Self.descriptions("secret.img") {
            var bytes = Array(text.utf8)
            bytes += [UInt8](repeating: 32, count: (1 << 20) - bytes.count)
            let disk = try directory.write("disk.img", bytes)
            let result = try Fixture.diskgraft("ls", disk, "/etc", expect: 2...2)
            #expect(result.errorText.contains("not a disk") && !result.text.contains("fstab"))
        }
        var archive = try Tool.run("tar", ["-cf", "-", "-C", directory.root, "secret.img"]).output
        archive += try fileBytes(secret)
        try Fixture.diskgraft("ls", try directory.write("disk.img", archive), "/etc", expect: 2...2)
    }

    @Test func oneOfSeveralDisks() throws {
        let directory = try TemporaryDirectory()
        try Tool.run("qemu-img", ["create", "-q", "-f", "vmdk", directory.path("a.vmdk"), "1M"])
        try Tool.run("qemu-img", ["create", "-q", "-f", "vmdk", directory.path("b.vmdk"), "2M"])
        let ovf = try directory.write("web.ovf", Self.ovf(["a.vmdk", "b.vmdk"]))
        let several = try Fixture.diskgraft("convert", ovf, directory.path("x.raw"), expect: 64...64)
        #expect(several.errorText.contains("a.vmdk, b.vmdk") && several.errorText.contains("--disk"))
        try Fixture.diskgraft("convert", ovf, directory.path("x.raw"), "--disk", "2")
        #expect(try fileBytes(directory.path("x.raw")).count == 2 << 20)
        try Fixture.diskgraft("convert", ovf, directory.path("x.raw"), "--disk", "3", expect: 64...64)
        try Fixture.diskgraft("info", directory.path("a.vmdk"), "--disk", "1", expect: 64...64)
        let info = try Fixture.diskgraft("info", ovf).text
        #expect(info.contains("disk 2:") && info.contains("b.vmdk, pvscsi at 1"))
        let json = try JSONSerialization.jsonObject(
            with: Data(try Fixture.diskgraft("info", "--json", ovf).output))
        let machine = try #require((json as? [String: Any])?["machine"] as? [String: Any])
        #expect(machine["firmware"] as? String == "bios" && (machine["disks"] as? [Any])?.count == 2)
    }

    /// A blank disk between two others has its name: it is not the next one's, and the next one has its own.
    @Test func aBlankDiskHasItsPlace() throws {
        let directory = try TemporaryDirectory()
        let files = [
            "etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n",
            "etc/fstab":
                "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /scratch ext4 nofail 0 2\n/dev/sdc1 /srv ext4 nofail 0 2\n",
            "boot/vmlinuz-6.1.0": "kernel", "boot/i": "-rom1fs-",
            "boot/grub/grub.cfg":
                "set default=0\nmenuentry 'Linux' {\n\tlinux /boot/vmlinuz-6.1.0 root=/dev/sda1 ro\n\tinitrd /boot/i\n}\n",
        ]
        for (name, contents) in [("web", files), ("data", ["x": "data"])] {
            let disk = try Fixture.root(contents, name: name, in: directory)
            try Tool.run("qemu-img", ["convert", "-O", "vmdk", disk, directory.path("\(name).vmdk")])
        }
        let uuid = try Tool.run("blkid", ["-p", "-o", "value", "-s", "UUID", directory.path("data-fs")]).text
            .trimmingCharacters(in: .newlines)
        let text = Self.ovf(["web.vmdk", "blank.vmdk", "data.vmdk"])
            .replacingOccurrences(of: " ovf:fileRef=\"f1\"", with: "")
        let ovf = try directory.write("three.ovf", text)
        let plan = try Fixture.diskgraft("plan", ovf, "--to", "kvm", expect: 0...2).text
        #expect(!plan.contains("/dev/sdb1 → UUID"), "\(plan)")
        #expect(plan.contains("/dev/sdc1 → UUID=\(uuid)"), "\(plan)")
    }

    /// What is called a description or an appliance and is none is no plain disk.
    @Test(arguments: ["ova", "xva", "ovf", "vmx", "vbox", "xml", "conf", "vmdk", "qed", "hds"])
    func whatIsCalledSoAndIsNone(_ suffix: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("junk.\(suffix)", SeededBytes.block(20_000, seed: 9))
        let out = directory.path("out.raw")
        let refusal = try Tool.run(Fixture.command, ["convert", "-O", "raw", path, out], expect: 2...2)
        #expect(refusal.errorText.contains("-f raw"))
        #expect(!FileManager.default.fileExists(atPath: out))
        try Fixture.diskgraft("convert", "-f", "raw", "-O", "raw", path, out)
    }

    /// XML with entities of its own is not read, and is no disk either.
    @Test(arguments: ["xml", "vbox", "ovf"]) func documentTypesOfTheirOwn(_ suffix: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "d.\(suffix)", "<!DOCTYPE l [<!ENTITY a \"b\">]>\n<domain type='kvm'><name>&a;</name></domain>\n")
        for command in [["info", path], ["convert", "-O", "raw", path, directory.path("o")]] {
            try Tool.run(Fixture.command, command, expect: 1...2)
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path("o")))
    }

    /// A damaged grain of a stream is an error of a copy too, which would vouch for it with digests of its own.
    @Test(arguments: ["vmdk", "ova"]) func damageIsNotHandedOn(_ suffix: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.write("disk.img", SeededBytes.block(1 << 20, seed: 7).map { $0 & 7 })
        let stream = directory.path("s.vmdk")
        try Fixture.diskgraft("convert", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, stream)
        let good = directory.path("good.\(suffix)")
        let options = suffix == "vmdk" ? ["-o", "subformat=streamOptimized"] : []
        try Tool.run(Fixture.command, ["convert", "-O", suffix] + options + [stream, good])
        var bytes = try fileBytes(stream)
        // Within the ninth grain, behind its header and that of zlib: the first is decoded for its partition table anyhow.
        var grain = 128 << 9
        for _ in 0..<8 {
            let count = (8..<12).reversed().reduce(0) { $0 << 8 | Int(bytes[grain + $1]) }
            grain += (12 + count + 511) / 512 * 512
        }
        for index in 0..<40 { bytes[grain + 12 + 200 + index] ^= 0x55 }
        try directory.write("s.vmdk", bytes)
        let out = directory.path("out.\(suffix)")
        try Tool.run(Fixture.command, ["convert", "-O", suffix] + options + [stream, out], expect: 1...1)
        #expect(!FileManager.default.fileExists(atPath: out))
    }

    /// A guest that stays as it is keeps its controller and its networks; one without a card gets none.
    @Test func anUnpatchedMachineKeepsWhatItHas() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", raw, directory.path("web.vmdk")])
        let vmx = try directory.write(
            "web.vmx",
            """
            config.version = "8"
            guestOS = "debian12-64"
            scsi0.present = "TRUE"
            scsi0.virtualDev = "pvscsi"
            scsi0:3.present = "TRUE"
            scsi0:3.fileName = "web.vmdk"

            """)
        let out = try directory.write("out/x", "x")
        let folder = String(out.dropLast(1))
        try Fixture.diskgraft("migrate", vmx, folder, "--to", "vmware", "--unpatched", "--vm", "vmx")
        let made = String(decoding: try fileBytes(folder + "web.vmx"), as: UTF8.self)
        #expect(made.contains("scsi0.virtualDev = \"pvscsi\""))
        #expect(made.contains("scsi0:3.fileName = \"web.vmdk\""))
        #expect(made.contains("guestOS = \"debian12-64\""))
        #expect(!made.contains("ethernet"))
        try Fixture.diskgraft(
            "migrate", vmx, folder, "--to", "vmware", "--unpatched", "--controller", "ahci", "--vm", "vmx")
        #expect(
            String(decoding: try fileBytes(folder + "web.vmx"), as: UTF8.self).contains("sata0:0.fileName"))
        // An OVF names streams, and says so of no other disk.
        try Fixture.diskgraft("migrate", vmx, folder, "--to", "vmware", "--unpatched", "--vm", "ovf")
        let info = try Fixture.diskgraft("info", folder + "web.vmdk").text
        #expect(info.contains("streamOptimized"))
        for arguments in [
            ["--vm", "ovf", "-o", "subformat=vmfs"], ["--vm", "vmx", "-o", "subformat=streamOptimized"],
            ["--vm", "ovf", "--vm", "vmx"], ["--vm", "ovf", "-O", "raw"],
        ] {
            let refusal = try Tool.run(
                Fixture.command, ["migrate", vmx, folder, "--to", "vmware", "--unpatched"] + arguments,
                expect: 64...64)
            #expect(refusal.errorText.contains("streamOptimized"))
        }
    }

    /// Places of IDE and virtio disks are what their names say.
    @Test func placesNameDisks() throws {
        let directory = try TemporaryDirectory()
        let files = [
            "etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n",
            "etc/fstab": "/dev/hdc1 / ext4 defaults 0 1\n", "boot/vmlinuz-6.1.0": "kernel",
            "boot/i": "-rom1fs-",
            "boot/grub/grub.cfg":
                "set default=0\nmenuentry 'Linux' {\n\tlinux /boot/vmlinuz-6.1.0 root=/dev/hdc1 ro\n\tinitrd /boot/i\n}\n",
        ]
        let disk = try Fixture.root(files, name: "guest", in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", disk, directory.path("web.vmdk")])
        let plain = try Fixture.diskgraft("inspect", directory.path("web.vmdk")).text
        let vmx = try directory.write(
            "web.vmx", "config.version = \"8\"\nide1:0.present = \"TRUE\"\nide1:0.fileName = \"web.vmdk\"\n")
        let said = try Fixture.diskgraft("inspect", vmx).text
        let stated = try Fixture.diskgraft(
            "inspect", directory.path("web.vmdk"), "--from", "vmware", "--map", "/dev/hdc=1"
        ).text
        func names(_ text: String) -> [Substring] {
            text.split(separator: "\n").filter { $0.contains("/dev/hdc1") }
        }
        #expect(names(said) == names(stated) && !names(said).isEmpty)
        #expect(plain != said)
    }

    /// "./" before a name leads nowhere else; "../" does.
    @Test func namesFromHere() throws {
        let directory = try TemporaryDirectory()
        let disk = try Fixture.root(["etc/fstab": ""], name: "web", in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", disk, directory.path("web.vmdk")])
        let ovf = try directory.write("web.ovf", Self.ovf(["./web.vmdk"]))
        let vmx = try directory.write(
            "web.vmx",
            "config.version = \"8\"\nide1:0.present = \"TRUE\"\nide1:0.fileName = \".//./web.vmdk\"\n")
        for path in [ovf, vmx] { #expect(try Fixture.diskgraft("ls", path, "/").text.contains("etc")) }
        try FileManager.default.createDirectory(
            atPath: directory.path("below"), withIntermediateDirectories: false)
        for name in ["../web.vmdk", "./../web.vmdk", "./below/../web.vmdk"] {
            let out = try directory.write("out.ovf", Self.ovf([name]))
            #expect(try Fixture.diskgraft("ls", out, "/", expect: 2...2).errorText.contains("no plain name"))
        }
    }

    /// A description's address is the card's where no file of the guest knows another, and `net` is asked for.
    @Test func theAddressOfTheOneCard() throws {
        let directory = try TemporaryDirectory()
        let files = [
            "etc/os-release": "ID=rhel\nVERSION_ID=9.3\n", "etc/fstab": "/dev/root / ext3 defaults 0 0\n",
            "etc/sysconfig/network-scripts/ifcfg-ens192": "DEVICE=ens192\n",
        ]
        let disk = try Fixture.root(files, name: "web", in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", disk, directory.path("web.vmdk")])
        let ovf = try directory.write("web.ovf", Self.ovf(["web.vmdk"]))
        let link = "05-name-ens192.link"
        let asked = try Fixture.diskgraft("plan", ovf, "--to", "kvm", "--fix", "net").text
        #expect(asked.contains(link) && asked.contains("+MACAddress=00:50:56:aa:bb:01"))
        let stated = try Fixture.diskgraft(
            "plan", ovf, "--to", "kvm", "--mac", "ens192=52:54:00:12:34:56"
        ).text
        #expect(stated.contains("+MACAddress=52:54:00:12:34:56"))
        #expect(!stated.contains("+MACAddress=00:50:56:aa:bb:01"))
        #expect(try !Fixture.diskgraft("plan", ovf, "--to", "kvm").text.contains("+MACAddress"))
    }

    /// One disk twice: as a member, and as a file that two places of a machine name.
    @Test func oneDiskTwice() throws {
        let directory = try TemporaryDirectory()
        let (ova, _) = try appliance(in: directory)
        let twice = try Fixture.diskgraft("plan", ova, "--with", ova, "--to", "kvm", expect: 2...2)
        #expect(twice.errorText.contains("given twice"))
        let ovf = try directory.write("two.ovf", Self.ovf(["web-disk1.vmdk", "web-disk1.vmdk"]))
        #expect(try Fixture.diskgraft("ls", ovf, "/", expect: 2...2).errorText.contains("given twice"))
    }

    /// A disk that is changed in place does not fit its manifest any more: said, and taken back all the same.
    @Test func aManifestBesideAChangedDisk() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", raw, directory.path("web.vmdk")])
        let ovf = try directory.write("web.ovf", Self.ovf(["web.vmdk"], format: "vmdk.html"))
        let digests = try Tool.run("sha256sum", ["--tag", "web.ovf", "web.vmdk"], directory: directory.root)
        try directory.write("web.mf", digests.output)
        let before = try fileBytes(directory.path("web.vmdk"))
        let done = try Fixture.diskgraft("patch", ovf, "--to", "kvm")
        #expect(done.errorText.contains("does not fit any more"))
        try Fixture.diskgraft("ls", ovf, "/", expect: 1...1)
        try Fixture.diskgraft("ls", ovf, "/", "--no-verify")
        try Fixture.diskgraft("undo", ovf)
        #expect(try fileBytes(directory.path("web.vmdk")) == before)
        try Fixture.diskgraft("ls", ovf, "/")
    }
}
