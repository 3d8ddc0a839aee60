import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

private let canBeMarked: Bool = {
    guard Tool.has("getfattr", "setfattr"), let directory = try? TemporaryDirectory(),
        let path = try? directory.write("a", [1])
    else { return false }
    return (try? Tool.run("setfattr", ["-n", "user.test", "-v", "1", path])) != nil
}()

/// A change that was cut off is seen by every name of the image, in other directories too, and where the image was moved or
/// copied without its record.
@Suite(
    .enabled(
        if: canBeMarked, "no getfattr and setfattr, or a temporary folder without attributes"))
struct UndoMarkTests {
    /// An image that is half changed, as a killed process leaves it, with a second name in another directory.
    private struct Half {
        let directory: TemporaryDirectory
        let path: String
        let other: String
        let before: [UInt8]
        let half: [UInt8]

        init() throws {
            directory = try TemporaryDirectory()
            let root = try #require(HostDirectory.resolved(directory.root))
            var random = SeededRandom(8)
            before = random.bytes(20_000)
            try directory.write("images/a.img", before)
            path = root + "/images/a.img"
            other = root + "/links/b.img"
            try FileManager.default.createDirectory(
                atPath: root + "/links", withIntermediateDirectories: false)
            try FileManager.default.linkItem(atPath: path, toPath: other)
            // Without a lock: file and transaction hold each other until it ends, which it does not here.
            let file = try RecordedFile.open(path, locking: .ignore)
            _ = try HostTransaction([file], memoryLimit: 3000)
            for index in 0..<4 as Range<UInt64> {
                try file.write(random.bytes(1500), at: index * 3000)
                try file.flush()
            }
            half = try fileBytes(path)
        }

        func isMarked(_ path: String) throws -> Bool {
            try Tool.run("getfattr", ["-d", "--absolute-names", path]).text.contains("user.diskgraft.undo")
        }
    }

    @Test func aHardLinkInAnotherDirectoryShowsIt() throws {
        let half = try Half()
        #expect(try UndoRecord.read(for: half.other)?.isCutOff == true)
        let error = #expect(throws: StorageError.self) {
            let file = try RecordedFile.open(half.other)
            let transaction = try HostTransaction([file])
            try file.write([1], at: 5)
            try transaction.commit()
        }
        #expect(error?.code == "hot")
        #expect(try fileBytes(half.path) == half.half)
        // And takes it back.
        #expect(try UndoRecord.undo([try RecordedFile.open(half.other)]).count == 1)
        #expect(try fileBytes(half.path) == half.before)
        #expect(try UndoRecord.read(for: half.other)?.isCutOff != true)
        #expect(try UndoRecord.undo([try RecordedFile.open(half.path)]).isEmpty)
        #expect(!HostDirectory.exists(half.path + ".undo"))
    }

    /// Killed after its last write and before its record said so, then reached from another directory: the change is whole,
    /// and is taken back from there as it would be in its place, at once or later.
    @Test(arguments: [false, true], [false, true])
    func aWholeChangeIsTakenBackFromAnywhere(_ isMoved: Bool, _ isSettledFirst: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("images/a.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("other/x", [])
        let other = directory.path("other/b.img")
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([2], at: 1000)
            try transaction.commit()
            try UndoRecord.setState(.hot, ofRecord: path + ".undo")
            let id = try fileBytes(path + ".undo")[16..<32].hexString
            try file.setAttribute("user.diskgraft.undo", to: Array("\(id) \(path).undo".utf8))
            try file.setAttribute("user.diskgraft.record", to: nil)
        }
        if isMoved {
            try FileManager.default.moveItem(atPath: path, toPath: other)
        } else {
            try FileManager.default.linkItem(atPath: path, toPath: other)
        }
        #expect(try UndoRecord.read(for: other)?.isCutOff == true)
        let file = try RecordedFile.open(other)
        if isSettledFirst { #expect(try UndoRecord.recover(file) == .completed) }
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(other) == [UInt8](repeating: 1, count: 9000))
        #expect(try UndoRecord.undo([file]).isEmpty)
        #expect(!HostDirectory.exists(path + ".undo"))
    }

    @Test func anImageThatWasMovedWithoutItsRecordShowsIt() throws {
        let half = try Half()
        let moved = half.directory.path("moved.img")
        try FileManager.default.moveItem(atPath: half.path, toPath: moved)
        #expect(try UndoRecord.read(for: moved)?.isCutOff == true)
        // With the record gone nobody can tell; the file as it is has to be asked for.
        try FileManager.default.removeItem(atPath: half.path + ".undo")
        let file = try RecordedFile.open(moved)
        for body in [
            { _ = try UndoRecord.read(for: moved) }, { _ = try UndoRecord.recover(file) },
            { _ = try UndoRecord.undo([file]) },
        ] as [() throws -> Void] {
            let error = #expect(throws: StorageError.self) { try body() }
            #expect(error?.code == "record-missing" && error?.remedies == [.discardUndo])
        }
        let discarded = try UndoRecord.discard([file])
        #expect(discarded.unmarked == [moved] && discarded.records.isEmpty)
        #expect(try UndoRecord.read(for: moved) == nil)
        #expect(try fileBytes(moved) == half.half)
    }

    @Test func aCopyWithAttributesShowsIt() throws {
        let half = try Half()
        let copy = half.directory.path("copy.img")
        try Tool.run("cp", ["-a", half.path, copy])
        let error = #expect(throws: StorageError.self) { try UndoRecord.read(for: copy) }
        #expect(error?.code == "record-missing")
        // The record came along: the copy goes back by it, and the image by its own.
        try Tool.run("cp", ["-a", half.path + ".undo", copy + ".undo"])
        for path in [copy, half.path] {
            #expect(try UndoRecord.recover(try RecordedFile.open(path)) == .rolledBack)
            #expect(try fileBytes(path) == half.before)
            #expect(try !half.isMarked(path))
        }
    }

    /// That the image went back, and was changed since, makes no half changed copy of it whole.
    @Test func aRecordThatWasTakenBackVouchesForNoCopy() throws {
        let half = try Half()
        let copy = half.directory.path("copy.img")
        try Tool.run("cp", ["-a", half.path, copy])
        let file = try RecordedFile.open(half.path)
        #expect(try UndoRecord.recover(file) == .rolledBack)
        for _ in 0..<2 {
            let error = #expect(throws: StorageError.self) { try UndoRecord.read(for: copy) }
            #expect(error?.code == "record-missing")
            let transaction = try HostTransaction([file])
            try file.write([9], at: 5)
            try transaction.commit()
        }
        #expect(try fileBytes(copy) == half.half)
    }

    /// A mark that outlived its change says nothing: the record says that it is complete.
    @Test func aMarkOfACompleteChangeSaysNothing() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        func change(_ value: UInt8) throws {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([value], at: 5)
            try transaction.commit()
        }
        func isMarked() throws -> Bool {
            try Tool.run("getfattr", ["-d", "--absolute-names", path]).text.contains("user.diskgraft.undo")
        }
        try change(2)
        #expect(try !isMarked())
        let record = try fileBytes(path + ".undo")
        let mark = record[16..<32].hexString + " /nowhere/a.img.undo"
        try Tool.run("setfattr", ["-n", "user.diskgraft.undo", "-v", mark, path])
        #expect(try UndoRecord.read(for: path)?.state == .done)
        try change(3)
        try Tool.run("setfattr", ["-n", "user.diskgraft.undo", "-v", mark, path])
        for _ in 0..<2 { #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1) }
        #expect(try Tool.run("getfattr", ["-d", "--absolute-names", path]).text.isEmpty)
        #expect(try UndoRecord.read(for: path) == nil)
        // What is none is none.
        for text in ["", "x", String(repeating: "g", count: 32) + " /x", String(repeating: "0", count: 32)] {
            try Tool.run("setfattr", ["-n", "user.diskgraft.undo", "-v", text, path])
            #expect(try UndoRecord.read(for: path) == nil)
        }
    }

    /// The mark is there before the first byte of the image changes, while `undo` writes, and no longer.
    @Test func itStandsWhileTheChangeIsHot() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 90_000))
        let file = try RecordedFile.open(path)
        func isMarked() throws -> Bool {
            try Tool.run("getfattr", ["-d", "--absolute-names", path]).text.contains("user.diskgraft.undo")
        }
        for isTakenBack in [true, false] {
            let transaction = try HostTransaction([file], memoryLimit: 20_000)
            try file.write([2], at: 5)
            try file.flush()
            #expect(try !isMarked())
            try file.write([UInt8](repeating: 2, count: 30_000), at: 0)
            try file.flush()
            #expect(try isMarked())
            if isTakenBack { transaction.rollBack() } else { try transaction.commit() }
            #expect(try !isMarked())
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root"))
    func withoutAttributesFurtherNamesAreTold() throws {
        let directory = try TemporaryDirectory()
        let folder = directory.path("ram")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        // ramfs has hard links and no attributes of users.
        guard (try? Tool.run("mount", ["-t", "ramfs", "none", folder])) != nil else { return }
        defer { _ = try? Tool.run("umount", [folder]) }
        let path = try directory.write("ram/a.img", [UInt8](repeating: 1, count: 9000))
        let file = try RecordedFile.open(path)
        #expect(file.namesWithoutMark == nil)
        try FileManager.default.linkItem(atPath: path, toPath: folder + "/b.img")
        #expect(file.namesWithoutMark == 2)
        let transaction = try HostTransaction([file])
        try file.write([2], at: 5)
        try transaction.commit()
        #expect(try UndoRecord.undo([file]).count == 1)
    }
}
