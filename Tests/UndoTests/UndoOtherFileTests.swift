import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// An image was moved away from its record, and another file got its name: a backup, a copy, an image of something else.
/// The record serves the image that was changed, wherever it is.
@Suite(.enabled(if: HalfChanged.attributesAreKept, "a temporary folder without attributes or birth times"))
struct UndoOtherFileTests {
    @Test(arguments: HalfChanged.Other.allCases)
    func theRecordStaysForTheImageThatWasMoved(_ other: HalfChanged.Other) throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let moved = try half.moveAway()
        try half.put(other, copyOf: moved)
        var kept: [String] = []
        #expect(try UndoRecord.recover(try RecordedFile.open(path)) { kept.append($0) } == .rolledBack)
        #expect(kept.count == 1 && kept.allSatisfy(HostDirectory.exists))
        #expect(try fileBytes(path) == half.before[0])
        // The other file goes its own way, and takes its record with it.
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([1, 2, 3], at: 5)
        try transaction.commit()
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try UndoRecord.undo([file]).isEmpty)
        #expect(try fileBytes(path) == half.before[0])
        #expect(!HostDirectory.exists(path + ".undo"))
        // The image is known as half changed all the time, and goes back.
        #expect(try UndoRecord.read(for: moved)?.isCutOff == true)
        #expect(try fileBytes(moved) == half.half[0])
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == half.before[0])
        #expect(try UndoRecord.read(for: moved) == nil)
        // Nothing is left of it.
        #expect(kept.allSatisfy { !HostDirectory.exists($0) })
    }

    /// The image comes back to its name, over the other file, after that one has settled the record.
    @Test(arguments: HalfChanged.Other.allCases)
    func anImageThatComesBackIsStillHalfChanged(_ other: HalfChanged.Other) throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let moved = try half.moveAway()
        try half.put(other, copyOf: moved)
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: moved, toPath: path)
        #expect(try UndoRecord.read(for: path)?.isCutOff == true)
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1)
        #expect(try fileBytes(path) == half.before[0])
    }

    /// With what was set aside gone too nobody can tell, and that is said.
    @Test func withoutAnyRecordTheImageIsRefused() throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let moved = try half.moveAway()
        try half.put(.backup, copyOf: moved)
        var kept: [String] = []
        _ = try UndoRecord.recover(try RecordedFile.open(path)) { kept.append($0) }
        for record in kept { try FileManager.default.removeItem(atPath: record) }
        for _ in 0..<2 {
            let error = #expect(throws: StorageError.self) { try UndoRecord.read(for: moved) }
            #expect(error?.code == "record-missing" && error?.remedies == [.discardUndo])
            // Neither a later change of the other file nor its end makes the image whole.
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([1], at: 5)
            try transaction.commit()
        }
    }

    /// Of several files one was moved: what became of the copy of it decides nothing for the others.
    @Test(arguments: [0, 1], HalfChanged.Other.allCases)
    func ofSeveralFilesEachGoesBack(_ index: Int, _ other: HalfChanged.Other) throws {
        let half = try HalfChanged(count: 2)
        let moved = try half.moveAway(index)
        try half.put(other, at: index, copyOf: moved)
        #expect(try UndoRecord.undo([try RecordedFile.open(half.paths[1 - index])]).count == 2)
        #expect(try half.paths.map(fileBytes) == half.before)
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == half.before[index])
    }

    /// A copy that is complete does not make the half changed image complete.
    @Test func aCompleteCopyVouchesForNothing() throws {
        let directory = try TemporaryDirectory()
        let root = try #require(HostDirectory.resolved(directory.root))
        let paths = [root + "/a.img", root + "/b.img"]
        for path in paths {
            try directory.write(HostPath.name(of: path), [UInt8](repeating: 1, count: 9000))
        }
        do {
            let files = try paths.map { try RecordedFile.open($0) }
            let transaction = try HostTransaction(files)
            for file in files { try file.write([UInt8](repeating: 2, count: 2000), at: 1000) }
            try transaction.commit()
        }
        let after = try fileBytes(paths[0])
        // As a cut between the first write and the last leaves it.
        for path in paths { try UndoRecord.setState(.hot, ofRecord: path + ".undo") }
        for path in paths {
            let file = try HostFile.open(path, access: .write)
            try file.write([UInt8](repeating: 1, count: 512), at: 1024)
            let id = try fileBytes(path + ".undo")[16..<32].hexString
            try file.setAttribute("user.diskgraft.undo", to: Array("\(id) \(path).undo".utf8))
            try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
            try Data(after).write(to: URL(fileURLWithPath: path))
        }
        #expect(try UndoRecord.recover(try RecordedFile.open(paths[0])) == .completed)
        #expect(try paths.map(fileBytes) == [after, after])
        for path in paths {
            #expect(try UndoRecord.undo([try RecordedFile.open(path + ".moved")]).count == 1)
            #expect(try fileBytes(path + ".moved") == [UInt8](repeating: 1, count: 9000))
        }
    }

    // MARK: Force

    /// The old bytes of one image do not go into another by --force alone, be the change cut off or not. Where the one that was
    /// changed lies beside it, under another name, nothing of that kind is advised.
    @Test(arguments: [false, true], [false, true])
    func forceDoesNotReachAnotherImage(_ isCutOff: Bool, _ isBeside: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([UInt8](repeating: 2, count: 2000), at: 1000)
            try transaction.commit()
        }
        if isCutOff { try UndoRecord.setState(.hot, ofRecord: path + ".undo") }
        let record = try fileBytes(path + ".undo")
        try FileManager.default.createDirectory(
            atPath: directory.path("elsewhere"), withIntermediateDirectories: true)
        let moved = directory.path(isBeside ? "b.img" : "elsewhere/a.img")
        try FileManager.default.moveItem(atPath: path, toPath: moved)
        let other = [UInt8](repeating: 7, count: 9000)
        try directory.write("a.img", other)
        let file = try RecordedFile.open(path)
        for force in [UndoForce.no, .sameFile] {
            let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file], force: force) }
            #expect(
                error?.code == (isBeside ? "renamed-file" : isCutOff ? "unknown-contents" : "changed-since"))
            #expect(error?.remedies.contains(.setUndoAside) == !isBeside)
            #expect(error?.remedies.contains(.forceUndo) == false)
            #expect(
                error?.message.contains(isBeside ? "b.img now" : "not the file that was changed") == true)
        }
        #expect(try fileBytes(path) == other)
        #expect(try fileBytes(path + ".undo") == record)
        // Asked for by name it is done, and the record stays for the one that was changed.
        var kept: [String] = []
        #expect(try UndoRecord.undo([file], force: .anyFile) { kept.append($0) }.count == 1)
        #expect(try fileBytes(path)[1024..<2560].allSatisfy { $0 == 1 })
        #expect(kept.count == 1)
        for path in kept { #expect(try fileBytes(path) == record) }
    }

    @Test func forceReachesTheImageThatWasChanged() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([UInt8](repeating: 2, count: 2000), at: 1000)
        try transaction.commit()
        try file.write([3], at: 1100)
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        #expect(error?.remedies == [.discardUndo, .forceUndo])
        #expect(try UndoRecord.undo([file], force: .sameFile).count == 1)
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 9000))
    }

    // MARK: Finished changes

    /// By a further name, made before the change or after it, in another directory; and after a rename to one.
    @Test(arguments: 0..<3) func aFinishedChangeIsTakenBackByAnyName(_ kind: Int) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("images/a.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("other/x", [])
        let other = directory.path("other/b.img")
        if kind == 0 { try FileManager.default.linkItem(atPath: path, toPath: other) }
        for value in [2, 3] as [UInt8] {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([value], at: 1000)
            try transaction.commit()
        }
        if kind == 1 { try FileManager.default.linkItem(atPath: path, toPath: other) }
        if kind == 2 { try FileManager.default.moveItem(atPath: path, toPath: other) }
        let file = try RecordedFile.open(other)
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(other)[1000] == 2)
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(other)[1000] == 1)
        #expect(try UndoRecord.undo([file]).isEmpty)
        #expect(!HostDirectory.exists(path + ".undo"))
        // A copy of the file is another one.
        let copy = directory.path("other/c.img")
        let transaction = try HostTransaction([file])
        try file.write([5], at: 1000)
        try transaction.commit()
        try Tool.run("cp", ["-a", other, copy])
        #expect(try UndoRecord.undo([try RecordedFile.open(copy)]).isEmpty)
        #expect(try fileBytes(copy)[1000] == 5)
    }

    /// Killed after the change was complete and before the image said so, then moved.
    @Test func aCompleteChangeIsFoundByItsMark() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("images/a.img", [UInt8](repeating: 1, count: 9000))
        let other = try directory.write("other/b.img", [])
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([2], at: 1000)
        try transaction.commit()
        let id = try fileBytes(path + ".undo")[16..<32].hexString
        try file.setAttribute("user.diskgraft.undo", to: Array("\(id) \(path).undo".utf8))
        try file.setAttribute("user.diskgraft.record", to: nil)
        try FileManager.default.removeItem(atPath: other)
        try FileManager.default.moveItem(atPath: path, toPath: other)
        let moved = try RecordedFile.open(other, locking: .ignore)
        #expect(try UndoRecord.read(for: other)?.state == .done)
        #expect(try UndoRecord.undo([moved]).count == 1)
        #expect(try fileBytes(other)[1000] == 1)
        #expect(try UndoRecord.undo([moved]).isEmpty)
    }

    /// The half changed image of another change gets the name: its own record takes it back, and the other waits.
    @Test func anotherHalfChangedImageHasItsOwnRecord() throws {
        let one = try HalfChanged()
        let two = try HalfChanged(seed: 22)
        let moved = try one.moveAway()
        try FileManager.default.moveItem(atPath: two.paths[0], toPath: one.paths[0])
        #expect(try UndoRecord.undo([try RecordedFile.open(one.paths[0])]).count == 1)
        #expect(try fileBytes(one.paths[0]) == two.before[0])
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == one.before[0])
    }

    /// The mark of another change than the one that is settled stays.
    @Test func anotherChangesMarkStays() throws {
        let one = try HalfChanged()
        let two = try HalfChanged(seed: 22)
        _ = try one.moveAway()
        try FileManager.default.moveItem(atPath: two.paths[0], toPath: one.paths[0])
        let record = two.paths[0] + ".undo"
        let aside = two.directory.path("aside")
        try FileManager.default.moveItem(atPath: record, toPath: aside)
        let file = try RecordedFile.open(one.paths[0])
        #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        // It is settled by the wrong record, and still marked.
        let missing = #expect(throws: StorageError.self) { try UndoRecord.undo([file], force: .anyFile) }
        #expect(missing?.code == "record-missing")
        try FileManager.default.moveItem(atPath: aside, toPath: record)
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        // Its own record is where it was, and the contents are not what that knows.
        #expect(error?.code == "unknown-contents")
        #expect(try UndoRecord.read(for: one.paths[0])?.isCutOff == true)
    }
}
