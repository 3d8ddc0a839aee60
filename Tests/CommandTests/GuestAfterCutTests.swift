import DiskGraft
import Foundation
@_spi(Testing) import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing
import Undo

/// A change is killed at a flush, and then the guest, which knows of no records, is started on the image: it replays its
/// journal, works and is shut down. What it wrote is never rolled over.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "qemu-img", "qemu-io"), "judges are missing"))
struct GuestAfterCutTests {
    private static let block = 4096

    /// A volume in each format, and what a `put` does to it.
    private struct Run {
        let directory: TemporaryDirectory
        let root: String
        let path: String
        let format: String
        let initial: [String: [UInt8]]
        let events: [HostTrace.Event]

        init(_ format: String) throws {
            directory = try TemporaryDirectory()
            self.format = format
            let raw = try EditCommandTests.volume(
                EditCommandTests.ext4 + ["-b", "1024", "-J", "size=1"], in: directory, mebibytes: 8)
            root = try #require(HostDirectory.resolved(directory.root)) + "/disks"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            let path = root + "/g.\(format)"
            self.path = path
            let subformat = format == "vpc" ? ["-o", "subformat=dynamic,force_size=on"] : []
            try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", format] + subformat + [raw, path])
            initial = [path: try fileBytes(path)]
            events = try HostTrace.events(under: root) {
                let guest = try Guest.open([path], forWriting: true)
                try guest.edit(volume: "disk") { (edit) throws(StorageError) in
                    try edit.put(
                        FileContents([UInt8](repeating: 0x78, count: 90_000)), at: "/new")
                    try edit.remove("/d", recursively: true)
                }
            }.events
        }

        /// The guest's disk as qemu reads it, or nil when it cannot.
        func disk(_ name: String) throws -> String? {
            let raw = directory.path(name)
            let result = try Tool.run(
                "qemu-img", ["convert", "-f", format, "-O", "raw", path, raw], expect: nil)
            return result.status == 0 ? raw : nil
        }

        /// What a machine does that is started on the image; false when it does not come up.
        func guestWorks() throws -> Bool {
            guard let before = try disk("before.raw"), let after = try disk("after.raw") else { return false }
            try Tool.run("e2fsck", ["-fy", after], expect: 0...1)
            let file = try directory.write("gf", "the guest's own\n")
            let large = try directory.write("gl", [UInt8](repeating: 0x67, count: 300_000))
            try Tool.run(
                "debugfs", ["-w", "-f", "/dev/stdin", after],
                input: "mkdir /guest\nwrite \(file) /guest/small\nwrite \(large) /guest/large\n")
            try Tool.run("e2fsck", ["-fy", after], expect: 0...1)
            // As qemu writes it: through the format.
            let old = try fileBytes(before)
            let new = try fileBytes(after)
            var commands: [String] = []
            for start in stride(from: 0, to: new.count, by: GuestAfterCutTests.block) {
                let range = start..<min(start + GuestAfterCutTests.block, new.count)
                guard old[range] != new[range] else { continue }
                let part = try directory.write("part\(start)", Array(new[range]))
                commands += ["-c", "write -s \(part) \(start) \(range.count)"]
            }
            try Tool.run("qemu-io", ["-f", format] + commands + [path])
            return true
        }

        /// Whether the guest finds all of its own.
        func isGuestWhole() throws -> Bool {
            let raw = try #require(try disk("check.raw"))
            let check = try Tool.run("e2fsck", ["-fn", raw], expect: nil)
            let small = try Tool.run("debugfs", ["-R", "cat /guest/small", raw])
            let large = try Tool.run("debugfs", ["-R", "cat /guest/large", raw])
            return check.status == 0 && small.text == "the guest's own\n"
                && large.output == [UInt8](repeating: 0x67, count: 300_000)
        }
    }

    @Test(arguments: ["raw", "qcow2", "vmdk", "vpc", "vhdx"])
    func whatTheGuestWroteIsKept(_ format: String) throws {
        let run = try Run(format)
        var files = run.initial
        var refusals = 0
        for event in run.events {
            HostPowerCut.apply(event, to: &files)
            guard case .flush = event else { continue }
            try HostPowerCut.put(files, in: run.root)
            guard try UndoRecord.read(for: run.path)?.isCutOff == true else { continue }
            let cut = try fileBytes(run.path)
            guard try run.guestWorks() else { continue }
            let worked = try fileBytes(run.path)
            #expect(worked != cut)

            let error = #expect(throws: StorageError.self) {
                _ = try Guest.open([run.path], forWriting: true)
            }
            #expect(error?.code == "unknown-contents" || error?.code == "unknown-length")
            #expect(throws: StorageError.self) { try Guest.open([run.path]) }
            #expect(throws: StorageError.self) { try GuestUndo.run([run.path]) }
            #expect(try fileBytes(run.path) == worked)
            refusals += 1

            #expect(try GuestUndo.discard([run.path]).records == [run.path + ".undo"])
            #expect(try fileBytes(run.path) == worked)
            #expect(try run.isGuestWhole())
            try Fixture.diskgraft("mkdir", run.path, "/after", "--volume", "disk")
            #expect(try run.isGuestWhole())
        }
        #expect(refusals > 3)
    }

    /// The user has it taken back all the same: every byte that the change touched, and the length.
    @Test(arguments: ["raw", "qcow2"])
    func forceTakesBackAllTheSame(_ format: String) throws {
        let run = try Run(format)
        var files = run.initial
        for event in run.events {
            HostPowerCut.apply(event, to: &files)
            guard case .flush(run.path) = event else { continue }
            try HostPowerCut.put(files, in: run.root)
            guard try UndoRecord.read(for: run.path)?.isCutOff == true else { continue }
            // A byte of the superblock's mount time, if nothing more.
            let sectors = try Tool.run("qemu-io", ["-f", format, "-c", "write -P 0x5a 1024 512", run.path])
            #expect(sectors.status == 0)
            let refused = try Fixture.diskgraft("undo", run.path, expect: 2...2)
            #expect(
                refused.errorText.contains("undo --force") && refused.errorText.contains("undo --discard"))
            try Fixture.diskgraft("undo", "--force", run.path)
            #expect(try fileBytes(run.path) == run.initial[run.path])
            return
        }
        Issue.record("no cut was found")
    }
}
