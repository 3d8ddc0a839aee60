import Foundation
import HostIO
import Storage
import TestSupport
import Testing
import Undo

/// What becomes of a command's output: the status says whether it arrived, and nothing is replaced that a record could
/// still mend.
struct OutputTests {
    /// A raw disk of zeros.
    private static func disk(in directory: TemporaryDirectory) throws -> String {
        try directory.sparse("disk.img", byteCount: 1 << 20)
    }

    @Test(arguments: ["raw"])
    func aChildInAFormatWithoutChildrenIsRefused(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let parent = directory.path("parent.qcow2")
        try Fixture.diskgraft("create", "-f", "qcow2", parent, "1M")
        let child = directory.path("child")
        for size in [[], ["1M"]] {
            let result = try Tool.run(
                Fixture.command, ["create", "-f", format, "-b", parent, child] + size, expect: 2...2)
            #expect(result.errorText.contains("children of another image"))
            #expect(!HostDirectory.exists(child))
        }
    }

    @Test func aPipeWithoutAReaderEndsLikeOtherFilters() throws {
        let directory = try TemporaryDirectory()
        let disk = try Self.disk(in: directory)
        // The reader has gone before the first byte.
        let line = "{ sleep 1; \"$0\" info --json \"$1\"; echo $? >status; } | exec true; cat status"
        let result = try Tool.run("sh", ["-c", line, Fixture.command, disk], directory: directory.root)
        #expect(result.text == "141\n")
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
    func anOutputThatTakesNothingIsAnErrorThatIsSaid() throws {
        let directory = try TemporaryDirectory()
        let disk = try Self.disk(in: directory)
        let result = try Tool.run(
            "sh", ["-c", "\"$0\" info \"$1\" >/dev/full", Fixture.command, disk], expect: 1...1)
        #expect(result.errorText.contains("standard output"))
    }

    @Test func aFileWithACutOffChangeIsNotReplaced() throws {
        let directory = try TemporaryDirectory()
        let root = try #require(HostDirectory.resolved(directory.root))
        let source = try Self.disk(in: directory)
        let target = root + "/target.img"
        var random = SeededRandom(4)
        try Data(random.bytes(20_000)).write(to: URL(fileURLWithPath: target))
        let (half, record) = try Self.cutOff(target, &random)
        try Data(half).write(to: URL(fileURLWithPath: target))
        try Data(record).write(to: URL(fileURLWithPath: target + ".undo"))

        for arguments in [["convert", source, target], ["create", "-f", "raw", target, "1M"]] {
            let result = try Tool.run(Fixture.command, arguments, expect: 2...2)
            #expect(result.errorText.contains("cut off"))
        }
        #expect(try fileBytes(target) == half)
        #expect(try fileBytes(target + ".undo") == record)
        try Fixture.diskgraft("undo", target)
        try Fixture.diskgraft("convert", source, target)
    }

    /// The record of a file that is replaced goes with it, or with the name under which the file lives on.
    @Test(arguments: [false, true])
    func theRecordOfAReplacedFileGoes(hasOtherName: Bool) throws {
        let directory = try TemporaryDirectory()
        let source = try Self.disk(in: directory)
        let target = directory.path("target.img")
        let other = directory.path("other.img")
        for arguments in [["convert", source, target], ["create", "-f", "raw", target, "1M"]] {
            try Fixture.diskgraft("create", "-f", "raw", target, "1M")
            try? FileManager.default.removeItem(atPath: other)
            if hasOtherName { try FileManager.default.linkItem(atPath: target, toPath: other) }
            try Fixture.diskgraft("resize", target, "+1M")
            #expect(HostDirectory.exists(target + ".undo"))
            try Tool.run(Fixture.command, arguments)
            #expect(!HostDirectory.exists(target + ".undo"))
            #expect(try Fixture.diskgraft("undo", target).text == "There is nothing to undo.\n")
            guard hasOtherName else { continue }
            #expect(try fileBytes(other).count == 2 << 20)
            try Fixture.diskgraft("undo", other)
            #expect(try fileBytes(other).count == 1 << 20)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.root)
        #expect(left.allSatisfy { !$0.hasSuffix(".undo") })
    }

    /// A record that stayed beside a file of the same name, as a cut within the replacement leaves it.
    @Test func theRecordOfAnotherFileIsNamed() throws {
        let directory = try TemporaryDirectory()
        let target = directory.path("target.img")
        try Fixture.diskgraft("create", "-f", "raw", target, "1M")
        try Fixture.diskgraft("resize", target, "+1M")
        try FileManager.default.removeItem(atPath: target)
        // Neither of the length before nor of the one after.
        try Data(repeating: 7, count: 3 << 20).write(to: URL(fileURLWithPath: target))
        let result = try Tool.run(Fixture.command, ["undo", target], expect: 2...2)
        #expect(result.errorText.contains("not the file that was changed"))
    }

    /// What a killed process leaves of a file and its record.
    private static func cutOff(
        _ path: String, _ random: inout SeededRandom
    ) throws -> (half: [UInt8], record: [UInt8]) {
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file], memoryLimit: 3000)
        for index in 0..<4 { try file.write(random.bytes(1500), at: UInt64(index) * 3000) }
        try file.flush()
        defer { transaction.rollBack() }
        return (try fileBytes(path), try fileBytes(path + ".undo"))
    }
}
