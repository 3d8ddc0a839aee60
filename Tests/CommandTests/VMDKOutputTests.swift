import Foundation
import Storage
import TestSupport
import Testing

/// VMware's disks as outputs of whole commands.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-img is missing"))
struct VMDKOutputTests {
    static let subformats = [
        "monolithicSparse", "monolithicFlat", "vmfs", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        "streamOptimized",
    ]

    private func files(_ directory: TemporaryDirectory) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.root).sorted()
    }

    /// What ESX attaches: a descriptor and a flat extent; what VirtualBox takes is one file.
    @Test func aTargetGetsTheDisksThatItTakes() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let path = directory.path("web 01.vmdk")
        let said = try Fixture.diskgraft("migrate", raw, path, "--to", "vmware").text
        #expect(said.contains("web 01-flat.vmdk") && said.contains("beside it"))
        let text = String(decoding: try fileBytes(path), as: UTF8.self)
        #expect(text.contains("createType=\"vmfs\"\n") && text.contains(" VMFS \"web 01-flat.vmdk\"\n"))
        #expect(try Fixture.diskgraft("plan", path, "--to", "vmware").text.contains("nothing to do"))
        try Fixture.diskgraft("compare", path, directory.path("web 01-flat.vmdk"))
        let json = try Fixture.diskgraft("migrate", raw, path, "--to", "vmware", "--json").text
        #expect(json.contains("\"companions\"") && json.contains("\"web 01-flat.vmdk\""))

        let box = directory.path("box.vmdk")
        try Fixture.diskgraft("migrate", raw, box, "--to", "virtualbox")
        #expect(try fileBytes(box).starts(with: Array("KDMV".utf8)))
        // The user's word on the shape comes first.
        let stream = directory.path("stream.vmdk")
        try Fixture.diskgraft("migrate", raw, stream, "--to", "vmware", "-o", "subformat=streamOptimized")
        #expect(VMDKStreamCheck(try fileBytes(stream)).breaches == [])
        #expect(!FileManager.default.fileExists(atPath: directory.path("stream-flat.vmdk")))
    }

    /// Two disks never share a file.
    @Test func disksWhoseExtentsWouldHaveOneNameAreRefused() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let first = directory.path("a.img")
        try FileManager.default.moveItem(atPath: raw, toPath: first)
        let second = try directory.write("a-flat.img", [UInt8](repeating: 0, count: 1 << 20))
        try FileManager.default.createDirectory(
            atPath: directory.path("out"), withIntermediateDirectories: false)
        let refused = try Fixture.diskgraft(
            "migrate", first, second, directory.path("out"), "--to", "vmware", expect: 64...64)
        #expect(refused.errorText.contains("a-flat.vmdk"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path("out")) == [])
    }

    @Test(arguments: subformats) func everyShapeHoldsTheDisk(_ subformat: String) throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(9)
        // No whole number of sectors, and a GPT whose backup has to move.
        let bytes = random.block(3 << 20) + [UInt8](repeating: 0, count: 2 << 20) + [1, 2, 3]
        let raw = try directory.write("disk.raw", bytes)
        if Tool.has("sfdisk") {
            try Tool.run("truncate", ["-s", "5243392", raw])
            try Tool.run(
                "sfdisk", ["-q", "--no-reread", "--no-tell-kernel", raw], input: "label: gpt\nstart=2048\n")
            try Tool.run("sh", ["-c", "printf abc >> \"$0\"", raw])
        }
        let path = directory.path("disk.vmdk")
        try Fixture.diskgraft("convert", "-O", "vmdk", "-o", "subformat=\(subformat)", raw, path)
        #expect(try files(directory).allSatisfy { !$0.hasPrefix(".") })
        let back = directory.path("back.raw")
        try Tool.run("qemu-img", ["convert", "-f", "vmdk", "-O", "raw", path, back])
        let (old, new) = (try fileBytes(raw), try fileBytes(back))
        #expect(new.count == old.count / 512 * 512 + 512)
        // Behind the partition the backup table is moved.
        #expect(isSame(Array(old[1 << 20..<4 << 20]), Array(new[1 << 20..<4 << 20])))
        #expect(Array(new.suffix(512).prefix(8)) == Array("EFI PART".utf8) || !Tool.has("sfdisk"))
        try Fixture.diskgraft("check", path)
    }

    /// The host's own limit stands for a full disk: nothing appears under any of the names, and what was there stays.
    @Test(arguments: subformats) func aFullDiskLeavesNothing(_ subformat: String) throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(2)
        try directory.write("disk.raw", random.block(4 << 20))
        try directory.write("out.vmdk", "older")
        try directory.write("out-flat.vmdk", "older too")
        let before = try files(directory)
        let failed = try Tool.run(
            "sh",
            [
                "-c",
                "trap '' XFSZ; ulimit -f 3000; exec \"$0\" convert -O vmdk -o subformat=\(subformat) disk.raw out.vmdk",
                Fixture.command,
            ], directory: directory.root, expect: 1...1)
        #expect(failed.errorText.contains("out.vmdk") || failed.errorText.contains("out-"))
        #expect(!failed.errorText.contains(".partial"))
        #expect(try files(directory) == before)
        #expect(try fileBytes(directory.path("out.vmdk")) == Array("older".utf8))
        #expect(try fileBytes(directory.path("out-flat.vmdk")) == Array("older too".utf8))
    }

    /// A flat extent is never replaced by the extent of its own copy.
    @Test func theSourceIsNoExtentOfTheOutput() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.write("disk-flat.vmdk", [UInt8](repeating: 3, count: 1 << 20))
        let refused = try Fixture.diskgraft(
            "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=vmfs", raw, directory.path("disk.vmdk"),
            expect: 2...2)
        #expect(refused.errorText.contains("source"))
        #expect(try files(directory) == ["disk-flat.vmdk"])
    }

    /// A stream is not changed in place: the refusal names what works, and that keeps every grain that it can.
    @Test func aStreamIsRewrittenWithWhatChanged() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let stream = directory.path("web01.vmdk")
        let options = "subformat=streamOptimized,compression_level=3"
        try Fixture.diskgraft("convert", "-O", "vmdk", "-o", options, raw, stream)
        let old = VMDKStreamCheck(try fileBytes(stream))
        #expect(old.breaches == [])
        let refused = try Fixture.diskgraft("patch", stream, "--to", "kvm", expect: 2...2)
        #expect(refused.errorText.contains("diskgraft migrate"))
        let moved = directory.path("moved.vmdk")
        try Fixture.diskgraft("migrate", stream, moved, "--to", "kvm", "-o", "subformat=streamOptimized")
        let new = VMDKStreamCheck(try fileBytes(moved))
        #expect(new.breaches == [])
        let changed = new.payloads.filter { old.payloads[$0.key] != $0.value }.keys
        #expect(!changed.isEmpty && changed.count < 20)
        // At another level the grains would be others; those that changed hold other bytes.
        for sector in changed { #expect(new.grains[sector] != old.grains[sector]) }
        #expect(try Fixture.diskgraft("plan", moved, "--to", "kvm").text.contains("nothing to do"))
        // And back: nothing is packed again.
        let copy = directory.path("copy.vmdk")
        try Fixture.diskgraft("convert", "-o", "subformat=streamOptimized", moved, copy)
        #expect(VMDKStreamCheck(try fileBytes(copy)).payloads == new.payloads)
    }

    @Test func childrenAreMadeAsQEMUMakesThem() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.write("disk.raw", [UInt8](repeating: 7, count: 1 << 20))
        let base = directory.path("base.vmdk")
        try Fixture.diskgraft("convert", "-O", "vmdk", raw, base)
        for (name, maker) in [("ours.vmdk", Fixture.command), ("theirs.vmdk", "qemu-img")] {
            try Tool.run(
                maker, ["create", "-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", name],
                directory: directory.root)
            let info = try Tool.run("qemu-img", ["info", "-U", directory.path(name)]).text
            #expect(info.contains("backing file: base.vmdk"))
            try Tool.run("qemu-img", ["compare", "-q", "-U", raw, directory.path(name)])
        }
        let refused = try Fixture.diskgraft(
            "create", "-f", "vmdk", "-b", "disk.raw", "-F", "raw", directory.path("c.vmdk"), expect: 64...64)
        #expect(refused.errorText.contains("parent of the same"))
    }

    @Test func sizesOfVMDKsAreMeasured() throws {
        let flat = try Fixture.diskgraft("measure", "-O", "vmdk", "-o", "subformat=vmfs", "--size", "1G").text
        #expect(flat.contains("required size: 1073742"))
        let sparse = try Fixture.diskgraft("measure", "-O", "vmdk", "--size", "1G").text
        #expect(sparse.contains("required size: 196608\n"))
    }
}
