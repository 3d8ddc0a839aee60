import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Tool.has("qemu-img", "sfdisk"), "qemu-utils or fdisk is not installed"))
struct ImageCommandTests {
    @Test func resizeGrowsUndoesAndTellsOfTheGPT() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.sparse("disk.img", byteCount: 64 << 20)
        try Tool.run(
            "sfdisk", ["-q", "--no-reread", "--no-tell-kernel", raw], input: "label: gpt\nsize=16M\n")
        for format in ["vhd", "vhdx", "vmdk", "qcow2"] {
            let path = directory.path("disk.\(format)")
            try Fixture.diskgraft("convert", raw, path)
            let before = try fileBytes(path)
            let result = try Fixture.diskgraft("resize", path, "+64M")
            #expect(result.text.contains("128 MiB"))
            #expect(result.errorText.contains("check --repair gpt"))
            let check = try Fixture.diskgraft("check", path, expect: 2...2)
            #expect(check.text.contains("`diskgraft check --repair gpt` mends it"), "\(check.text)")
            // Nothing stands on it.
            #expect(!result.errorText.contains("child"))
            try Fixture.diskgraft("check", "--repair", "gpt", path)
            let judge = format == "vhd" ? "vpc" : format
            try Tool.run("qemu-img", ["convert", "-f", judge, "-O", "raw", path, directory.path("out.img")])
            let verify = try Tool.run("sfdisk", ["--verify", directory.path("out.img")], expect: nil)
            #expect(!(verify.text + verify.errorText).contains("backup GPT table is"))
            try Fixture.diskgraft("undo", path)
            try Fixture.diskgraft("undo", path)
            #expect(try fileBytes(path) == before)
            let refused = try Fixture.diskgraft("resize", path, "1M", expect: 2...2)
            #expect(refused.errorText.contains("not made shorter"))
            try Fixture.diskgraft("resize", path, "big", expect: 64...64)
        }
    }

    @Test(arguments: ["vhd", "vhdx", "qcow2"])
    func infoShowsTheChainThatMayBeOpened(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let names = ["base", "middle", "top"].map { directory.path("\($0).\(format)") }
        try Fixture.diskgraft("create", "-f", format, names[0], "16M")
        for (parent, child) in zip(names, names.dropFirst()) {
            // Other formats' children are made by qemu-img.
            if format == "qcow2" {
                try Tool.run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", parent, "-F", "qcow2", child])
            } else {
                try Fixture.diskgraft("create", "-f", format, "-b", parent, child)
            }
        }
        let alone = try Fixture.diskgraft("info", names[2]).text
        #expect(alone.contains("middle.\(format)") && !alone.contains("chain 1:"))
        // The way to the parent begins where the child stands, not where it was made.
        #expect(format == "qcow2" || alone.contains(".\\middle.\(format)"))
        #expect(!alone.contains("..\\"))
        let opened = try Fixture.diskgraft("info", "--allow-siblings", names[2]).text
        let chain = opened.split(separator: "\n").filter { $0.hasPrefix("chain ") }
        #expect(chain.count == 2 && chain[0].contains("middle.") && chain[1].contains("base."))
        #expect(chain.allSatisfy { $0.contains("16 MiB") })
        let json = try Fixture.diskgraft("info", "--json", "--allow-siblings", names[2]).text
        #expect(json.contains("\"parents\"") && json.contains("base.\(format)"))
    }

    @Test func sectorsOf4096BytesNeedVHDXOrForce() throws {
        let directory = try TemporaryDirectory()
        let disk = directory.path("disk.vhdx")
        try Fixture.diskgraft("create", "-o", "logical_sector_size=4096", disk, "8M")
        // A raw file says nothing of sectors, and holds them all.
        try Fixture.diskgraft("convert", disk, directory.path("out.img"))
        for name in ["out.vhd", "out.vmdk", "out.qcow2"] {
            let path = directory.path(name)
            let refused = try Fixture.diskgraft("convert", disk, path, expect: 2...2)
            #expect(refused.errorText.contains("sectors of 4096 bytes"))
            #expect(!FileManager.default.fileExists(atPath: path))
            try Fixture.diskgraft("convert", "--force", disk, path)
        }
        let copy = directory.path("copy.vhdx")
        try Fixture.diskgraft("convert", disk, copy)
        #expect(try Fixture.diskgraft("info", copy).text.contains("4096"))
        try Fixture.diskgraft(
            "convert", "-o", "logical_sector_size=512", disk, directory.path("b.vhdx"), expect: 2...2)
    }

    @Test func theAzureProfileIsAFixedVHDOfWholeMebibytes() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.write("disk.img", [UInt8](repeating: 3, count: 21_500_416))
        let path = directory.path("disk.vhd")
        try Fixture.diskgraft("convert", "--profile", "azure", raw, path)
        #expect(try fileBytes(path).count == 21 << 20 | 512)
        let made = directory.path("new.vhd")
        try Fixture.diskgraft("create", "--profile", "azure", made, "21500416")
        let info = try Tool.run("qemu-img", ["info", "--output=json", "-f", "vpc", made]).text
        #expect(info.contains("\"virtual-size\": 22020096"))
        try Fixture.diskgraft("convert", "--profile", "nimbus", raw, directory.path("x.vhd"), expect: 64...64)
        let guest = try Fixture.guest(in: directory)
        let migrated = directory.path("guest.vhd")
        try Fixture.diskgraft("migrate", guest, migrated, "--to", "azure")
        #expect(try fileBytes(migrated).count % (1 << 20) == 512)
    }

    /// Virtual PC's own disk: its geometry is a little less than its current_size.
    @Test func aVHDsSizeRuleCanBeOverridden() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vhd")
        try Fixture.diskgraft("create", "-o", "subformat=fixed", path, "10M")
        func size(_ rule: String) throws -> Bool {
            try Fixture.diskgraft("info", "--json", "--vhd-size", rule, path).text.contains(
                "\"virtual-size\" : 10485760")
        }
        #expect(try size("auto") && size("current_size"))
        #expect(try !size("chs"))
        try Fixture.diskgraft("info", "--vhd-size", "guess", path, expect: 64...64)
    }

    @Test(arguments: ["vhd", "vhdx", "vmdk"])
    func whereLeaksStayTheWayOutIsNamed(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.\(format)")
        try Fixture.diskgraft("create", path, "16M")
        let before = try fileBytes(path)
        #expect(try Fixture.diskgraft("check", "--repair", "leaks", path).text.contains("diskgraft convert"))
        #expect(try fileBytes(path) == before)
    }

    @Test func leaksAreRepairedAndUndone() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.write("disk.img", [UInt8](repeating: 3, count: 1 << 20))
        let path = directory.path("disk.qcow2")
        try Tool.run("qemu-img", ["convert", "-O", "qcow2", raw, path])
        try Fixture.diskgraft("check", path)
        // The first refcount block lies in the third cluster; cluster 3 loses its L2 entry's place in it.
        var bytes = try fileBytes(path)
        bytes[2 * 65536 + 2 * 60] = 0
        bytes[2 * 65536 + 2 * 60 + 1] = 1
        try directory.write("disk.qcow2", bytes)
        let found = try Fixture.diskgraft("check", path, expect: 3...3)
        #expect(found.text.contains("cluster 60 has refcount 1 and 0 references"))
        let repaired = try Fixture.diskgraft("check", "--repair", "leaks", path)
        #expect(repaired.text.contains("gave 1 leaked clusters back"))
        try Tool.run("qemu-img", ["check", "-q", path])
        try Fixture.diskgraft("undo", path)
        #expect(try fileBytes(path) == bytes)
        bytes[2 * 65536 + 1] = 0
        try directory.write("disk.qcow2", bytes)
        try Fixture.diskgraft("check", path, expect: 2...2)
        try Fixture.diskgraft("check", "--repair", "leaks", path, expect: 1...1)
        try Fixture.diskgraft("check", directory.path("missing.qcow2"), expect: 1...1)
    }
}
