import Foundation
import TestSupport
import Testing

/// What descriptions state beside the order of the disks, in whole commands.
@Suite(
    .enabled(
        if: Tool.has("qemu-img", "tar", "gzip", "sha256sum", "mke2fs", "sfdisk", "debugfs"),
        "judges are missing"))
struct StatementsOfMachinesTests {
    /// Of an appliance of two machines the one that is named; its disks are those of the machine alone.
    @Test func oneOfSeveralMachines() throws {
        let directory = try TemporaryDirectory()
        for (name, size) in [("a.vmdk", "1M"), ("b.vmdk", "2M")] {
            try Tool.run(
                "qemu-img",
                ["create", "-q", "-f", "vmdk", "-o", "subformat=streamOptimized", directory.path(name), size])
        }
        func system(_ name: String, _ disk: Int) -> String {
            "<VirtualSystem ovf:id=\"\(name)\"><VirtualHardwareSection><Item><rasd:ResourceType>17</rasd:ResourceType>"
                + "<rasd:HostResource>ovf:/disk/d\(disk)</rasd:HostResource></Item></VirtualHardwareSection></VirtualSystem>"
        }
        let one = DescriptionCommandTests.ovf(["a.vmdk", "b.vmdk"])
        let start = try #require(one.range(of: "<VirtualSystem "))
        let text =
            one[..<start.lowerBound] + "<VirtualSystemCollection ovf:id=\"all\">" + system("web", 0)
            + system("db", 1) + "</VirtualSystemCollection></Envelope>"
        let ovf = try directory.write("all.ovf", String(text))
        let ova = directory.path("all.ova")
        try Tool.run("tar", ["-cf", ova, "-C", directory.root, "all.ovf", "a.vmdk", "b.vmdk"])
        let out = directory.path("out.raw")
        for path in [ovf, ova] {
            let several = try Fixture.diskgraft("convert", path, out, expect: 2...2).errorText
            #expect(several.contains("web, db") && several.contains("--machine NAME"))
            try Fixture.diskgraft("convert", "--machine", "db", path, out)
            #expect(try fileBytes(out).count == 2 << 20)
            let other = try Fixture.diskgraft("info", "--machine", "mail", path, expect: 2...2).errorText
            #expect(other.contains("mail") && other.contains("web, db"))
        }
        try Fixture.diskgraft("info", "--machine", "db", directory.path("a.vmdk"), expect: 64...64)
    }

    /// XenServer's tools compress an export as a whole; it is read as it lies.
    @Test(arguments: ["xva", "xva.gz", "xva.zst", "ova", "ova.gz", "ova.xz"])
    func compressedAppliances(_ suffix: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let kind = suffix.hasPrefix("xva") ? "xva" : "ova"
        let plain = directory.path("plain.\(kind)")
        try Fixture.diskgraft("convert", "-O", kind, raw, plain)
        let packed = directory.path("web.\(suffix)")
        let packer = suffix.hasSuffix("xz") ? "xz -0" : suffix.hasSuffix("zst") ? "zstd -q -1" : "gzip -1"
        try Tool.run("sh", ["-c", "\(packer) < \"$0\" > \"$1\"", plain, packed])
        let before = try fileBytes(packed)
        try Fixture.diskgraft("convert", packed, directory.path("back.raw"))
        #expect(try fileBytes(directory.path("back.raw")) == fileBytes(raw))
        #expect(try Fixture.diskgraft("ls", packed, "/").text.contains("etc"))
        #expect(
            try Fixture.diskgraft("patch", packed, "--to", "kvm", expect: 2...2).errorText.contains(
                "never changed"))
        #expect(try fileBytes(packed) == before)
        // One that is damaged is no disk.
        var bytes = before
        bytes.removeLast(bytes.count / 3)
        try directory.write("cut.\(suffix)", bytes)
        try Fixture.diskgraft("ls", directory.path("cut.\(suffix)"), "/", expect: 1...1)
    }

    /// Sizes that a description states are compared with what is there.
    @Test func sizesThatAreStated() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", raw, directory.path("web.vmdk")])
        let size = try fileBytes(raw).count
        let length = try fileBytes(directory.path("web.vmdk")).count
        let text = DescriptionCommandTests.ovf(["web.vmdk"], format: "vmdk.html")
        func warnings(_ capacity: String, _ file: Int) throws -> String {
            let stated = text.replacingOccurrences(of: "ovf:capacity=\"67110400\"", with: capacity)
                .replacingOccurrences(of: "ovf:id=\"f0\"", with: "ovf:id=\"f0\" ovf:size=\"\(file)\"")
            let ovf = try directory.write("web.ovf", stated)
            let alone = try Fixture.diskgraft("ls", ovf, "/").errorText
            let ova = directory.path("web.ova")
            try Tool.run("tar", ["-cf", ova, "-C", directory.root, "web.ovf", "web.vmdk"])
            let packed = try Fixture.diskgraft("ls", ova, "/").errorText
            #expect(alone.contains("the disk has") == packed.contains("the disk has"))
            #expect(alone.contains("gives") == packed.contains("gives"))
            return alone
        }
        let right = try warnings("ovf:capacity=\"\(size)\"", length)
        #expect(!right.contains("says that the disk has") && !right.contains("gives"))
        let wrong = try warnings("ovf:capacity=\"\(size + 512)\"", length + 1)
        #expect(wrong.contains("says that the disk has \(size + 512) bytes, and it has \(size)"))
        #expect(wrong.contains("\(length + 1) bytes, and it has \(length)"))
        // Of a size in a larger unit less than that unit is rounded.
        let rounded = try warnings("ovf:capacity=\"1\" ovf:capacityAllocationUnits=\"byte * 2^30\"", length)
        #expect(!rounded.contains("says that the disk has"))
    }

    /// An OVF that is made has a manifest beside it, which is right.
    @Test func aManifestBesideAnOVFThatIsMade() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let out = String(try directory.write("out/x", "x").dropLast(1))
        let made = try Fixture.diskgraft("migrate", raw, out, "--to", "vmware", "--vm", "ovf").text
        #expect(made.contains("guest.ovf") && made.contains("guest.mf"))
        let manifest = String(decoding: try fileBytes(out + "guest.mf"), as: UTF8.self)
        for name in ["guest.ovf", "guest.vmdk"] {
            let digest = try Tool.run("sha256sum", [out + name]).text.prefix(64)
            #expect(manifest.contains("SHA256(\(name))= \(digest)\n"))
        }
        try Fixture.diskgraft("ls", out + "guest.ovf", "/")
        try Tool.run("sh", ["-c", "echo >> \"$0\"", out + "guest.ovf"])
        #expect(
            try Fixture.diskgraft("ls", out + "guest.ovf", "/", expect: 1...1).errorText.contains("sha256"))
    }

    /// A disk that will lie behind IDE says so; what the user says comes first.
    @Test func theAdapterOfANewDisk() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        func adapter(_ arguments: String...) throws -> String {
            let path = directory.path("out.vmdk")
            try Tool.run(
                Fixture.command, ["migrate", raw, path, "--to", "vmware", "--unpatched"] + arguments)
            let text = try Fixture.diskgraft("info", path).text
            return text.contains("buslogic") ? "buslogic" : text.contains("ide") ? "ide" : "lsilogic"
        }
        #expect(try adapter() == "lsilogic")
        #expect(try adapter("--controller", "ide") == "ide")
        #expect(try adapter("--controller", "ide", "-o", "adapter_type=buslogic") == "buslogic")
        let ova = directory.path("out.ova")
        try Fixture.diskgraft("migrate", raw, ova, "--to", "vmware", "--unpatched", "--controller", "ide")
        try Tool.run("tar", ["-xf", ova, "-C", directory.root])
        #expect(try Fixture.diskgraft("info", directory.path("out-disk1.vmdk")).text.contains("ide"))
    }

    /// A recovery beside a description goes by the name beside it: a link in its place is not followed.
    @Test func aLinkInTheDisksPlace() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        try Tool.run("qemu-img", ["convert", "-O", "vmdk", raw, directory.path("elsewhere.vmdk")])
        let vmx = try directory.write(
            "in/web.vmx",
            "config.version = \"8\"\nscsi0.present = \"TRUE\"\nscsi0:0.present = \"TRUE\"\nscsi0:0.fileName = \"web.vmdk\"\n"
        )
        try Tool.run("ln", ["-s", directory.path("elsewhere.vmdk"), directory.path("in/web.vmdk")])
        let before = try fileBytes(directory.path("elsewhere.vmdk"))
        for command in [["patch", vmx, "--to", "kvm"], ["undo", vmx], ["undo", "--discard", vmx]] {
            try Tool.run(Fixture.command, command, expect: 2...2)
        }
        #expect(try fileBytes(directory.path("elsewhere.vmdk")) == before)
    }

    /// A cut-off appliance: the disk that is there comes out as far as it is there, the other one is said to be missing.
    @Test func whatIsLeftOfACutOffAppliance() throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(8)
        let disks = (0..<2).map { _ in random.block(4 << 20).map { $0 & 15 | 1 } }
        for (name, bytes) in zip(["a", "b"], disks) {
            let disk = try directory.write("\(name).img", bytes)
            try Fixture.diskgraft(
                "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", disk,
                directory.path("\(name).vmdk"))
        }
        try directory.write("web.ovf", DescriptionCommandTests.ovf(["a.vmdk", "b.vmdk"]))
        let digests = try Tool.run(
            "sha256sum", ["--tag", "web.ovf", "a.vmdk", "b.vmdk"], directory: directory.root)
        try directory.write("web.mf", digests.output)
        try Tool.run(
            "tar",
            ["-cf", directory.path("web.ova"), "-C", directory.root, "web.ovf", "web.mf", "a.vmdk", "b.vmdk"])
        let whole = try fileBytes(directory.path("web.ova"))
        let first = try fileBytes(directory.path("a.vmdk")).count
        let out = directory.path("out.raw")
        for (cut, isSecondThere) in [(whole.count - 700_000, true), (first - 300_000, false)] {
            let ova = try directory.write("cut.ova", Array(whole.prefix(cut)))
            let refused = try Fixture.diskgraft("convert", "--disk", "1", ova, out, expect: 1...1)
            #expect(refused.errorText.contains("--salvage"))
            let one = try Fixture.diskgraft("convert", "--salvage", "--disk", "1", ova, out)
            #expect(one.errorText.contains("is cut off"))
            try Self.judge(out, disks[0], one.errorText, isWhole: isSecondThere)
            let second = try Fixture.diskgraft(
                "convert", "--salvage", "--disk", "2", ova, out, expect: isSecondThere ? 0...0 : 1...1)
            if isSecondThere {
                try Self.judge(out, disks[1], second.errorText, isWhole: false)
            } else {
                #expect(second.errorText.contains("not in what is left"))
            }
        }
    }

    /// Every byte is the disk's, or a zero that is listed.
    private static func judge(_ path: String, _ disk: [UInt8], _ said: String, isWhole: Bool) throws {
        let copy = try fileBytes(path)
        var lost = 0
        var isRight = copy.count == disk.count
        var position = 0
        for line in said.split(separator: "\n") where line.contains("  bytes ") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { continue }
            isRight = isRight && copy[position..<numbers[0]] == disk[position..<numbers[0]]
            isRight = isRight && copy[numbers[0]...numbers[1]].allSatisfy { $0 == 0 }
            lost += numbers[1] - numbers[0] + 1
            position = numbers[1] + 1
        }
        isRight = isRight && copy[position...] == disk[position...]
        #expect(isRight && (lost == 0) == isWhole && lost < disk.count)
    }

    /// As qemu-img has them: holes of flat extents have places, and a disk in several files is as large as these are.
    @Test(
        .enabled(if: Tool.has("qemu-io"), "qemu-io is missing"),
        arguments: [
            "monolithicFlat", "twoGbMaxExtentFlat", "twoGbMaxExtentSparse",
        ])
    func disksInSeveralFiles(_ subformat: String) throws {
        let directory = try TemporaryDirectory()
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "vmdk", "-o", "subformat=\(subformat)", "d.vmdk", "3G"],
            directory: directory.root)
        for place in ["1M", "2G", "2400M"] {
            try Tool.run("qemu-io", ["-c", "write -q -P 7 \(place) 1M", "d.vmdk"], directory: directory.root)
        }
        func json(_ program: String, _ arguments: [String]) throws -> Any {
            try JSONSerialization.jsonObject(
                with: Data(try Tool.run(program, arguments, directory: directory.root).output))
        }
        let arguments = ["info", "--output=json", "d.vmdk"]
        let theirs = try json("qemu-img", arguments) as? [String: Any]
        let ours = try json(Fixture.command, arguments) as? [String: Any]
        #expect(theirs?["actual-size"] as? Int == ours?["actual-size"] as? Int)
        let map = ["map", "--output=json", "d.vmdk"]
        let expected = try json("qemu-img", map) as? [[String: Any]]
        let found = try (json(Fixture.command, map) as? [[String: Any]])?.map {
            $0.filter { $0.key != "compressed" }
        }
        #expect(expected as NSArray? == found as NSArray?)
        let text = try Tool.run("qemu-img", ["map", "d.vmdk"], directory: directory.root).text
        #expect(try Tool.run(Fixture.command, ["map", "d.vmdk"], directory: directory.root).text == text)
    }

    /// Without a file, as qemu-img takes it.
    @Test func optionsWithoutAFile() throws {
        for arguments in [
            ["convert", "-O", "vmdk", "-o", "help"], ["create", "-f", "vmdk", "-o", "help"],
            ["create", "-o", "?", "-f", "vmdk"], ["convert", "-Ovmdk", "-ohelp"],
        ] {
            #expect(try Tool.run(Fixture.command, arguments).text.contains("subformat="))
        }
        try Fixture.diskgraft("convert", "-O", "vmdk", "-o", "subformat=vmfs", expect: 64...64)
        try Fixture.diskgraft("convert", "-O", "nothing", "-o", "help", expect: 64...64)
    }
}
