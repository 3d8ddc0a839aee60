import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// Throwing a record away, where it is of another file: an image was moved away half changed, and another got its name.
@Suite(.enabled(if: HalfChanged.attributesAreKept, "a temporary folder without attributes or birth times"))
struct UndoDiscardTests {
    /// How the image that was moved away, or the other one, is reached.
    enum Way: CaseIterable {
        case plain, link, hardLink
    }

    private static func reach(_ path: String, _ way: Way, in directory: TemporaryDirectory) throws -> String {
        let other = directory.path("elsewhere/reached")
        switch way {
        case .plain: return path
        case .link: try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: path)
        case .hardLink: try FileManager.default.linkItem(atPath: path, toPath: other)
        }
        return other
    }

    @Test(arguments: HalfChanged.Other.allCases, Way.allCases)
    func theRecordOfAnImageThatWasMovedIsKept(_ other: HalfChanged.Other, _ way: Way) throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let moved = try half.moveAway()
        try half.put(other, copyOf: moved)
        let bytes = try fileBytes(path)
        let file = try RecordedFile.open(try Self.reach(path, way, in: half.directory))
        if way != .hardLink || other == .markedCopy {
            let done = try UndoRecord.discard([file])
            #expect(done.kept.count == (way == .hardLink ? 0 : 1))
        }
        // By a further name in another directory there is no record to be thrown away, but by the first name.
        if way == .hardLink {
            #expect(try UndoRecord.discard([try RecordedFile.open(path, locking: .ignore)]).kept.count == 1)
        }
        // The image of that name is free of it, and as it was.
        #expect(try fileBytes(path) == bytes)
        #expect(try UndoRecord.read(for: path) == nil)
        #expect(!HostDirectory.exists(path + ".undo"))
        let transaction = try HostTransaction([file])
        try file.write([1, 2, 3], at: 5)
        try transaction.commit()
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(path) == bytes)
        // The one that was moved is half changed, known as that, and goes back.
        #expect(try UndoRecord.read(for: moved)?.isCutOff == true)
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == half.before[0])
        #expect(try half.records().isEmpty)
    }

    /// With a word for it, it goes; and so does that of the image itself, by any way.
    @Test(arguments: Way.allCases) func whatIsMeantIsThrownAway(_ way: Way) throws {
        let half = try HalfChanged()
        let moved = try half.moveAway()
        try half.put(.backup, copyOf: moved)
        let path = try Self.reach(half.paths[0], way == .hardLink ? .plain : way, in: half.directory)
        let done = try UndoRecord.discard([try RecordedFile.open(path)], otherFile: true)
        #expect(done.records == [half.paths[0] + ".undo"] && done.kept.isEmpty)
        #expect(try half.records().isEmpty)
        let error = #expect(throws: StorageError.self) { try UndoRecord.read(for: moved) }
        #expect(error?.code == "record-missing")

        let own = try HalfChanged()
        let reached = try Self.reach(own.paths[0], way, in: own.directory)
        let thrown = try UndoRecord.discard([try RecordedFile.open(reached)])
        #expect(thrown.records == [own.paths[0] + ".undo"] && thrown.cutOff == thrown.records)
        #expect(thrown.kept.isEmpty)
        #expect(try own.records().isEmpty)
        #expect(try UndoRecord.read(for: own.paths[0]) == nil)
        #expect(try fileBytes(own.paths[0]) == own.half[0])
    }

    /// After the other image had its record set aside, the moved one throws its own away, and no other's.
    @Test func theMovedImageThrowsItsOwnAway() throws {
        let half = try HalfChanged()
        let moved = try half.moveAway()
        try half.put(.backup, copyOf: moved)
        let file = try RecordedFile.open(half.paths[0])
        #expect(try UndoRecord.discard([file]).kept.count == 1)
        let transaction = try HostTransaction([file])
        try file.write([1, 2, 3], at: 5)
        try transaction.commit()
        #expect(try UndoRecord.discard([try RecordedFile.open(moved)]).records.count == 1)
        #expect(try half.records() == ["0.img.undo"])
        #expect(try UndoRecord.read(for: moved) == nil)
        #expect(try UndoRecord.undo([file]).count == 1)
    }

    /// Of several files one was moved and its record set aside: the others go back, and so does that one.
    @Test(arguments: [0, 1], HalfChanged.Other.allCases)
    func ofSeveralFilesEachGoesBack(_ index: Int, _ other: HalfChanged.Other) throws {
        for movedFirst in [false, true] {
            let half = try HalfChanged(count: 2)
            let moved = try half.moveAway(index)
            try half.put(other, at: index, copyOf: moved)
            let bytes = try fileBytes(half.paths[index])
            #expect(try UndoRecord.discard([try RecordedFile.open(half.paths[index])]).kept.count == 1)
            let order = [half.paths[1 - index], moved]
            for path in movedFirst ? order.reversed() : order {
                while try !UndoRecord.undo([try RecordedFile.open(path)]).isEmpty {}
            }
            #expect(try fileBytes(half.paths[1 - index]) == half.before[1 - index])
            #expect(try fileBytes(moved) == half.before[index])
            #expect(try fileBytes(half.paths[index]) == bytes)
        }
    }

    /// What stays half changed is named: the image, and another file of the change that has no record, marked or not.
    @Test(arguments: [[], ["-a"]], [0, 1]) func whatStaysHalfChangedIsNamed(_ options: [String], _ kept: Int)
        throws
    {
        let half = try HalfChanged(count: 2)
        let folder = half.directory.path("copied")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try Tool.run("cp", options + half.paths + [half.paths[kept] + ".undo", folder])
        let copies = half.paths.map { folder + "/" + HostPath.name(of: $0) }
        let done = try UndoRecord.discard(try copies.map { try RecordedFile.open($0) })
        let named = done.halfChanged.map(\.path)
        #expect(named.count == 2)
        for copy in copies { #expect(named.contains { HostDirectory.isSame($0, copy) }) }
        #expect(done.unmarked == (options.isEmpty ? [] : [copies[1 - kept]]))
        #expect(try copies.map(fileBytes) == half.half)
        #expect(try half.paths.map(fileBytes) == half.half)

        // The image itself; and a backup is not half changed.
        let own = try HalfChanged()
        let thrown = try UndoRecord.discard([try RecordedFile.open(own.paths[0])])
        #expect(thrown.halfChanged.map(\.path) == own.paths)
        let moved = try HalfChanged()
        try moved.put(.backup, copyOf: try moved.moveAway())
        let backup = try UndoRecord.discard([try RecordedFile.open(moved.paths[0])])
        #expect(backup.halfChanged.isEmpty && backup.kept.count == 1)
    }

    /// A record that is set aside does not go over one of the same change that is of another file.
    @Test func whatIsSetAsideGoesOverNoOther() throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let tag = try fileBytes(path + ".undo")[16..<20].hexString
        let aside = "\(path).\(tag).undo"
        // One of another file lies there: the same but for the inode.
        var header = try fileBytes(path + ".undo")
        for start in [0, 512] {
            header[start + 88] ^= 1
            header.storeLittle(
                CRC32C.checksum(header.span8.extracting(start + 12..<start + 512)), at: start + 8)
        }
        try Data(header).write(to: URL(fileURLWithPath: aside))
        let moved = try half.moveAway()
        try half.put(.backup, copyOf: moved)
        let done = try UndoRecord.discard([try RecordedFile.open(path)])
        #expect(done.kept.count == 1 && done.kept != [aside])
        #expect(try fileBytes(aside) == header)
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == half.before[0])
    }

    /// A finished change of an image that was moved away, below the changes of the one that got its name: those alone go.
    @Test func finishedChangesOfAnotherFileStay() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("images/a.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("elsewhere/x", [])
        let moved = directory.path("elsewhere/a.img")
        try Self.change(path, to: 2)
        try FileManager.default.moveItem(atPath: path, toPath: moved)
        // A copy goes on with the record of what it was copied from.
        try Tool.run("cp", [moved, path])
        for value in [6, 7] as [UInt8] { try Self.change(path, to: value) }
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([try RecordedFile.open(moved)]) }
        #expect(error?.code == "below-another" && error?.message.contains("images/a.img.undo") == true)
        let done = try UndoRecord.discard([try RecordedFile.open(path)])
        #expect(done.kept.count == 1 && done.records.isEmpty)
        #expect(try fileBytes(path)[1000] == 7)
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).isEmpty)
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == [UInt8](repeating: 1, count: 9000))
        #expect(!HostDirectory.exists(done.kept[0]))
    }

    /// Another file gets the name and is changed: it has a record of its own then, and the one that was moved keeps its.
    @Test func anotherFileDoesNotGoOnWithARecord() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("images/a.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("elsewhere/x", [])
        let moved = directory.path("elsewhere/a.img")
        for value in [2, 3] as [UInt8] { try Self.change(path, to: value) }
        try FileManager.default.moveItem(atPath: path, toPath: moved)
        try directory.write("images/a.img", [UInt8](repeating: 5, count: 9000))
        for value in [6, 7] as [UInt8] { try Self.change(path, to: value) }
        for value in [2, 1] as [UInt8] {
            #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
            #expect(try fileBytes(moved)[1000] == value)
        }
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).isEmpty)
        for value in [6, 5] as [UInt8] {
            #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1)
            #expect(try fileBytes(path)[1000] == value)
        }
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).isEmpty)
        #expect(HostDirectory.names(in: directory.path("images")) == ["a.img"])
    }

    /// The newest change alone is thrown away, be it finished or cut off: those before it can still be taken back.
    @Test(arguments: [false, true]) func changesBeforeTheNewestStay(_ isHot: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        try Self.change(path, to: 2)
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([3], at: 5000)
            try transaction.commit()
        }
        if isHot { try UndoRecord.setState(.hot, ofRecord: path + ".undo") }
        let done = try UndoRecord.discard([try RecordedFile.open(path)])
        #expect(done.shortened.count == 1 && done.records.isEmpty && done.kept.isEmpty)
        #expect(try UndoRecord.read(for: path)?.state == .done)
        #expect(try fileBytes(path)[5000] == 3)
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1)
        #expect(try fileBytes(path)[1000] == 1 && fileBytes(path)[5000] == 3)
        #expect(!HostDirectory.exists(path + ".undo"))
    }

    /// A half changed image and one with a finished change get each other's names. Returns the half changed one's.
    private static func swapNames(of half: HalfChanged) throws -> String {
        let other = try half.directory.write("images/b.img", [UInt8](repeating: 1, count: 9000))
        try change(other, to: 2)
        let aside = try half.moveAway()
        try FileManager.default.moveItem(atPath: other, toPath: half.paths[0])
        try FileManager.default.moveItem(atPath: aside, toPath: other)
        return other
    }

    /// Only the images change names, not their records: what belongs into the one is not put into the other, nor is that advised.
    @Test func imagesThatChangeNamesWithoutTheirRecords() throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let other = try half.directory.write("images/b.img", [UInt8](repeating: 1, count: 9000))
        try Self.change(other, to: 2)
        let aside = half.directory.path("images/aside")
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        try FileManager.default.moveItem(atPath: other, toPath: path)
        try FileManager.default.moveItem(atPath: aside, toPath: other)
        let before = [try fileBytes(path), try fileBytes(other)]
        for force in [UndoForce.no, .sameFile] {
            do throws(StorageError) {
                _ = try UndoRecord.undo([try RecordedFile.open(path)], force: force)
                Issue.record("what was another file's was put back")
            } catch {
                #expect(error.code == "renamed-file", "\(error)")
                #expect(error.message.contains("images/b.img"))
                let place = try #require(HostDirectory.resolved(other))
                #expect(error.remedies == [.undoDisk(path: place)])
            }
            #expect([try fileBytes(path), try fileBytes(other)] == before)
        }
        #expect(try UndoRecord.undo([try RecordedFile.open(other)]).count == 1)
        #expect(try fileBytes(other) == half.before[0])
        #expect(try fileBytes(path) == before[0])
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        try FileManager.default.moveItem(atPath: other, toPath: path)
        try FileManager.default.moveItem(atPath: aside, toPath: other)
        #expect(try UndoRecord.undo([try RecordedFile.open(other)]).count == 1)
        #expect(try fileBytes(other) == [UInt8](repeating: 1, count: 9000))
    }

    /// Two images change names, one half changed, one with a finished change: each has its own record all the same.
    @Test func imagesThatChangeNames() throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let other = try Self.swapNames(of: half)
        #expect(try UndoRecord.undo([try RecordedFile.open(other)]).count == 1)
        #expect(try fileBytes(other) == half.before[0])
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1)
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 9000))
        for path in [path, other] { #expect(try UndoRecord.undo([try RecordedFile.open(path)]).isEmpty) }
    }

    /// What something else wrote into a file that nobody named is nobody's to write over.
    @Test func forceStaysWithTheFilesThatAreGiven() throws {
        let half = try HalfChanged(count: 2)
        let others = try FileHandle(forWritingTo: URL(fileURLWithPath: half.paths[1]))
        try others.write(contentsOf: Data([UInt8](repeating: 0xab, count: 20_000)))
        try others.close()
        let one = try RecordedFile.open(half.paths[0])
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([one], force: .anyFile) }
        #expect(error?.code == "unknown-contents")
        #expect(error?.remedies == [.giveDisk(path: half.paths[1])])
        #expect(try fileBytes(half.paths[1]) == [UInt8](repeating: 0xab, count: 20_000))
        #expect(try fileBytes(half.paths[0]) == half.half[0])
        let both = [one, try RecordedFile.open(half.paths[1])]
        #expect(try UndoRecord.undo(both, force: .sameFile).count == 2)
        #expect(try fileBytes(half.paths[0]) == half.before[0])
    }

    /// A copy of one image and the original of another: the original that nobody named would stay half changed.
    @Test func aCopyDoesNotStandForTheOriginal() throws {
        let half = try HalfChanged(count: 2)
        let copy = half.directory.path("elsewhere/0.img")
        for end in ["", ".undo"] {
            try FileManager.default.copyItem(atPath: half.paths[0] + end, toPath: copy + end)
        }
        let mixed = [try RecordedFile.open(copy), try RecordedFile.open(half.paths[1])]
        #expect(throws: StorageError.self) { try UndoRecord.undo(mixed) }
        #expect(try fileBytes(half.paths[1]) == half.half[1])
        #expect(try fileBytes(copy) == half.half[0])
        let both = [try RecordedFile.open(half.paths[0]), mixed[1]]
        #expect(try UndoRecord.undo(both).count == 2)
        #expect(try half.paths.map(fileBytes) == half.before)
    }

    /// A change that never began, in files that were moved since: what is left of it is no reason to refuse.
    @Test func aPreparedSetThatWasMoved() throws {
        let half = try HalfChanged(count: 2)
        for path in half.paths {
            try UndoRecord.setState(.prepared, ofRecord: path + ".undo")
            try HostFile.open(path, access: .write, locking: .ignore).setAttribute(
                "user.diskgraft.undo", to: nil)
        }
        let moved = half.directory.path("moved")
        try FileManager.default.moveItem(atPath: half.directory.path("images"), toPath: moved)
        let files = try (0..<2).map { try RecordedFile.open("\(moved)/\($0).img") }
        #expect(try UndoRecord.undo(files).isEmpty)
        #expect(HostDirectory.names(in: moved).sorted() == ["0.img", "1.img"])
    }

    /// Of two images that changed names each has the record of the other: all goes, and nothing stops half way.
    @Test func discardOfImagesThatChangedNames() throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        let other = try Self.swapNames(of: half)
        let files = [try RecordedFile.open(path), try RecordedFile.open(other)]
        _ = try UndoRecord.discard(files)
        for file in files { #expect(try UndoRecord.undo([file]).isEmpty) }
        #expect(try fileBytes(other) == half.half[0])
        #expect(HostDirectory.names(in: half.directory.path("images")).sorted() == ["0.img", "b.img"])
    }

    /// The name was given to a new file; the old one lives on under a further name in another directory.
    @Test func aReplacedFileFindsItsRecord() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("images/a.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("elsewhere/x", [])
        let other = directory.path("elsewhere/b.img")
        try Self.change(path, to: 2)
        try FileManager.default.linkItem(atPath: path, toPath: other)
        let replaced = try ReplacedRecord(ofFile: path)
        try FileManager.default.removeItem(atPath: path)
        try directory.write("images/a.img", [1])
        try replaced?.retire()
        #expect(try UndoRecord.undo([try RecordedFile.open(other)]).count == 1)
        #expect(try fileBytes(other) == [UInt8](repeating: 1, count: 9000))
        #expect(HostDirectory.names(in: directory.path("images")) == ["a.img"])
    }

    /// A new file gets the name of one that was moved away, changed or half changed.
    @Test(arguments: [false, true], [false, true])
    func aNewFileKeepsTheRecordOfAnother(_ isHot: Bool, _ isThere: Bool) throws {
        let half = try HalfChanged()
        let path = half.paths[0]
        if !isHot { try UndoRecord.setState(.done, ofRecord: path + ".undo") }
        let moved = try half.moveAway()
        if isThere {
            try half.put(.backup, copyOf: moved)
            if isHot {
                // Whoever has that file can settle it first.
                let error = #expect(throws: StorageError.self) { try ReplacedRecord(ofFile: path) }
                #expect(error?.code == "hot")
                #expect(try UndoRecord.discard([try RecordedFile.open(path)]).kept.count == 1)
            }
        }
        let replaced = try ReplacedRecord(ofFile: path)
        try half.directory.write("images/0.img", [1, 2, 3])
        try replaced?.retire()
        #expect(!HostDirectory.exists(path + ".undo"))
        #expect(try half.records().count == 1)
        #expect(try UndoRecord.read(for: path) == nil)
        guard isHot else { return }
        #expect(try UndoRecord.undo([try RecordedFile.open(moved)]).count == 1)
        #expect(try fileBytes(moved) == half.before[0])
    }

    private static func change(_ path: String, to value: UInt8) throws {
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([value], at: 1000)
        try transaction.commit()
    }
}

extension HalfChanged {
    /// The records beside the images.
    fileprivate func records() throws -> [String] {
        HostDirectory.names(in: HostPath.directory(of: paths[0])).filter { $0.hasSuffix(".undo") }
    }
}
