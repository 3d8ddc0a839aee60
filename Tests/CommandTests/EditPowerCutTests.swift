import DiskGraft
import Foundation
@_spi(Testing) import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing

/// The power fails anywhere in a change that is larger than the journal and than memory may hold: the image is as
/// before or as after once it is opened for writing, byte for byte; and where the undo record is lost, the file system
/// is sound and every file whole.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "qemu-img"), "judges are missing"))
struct EditPowerCutTests {
    private static let fileCount = 1400

    /// Two inodes a block and the smallest journal, so that it takes several transactions.
    private static let large = ["-b", "1024", "-I", "512", "-J", "size=1", "-N", "1600"]

    private static func contents(_ index: Int) -> [UInt8] {
        Array("file \(index)\n".utf8) + [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 600)
    }

    private struct Run {
        let directory: TemporaryDirectory
        let root: String
        let path: String
        let before: [UInt8]
        let after: [UInt8]
        let initial: [String: [UInt8]]
        let events: [HostTrace.Event]
    }

    private static func run(_ format: String, _ options: [String]) throws -> Run {
        let directory = try TemporaryDirectory()
        let raw = try EditCommandTests.volume(options, in: directory, mebibytes: 8)
        let root = try #require(HostDirectory.resolved(directory.root)) + "/disks"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let path = root + "/g.img"
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", format, raw, path])
        let before = try fileBytes(path)
        let initial = [path: before]
        let events = try HostTrace.events(under: root) {
            let guest = try Guest.open([path], forWriting: true)
            try guest.edit(volume: "disk", memoryLimit: 400_000) { (edit) throws(StorageError) in
                let many: GuestPath = "/many"
                try edit.makeDirectory(many)
                for index in 0..<fileCount {
                    try edit.put(FileContents(contents(index)), at: many.appending("\(index)".utf8))
                }
                try edit.remove("/d", recursively: true)
            }
        }.events
        return Run(
            directory: directory, root: root, path: path, before: before, after: try fileBytes(path),
            initial: initial, events: events)
    }

    @Test(arguments: ["raw", "qcow2"])
    func theImageIsOldOrNew(_ format: String) throws {
        let run = try Self.run(format, EditCommandTests.ext4 + Self.large)
        var syncs = 0
        for case .flush(let path) in run.events where path.hasSuffix(".undo") { syncs += 1 }
        #expect(syncs > 3, "it went to the image in several parts")
        var outcomes: Set<Bool> = []
        try HostPowerCut(initial: run.initial, events: run.events)
            .forEachState(reorderings: 1, every: format == "raw" ? 3 : 5, seed: 3) { (files, cut) in
                try HostPowerCut.put(files, in: run.root)
                _ = try Guest.open([run.path], forWriting: true)
                let found = try fileBytes(run.path)
                #expect(found == run.before || found == run.after, "\(cut)")
                outcomes.insert(found == run.after)
            }
        #expect(outcomes == [true, false])
        // And the whole of it goes back.
        _ = try GuestUndo.run([run.path])
        #expect(try fileBytes(run.path) == run.before)
    }

    @Test(arguments: [EditCommandTests.ext3, EditCommandTests.ext4])
    func withoutItsRecordTheVolumeIsSound(_ options: [String]) throws {
        let run = try Self.run("raw", options + Self.large)
        var counts: Set<Int> = []
        try HostPowerCut(initial: run.initial, events: run.events)
            .forEachState(reorderings: 1, every: 7, seed: 4) { (files, cut) in
                let scratch = try TemporaryDirectory()
                let image = try scratch.write("g.img", files[run.path] ?? [])
                let preen = try Tool.run("e2fsck", ["-p", image], expect: nil)
                let check = try Tool.run("e2fsck", ["-fn", image], expect: nil)
                #expect(preen.status <= 1 && check.status == 0, "\(cut): \(preen.text)\(check.text)")
                try Tool.run("debugfs", ["-R", "rdump / \(scratch.root)", image])
                let many = scratch.path("many")
                let names = (try? FileManager.default.contentsOfDirectory(atPath: many)) ?? []
                // In their order, each whole.
                #expect(Set(names) == Set((0..<names.count).map(String.init)), "\(cut)")
                for name in names {
                    #expect(try fileBytes("\(many)/\(name)") == Self.contents(Int(name) ?? -1), "\(cut)")
                }
                counts.insert(names.count)
            }
        // Before, after, and between two parts.
        #expect(counts.contains(0) && counts.contains(Self.fileCount) && counts.count > 2)
    }

    /// The host refuses a write half-way (a limit on file sizes stands for a full disk): all of it goes back at once,
    /// the length of an image that had begun to grow too.
    @Test(arguments: ["raw", "qcow2"])
    func aFullHostLeavesTheImageAsItWas(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try EditCommandTests.volume(
            EditCommandTests.ext3 + ["-b", "1024", "-J", "size=1", "-N", "8000"], in: directory, mebibytes: 48
        )
        let image = directory.path("g.img")
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", format, raw, image])
        let before = try fileBytes(image)
        var random = SeededRandom(1)
        let large = try directory.write("large", random.bytes(40_000_000))
        // In blocks of 512 bytes, at no boundary of anything: the contents need more of the image.
        let result = try Tool.run(
            "sh",
            [
                "-c", "trap '' XFSZ; ulimit -f 61433; exec \"$0\" put \"$1\" \"$2\" /large --volume disk",
                Fixture.command, image, large,
            ], expect: 1...1)
        #expect(result.errorText.contains("write failed"))
        #expect(try fileBytes(image) == before)
        #expect(!FileManager.default.fileExists(atPath: image + ".undo"))
    }

    /// The very first growth of an image is refused in the middle of a write.
    @Test func aGrowthCutShortGoesBack() throws {
        let directory = try TemporaryDirectory()
        let raw = try EditCommandTests.volume(EditCommandTests.ext3, in: directory)
        let image = directory.path("g.qcow2")
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, image])
        let before = try fileBytes(image)
        var random = SeededRandom(1)
        let contents = try directory.write("contents", random.bytes(200_000))
        let result = try Tool.run(
            "sh",
            [
                "-c",
                "trap '' XFSZ; ulimit -f \(before.count / 512 + 3); exec \"$0\" put \"$1\" \"$2\" /c --volume disk",
                Fixture.command, image, contents,
            ], expect: 1...1)
        #expect(result.errorText.contains("write failed"))
        #expect(try fileBytes(image) == before)
    }
}
