import Foundation
import Storage
import TestSupport
import Testing

/// VMware's snapshots, split disks and tracked disks, as the command takes them.
@Suite(.enabled(if: Tool.has("qemu-img", "mke2fs", "debugfs"), "judges are missing"))
struct VMDKCommandTests {
    private static let volume = ["--volume", "disk"]

    /// A file system in a VMDK of a kind.
    private func disk(
        _ directory: TemporaryDirectory, _ subformat: String, name: String = "base.vmdk"
    ) throws -> String {
        let raw = try directory.sparse("raw.img", byteCount: 16 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [raw])
        let path = directory.path(name)
        try Tool.run(
            "qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)", raw, path])
        try FileManager.default.removeItem(atPath: raw)
        return path
    }

    @discardableResult
    private func run(_ arguments: [String], expect: ClosedRange<Int32> = 0...0) throws -> Tool.Result {
        try Tool.run(Fixture.command, arguments, expect: expect)
    }

    private func files(_ directory: TemporaryDirectory) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.root)
        where name.hasSuffix(".vmdk") {
            files[name] = try fileBytes(directory.path(name))
        }
        return files
    }

    @Test func theTopOfAChainIsEditedAndTakenBack() throws {
        let directory = try TemporaryDirectory()
        let base = try disk(directory, "twoGbMaxExtentSparse")
        try Tool.run(
            "qemu-img",
            [
                "create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", "base.vmdk", "-o",
                "subformat=twoGbMaxExtentSparse",
                "base-000001.vmdk",
            ], directory: directory.root)
        let child = directory.path("base-000001.vmdk")
        let before = try files(directory)
        let refused = try run(["ls", child, "/"] + Self.volume, expect: 2...2)
        #expect(refused.errorText.contains("--allow-siblings") && refused.errorText.contains("--parent"))
        let file = try directory.write("file", "text of a file\n")
        for (name, way) in [("one", ["--allow-siblings"]), ("two", ["--parent", base])] {
            try run(["put", child, file, "/\(name)"] + Self.volume + way)
        }
        #expect(
            try run(["cat", child, "/one", "--allow-siblings"] + Self.volume).text
                == "text of a file\n")
        let after = try files(directory)
        #expect(
            after["base.vmdk"] == before["base.vmdk"] && after["base-s001.vmdk"] == before["base-s001.vmdk"])
        #expect(after["base-000001-s001.vmdk"] != before["base-000001-s001.vmdk"])
        try Tool.run("qemu-img", ["check", "-q", "-f", "vmdk", child])
        // The parent's own change breaks the child, and is said to.
        let warned = try run(["label", base, "new", "--despite-children"] + Self.volume)
        #expect(warned.errorText.contains("is a child of this image"))
        let broken = try run(["ls", child, "/", "--allow-siblings"] + Self.volume, expect: 2...2)
        #expect(broken.errorText.contains("base.vmdk") && broken.errorText.contains("--parent"))
        try Fixture.diskgraft("undo", base)
        for _ in 0..<2 { try Fixture.diskgraft("undo", child, "--allow-siblings") }
        let now = try files(directory)
        #expect(now == before)
    }

    @Test func trackingIsTurnedOffOnlyWhenThatIsSaid() throws {
        let directory = try TemporaryDirectory()
        let path = try disk(directory, "monolithicFlat")
        let text =
            String(decoding: try fileBytes(path).prefix { $0 != 0 }, as: UTF8.self)
            + "changeTrackPath=\"base-ctk.vmdk\"\n"
        try directory.write("base.vmdk", text)
        let refused = try run(["label", path, "new"] + Self.volume, expect: 2...2)
        #expect(refused.errorText.contains("--drop-cbt"))
        #expect(String(decoding: try fileBytes(path), as: UTF8.self) == text)
        let done = try run(["label", path, "new", "--drop-cbt"] + Self.volume)
        #expect(done.errorText.contains("warning:") && done.errorText.contains("tracking"))
        #expect(!String(decoding: try fileBytes(path), as: UTF8.self).contains("changeTrackPath"))
        try run(["label", path, "newer"] + Self.volume)
        for _ in 0..<2 { try Fixture.diskgraft("undo", path) }
        #expect(String(decoding: try fileBytes(path), as: UTF8.self) == text)
        let resized = try Fixture.diskgraft("resize", path, "32M", expect: 2...2)
        #expect(resized.errorText.contains("--drop-cbt"))
        try Fixture.diskgraft("resize", path, "32M", "--drop-cbt")
    }

    /// The pieces of a split disk are checked with it.
    @Test func theTablesOfPiecesAreChecked() throws {
        let directory = try TemporaryDirectory()
        let path = try disk(directory, "twoGbMaxExtentSparse")
        try Fixture.diskgraft("check", path)
        let piece = directory.path("base-s001.vmdk")
        var bytes = try fileBytes(piece)
        let main = Int(bytes.little(56, as: UInt64.self)) * 512
        let table = Int(bytes.little(main, as: UInt32.self)) * 512
        let first = bytes.little(table, as: UInt32.self)
        bytes.storeLittle(first, at: table + 4)
        try directory.write("base-s001.vmdk", bytes)
        let found = try Fixture.diskgraft("check", path, expect: 2...2)
        #expect(found.text.contains("base-s001.vmdk") && found.text.contains("share bytes"))
    }
}
