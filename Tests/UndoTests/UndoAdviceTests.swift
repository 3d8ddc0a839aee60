import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// What is advised leads to no loss, and what is refused has written nothing.
@Suite(.enabled(if: HalfChanged.attributesAreKept, "a temporary folder without attributes or birth times"))
struct UndoAdviceTests {
    /// Two changes of one file each: the second cannot go back, so the first does not either.
    @Test func aRefusalForOneOfTwoChangesWritesNeither() throws {
        let one = try HalfChanged(seed: 1)
        let other = try HalfChanged(seed: 2)
        try FileManager.default.removeItem(atPath: other.paths[0] + ".undo")
        let error = #expect(throws: StorageError.self) {
            try UndoRecord.undo([one.paths[0], other.paths[0]].map { try RecordedFile.open($0) })
        }
        #expect(error?.code == "record-missing")
        #expect(try fileBytes(one.paths[0]) == one.half[0])
        #expect(try fileBytes(other.paths[0]) == other.half[0])
        #expect(try UndoRecord.undo([try RecordedFile.open(one.paths[0])]).count == 1)
        #expect(try fileBytes(one.paths[0]) == one.before[0])
    }

    /// An image that has the name of one that was moved to another folder is not that one: its bytes are never advised away.
    @Test(arguments: [false, true]) func anotherImageIsNotAdvisedAway(_ isHot: Bool) throws {
        let half = try HalfChanged()
        if !isHot {
            let file = try RecordedFile.open(half.paths[0])
            _ = try UndoRecord.undo([file])
            let transaction = try HostTransaction([file])
            try file.write([1, 2], at: 600)
            try transaction.commit()
        }
        let moved = try half.moveAway()
        let was = try fileBytes(moved)
        let other = [UInt8](repeating: 9, count: 20_000)
        try Data(other).write(to: URL(fileURLWithPath: half.paths[0]))
        let file = try RecordedFile.open(half.paths[0])
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        #expect(error?.remedies == [.setUndoAside])
        let done = try UndoRecord.discard([file])
        #expect(done.kept.count == 1 && done.records.isEmpty)
        #expect(try fileBytes(half.paths[0]) == other && fileBytes(moved) == was)
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == half.before[0])
    }

    /// One of two files and its record are from a snapshot of another time than the other's: a mark vouches for no contents.
    @Test func filesOfDifferentTimesAreRefused() throws {
        let half = try HalfChanged(count: 2)
        try UndoRecord.setState(.done, ofRecord: half.paths[0] + ".undo")
        let file = try RecordedFile.open(half.paths[1])
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        #expect(error?.code == "other-time")
        #expect(try half.paths.map(fileBytes) == half.half)
        #expect(throws: StorageError.self) { try UndoRecord.requireSettled(half.paths[1]) }
    }

    /// A copy has the name of the image that was changed, and goes back by its record; the image still can.
    @Test func aCopyOfTheNameLeavesTheRecordOfAFinishedChange() throws {
        let half = try HalfChanged()
        do {
            let file = try RecordedFile.open(half.paths[0])
            _ = try UndoRecord.undo([file])
            let transaction = try HostTransaction([file])
            try file.write([1, 2], at: 600)
            try transaction.commit()
        }
        let moved = try half.moveAway()
        try Tool.run("cp", [moved, half.paths[0]])
        var kept: [String] = []
        #expect(try UndoRecord.undo([try RecordedFile.open(half.paths[0])]) { kept.append($0) }.count == 1)
        #expect(kept.count == 1)
        #expect(try fileBytes(half.paths[0]) == half.before[0])
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == half.before[0])
    }

    /// A copy of one file beside the originals has the other's record meanwhile, and does not take it away.
    @Test func anUnmovedOriginalGoesBackAfterACopy() throws {
        let half = try HalfChanged(count: 2)
        let copy = half.directory.path("images/copy.img")
        try Tool.run("cp", [half.paths[0], copy])
        try Tool.run("cp", [half.paths[0] + ".undo", copy + ".undo"])
        _ = try? UndoRecord.undo([try RecordedFile.open(copy)])
        _ = try UndoRecord.undo([try RecordedFile.open(half.paths[0])])
        #expect(try half.paths.map(fileBytes) == half.before)
        for path in half.paths { try UndoRecord.requireSettled(path) }
    }

    /// A card reader is called the same whatever card is in it.
    @Test func whatCanBeTakenOutHasNoLastingName() throws {
        let directory = try TemporaryDirectory()
        try directory.write("sda/wwid", "naa.1\n")
        try directory.write("sda/removable", "0\n")
        try directory.write("sdb/device/wwid", "t10.reader\n")
        try directory.write("sdb/removable", "1\n")
        #expect(HostFile.lastingName(ofDisk: directory.path("sda")) == "wwidnaa.1")
        #expect(HostFile.lastingName(ofDisk: directory.path("sdb")) == nil)
    }
}
