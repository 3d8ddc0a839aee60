import Foundation
import HostIO
import Storage
import TestSupport
import Testing
import Undo

/// A record names the other files of its change, which may be called anything.
struct UndoSiblingTests {
    /// Two files half-way in a change, as a killed process leaves them, and what they were.
    private static func hot(
        _ names: [[UInt8]], in directory: TemporaryDirectory
    ) throws -> (paths: [String], before: [[UInt8]], half: [[UInt8]]) {
        var random = SeededRandom(9)
        let root = try #require(HostDirectory.resolved(directory.root))
        let paths = names.map { "\(root)/" + String(hostBytes: $0) }
        let before = paths.map { _ in random.bytes(20_000) }
        for (path, bytes) in zip(paths, before) { try HostFile.create(path).write(bytes, at: 0) }
        let files = try paths.map { try RecordedFile.open($0) }
        let transaction = try HostTransaction(files, memoryLimit: 3000)
        for index in 0..<6 { try files[index % 2].write(random.bytes(1500), at: UInt64(index) * 3000) }
        for file in files { try file.flush() }
        let half = try paths.map { try contents($0) }
        let records = try paths.map { try contents($0 + ".undo") }
        transaction.rollBack()
        for (index, path) in paths.enumerated() {
            try write(path, half[index])
            try write(path + ".undo", records[index])
        }
        return (paths, before, half)
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        let file = try HostFile.open(path, locking: .ignore)
        return try file.bytes(at: 0, count: Int(file.byteCount))
    }

    private static func write(_ path: String, _ bytes: [UInt8]) throws {
        // The files of the change are still open, and hold their locks.
        let file =
            HostDirectory.exists(path)
            ? try HostFile.open(path, access: .write, locking: .ignore) : try HostFile.create(path)
        try file.truncate(to: 0)
        try file.write(bytes, at: 0)
    }

    @Test(arguments: [
        [Array("a".utf8), Array("b".utf8)], [[0xfa, 0xff], [0xfa, 10]],
        // To a string these two are one.
        [Array("\u{e9}".utf8), Array("e\u{301}".utf8)],
    ])
    func aCutChangeGoesBackInFilesOfAnyName(_ names: [[UInt8]]) throws {
        let directory = try TemporaryDirectory()
        let (paths, before, half) = try Self.hot(names, in: directory)
        #expect(half != before)
        _ = try UndoRecord.recover(try RecordedFile.open(paths[0]))
        for (path, bytes) in zip(paths, before) { #expect(try Self.contents(path) == bytes) }
    }

    /// A record alone gives no right over the files that it names.
    @Test func aFileWithoutARecordOfTheChangeIsNotWritten() throws {
        let directory = try TemporaryDirectory()
        let (paths, _, half) = try Self.hot([Array("a".utf8), Array("b".utf8)], in: directory)
        try HostDirectory.remove(paths[1] + ".undo")
        let error = #expect(throws: StorageError.self) {
            try UndoRecord.recover(try RecordedFile.open(paths[0]))
        }
        #expect(error?.code == "sibling-missing")
        for (path, bytes) in zip(paths, half) { #expect(try Self.contents(path) == bytes) }
    }
}
