import Foundation
import Glibc
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// Half changed images that were copied, or moved, together with their records: each goes back by its own, in any order, and
/// none is left stuck or taken for whole before.
@Suite(.enabled(if: HalfChanged.attributesAreKept, "a temporary folder without attributes or birth times"))
struct UndoCopyTests {
    /// Takes an image back, and sees that it is free for the next change, and for taking that back.
    private func settle(_ paths: [String], _ before: [[UInt8]]) throws {
        let files = try paths.map { try RecordedFile.open($0) }
        #expect(try UndoRecord.undo(files).map(\.path) == paths)
        #expect(try paths.map(fileBytes) == before)
        for (file, bytes) in zip(files, before) {
            #expect(try UndoRecord.read(for: file.path)?.isCutOff != true)
            #expect(try UndoRecord.undo([file]).isEmpty)
            let transaction = try HostTransaction([file])
            try file.write([1, 2, 3], at: 7000)
            try transaction.commit()
            try UndoRecord.requireSettled(file.path)
            #expect(try UndoRecord.undo([file]).count == 1)
            #expect(try fileBytes(file.path) == bytes)
        }
    }

    private func copy(_ options: [String], _ from: String, _ to: String) throws {
        try Tool.run("cp", options + [from, to])
        try Tool.run("cp", options + [from + ".undo", to + ".undo"])
    }

    /// The copy lies in the same directory, where it is settled first or last.
    @Test(arguments: [[], ["-a"]], [false, true])
    func aCopyAndItsOriginalEndEach(_ options: [String], _ isCopyFirst: Bool) throws {
        let half = try HalfChanged()
        let copied = half.paths[0] + ".copy"
        try copy(options, half.paths[0], copied)
        for path in isCopyFirst ? [copied, half.paths[0]] : [half.paths[0], copied] {
            #expect(try UndoRecord.read(for: path)?.isCutOff == true)
            try settle([path], half.before)
        }
        for path in [copied, half.paths[0]] { try UndoRecord.requireSettled(path) }
    }

    /// The same of a change over two files, whose copies have other names.
    @Test(arguments: [false, true]) func copiesOfTwoFilesEndToo(_ areCopiesFirst: Bool) throws {
        let half = try HalfChanged(count: 2)
        let copies = half.paths.map { $0 + ".copy" }
        for (path, copied) in zip(half.paths, copies) { try copy([], path, copied) }
        if !areCopiesFirst { try settle(half.paths, half.before) }
        for (index, copied) in copies.enumerated() {
            // What the record leads to beside it is the original of the other.
            _ = try UndoRecord.undo([try RecordedFile.open(copied)])
            #expect(try fileBytes(copied) == half.before[index])
            try UndoRecord.requireSettled(copied)
        }
        for (index, path) in half.paths.enumerated() {
            _ = try UndoRecord.undo([try RecordedFile.open(path)])
            #expect(try fileBytes(path) == half.before[index])
            try UndoRecord.requireSettled(path)
        }
    }

    /// The record went with the copy, and nothing was left for the original.
    @Test func aRecordThatWasMovedToTheCopyMendsBoth() throws {
        let half = try HalfChanged()
        let copied = half.paths[0] + ".copy"
        try Tool.run("cp", [half.paths[0], copied])
        try Tool.run("mv", [half.paths[0] + ".undo", copied + ".undo"])
        #expect(throws: StorageError.self) { try UndoRecord.requireSettled(half.paths[0]) }
        try settle([copied], half.before)
        #expect(throws: StorageError.self) { try UndoRecord.requireSettled(half.paths[0]) }
        try settle([half.paths[0]], half.before)
        try UndoRecord.requireSettled(copied)
    }

    /// A folder that was copied with all its files is taken back by itself: nothing is written outside of it.
    @Test(arguments: [[], ["-a"]], [false, true])
    func aCopiedFolderGoesBackByItself(_ options: [String], _ isOriginalFirst: Bool) throws {
        let half = try HalfChanged(count: 2)
        let folder = half.directory.path("copied")
        try Tool.run("cp", options + ["-r", HostPath.directory(of: half.paths[0]), folder])
        let copies = half.paths.map { folder + "/" + HostPath.name(of: $0) }
        if isOriginalFirst { try settle(half.paths, half.before) }
        let outside = try half.paths.map(fileBytes)
        try settle(copies, half.before)
        #expect(try half.paths.map(fileBytes) == outside)
        if !isOriginalFirst {
            #expect(outside == half.half)
            try settle(half.paths, half.before)
        }
    }

    /// A copy that lacks one record: nothing of it is written, and nothing of what it is a copy of.
    @Test(arguments: [false, true]) func aCopyWithoutOneRecordIsRefused(_ isForced: Bool) throws {
        let half = try HalfChanged(count: 2)
        let folder = half.directory.path("copied")
        try Tool.run("cp", ["-r", HostPath.directory(of: half.paths[0]), folder])
        let copies = half.paths.map { folder + "/" + HostPath.name(of: $0) }
        try FileManager.default.removeItem(atPath: copies[1] + ".undo")
        let before = try (half.paths + copies).map(fileBytes)
        for given in [[copies[0]], copies] {
            let error = #expect(throws: StorageError.self) {
                try UndoRecord.undo(
                    try given.map { try RecordedFile.open($0) }, force: isForced ? .anyFile : .no)
            }
            #expect(error?.code == "sibling-missing")
            #expect(try (half.paths + copies).map(fileBytes) == before)
        }
        #expect(try UndoRecord.read(for: copies[0])?.isCutOff == true)
        // The other file is not there at all.
        try FileManager.default.removeItem(atPath: copies[1])
        let alone = #expect(throws: StorageError.self) {
            try UndoRecord.undo([try RecordedFile.open(copies[0])])
        }
        #expect(alone?.code == "sibling-missing")
        #expect(try half.paths.map(fileBytes) == half.half)
        try settle(half.paths, half.before)
    }

    /// One file of the copy was worked on: nothing of either is written.
    @Test func aCopyThatWasWorkedOnIsRefusedAsAWhole() throws {
        let half = try HalfChanged(count: 2)
        let folder = half.directory.path("copied")
        try Tool.run("cp", ["-r", HostPath.directory(of: half.paths[0]), folder])
        let copies = half.paths.map { folder + "/" + HostPath.name(of: $0) }
        try HostFile.open(copies[1], access: .write).write([9, 9, 9], at: 100)
        let before = try (half.paths + copies).map(fileBytes)
        let error = #expect(throws: StorageError.self) {
            try UndoRecord.undo(try copies.map { try RecordedFile.open($0) })
        }
        #expect(error?.code == "unknown-contents" && error?.path == copies[1])
        #expect(try (half.paths + copies).map(fileBytes) == before)
        try settle(half.paths, half.before)
    }

    /// A folder that was moved: what the records say of each other is not there any more.
    @Test(arguments: [0, 1]) func aMovedFolderGoesBack(_ first: Int) throws {
        let half = try HalfChanged(count: 2)
        let folder = half.directory.path("moved")
        try FileManager.default.moveItem(atPath: HostPath.directory(of: half.paths[0]), toPath: folder)
        let moved = half.paths.map { folder + "/" + HostPath.name(of: $0) }
        _ = try UndoRecord.undo([try RecordedFile.open(moved[first])])
        #expect(try moved.map(fileBytes) == half.before)
        for path in moved {
            try UndoRecord.requireSettled(path)
            #expect(try UndoRecord.undo([try RecordedFile.open(path)]).isEmpty)
        }
    }

    /// A finished change over two files, in a folder that was moved or copied.
    @Test(arguments: [false, true]) func aFinishedChangeGoesBackInAnotherFolder(_ isMoved: Bool) throws {
        let directory = try TemporaryDirectory()
        let before = [[UInt8](repeating: 1, count: 9000), [UInt8](repeating: 2, count: 9000)]
        var paths: [String] = []
        for (index, bytes) in before.enumerated() {
            paths.append(try directory.write("images/\(index).img", bytes))
        }
        do {
            let files = try paths.map { try RecordedFile.open($0) }
            let transaction = try HostTransaction(files)
            for file in files { try file.write([7, 7], at: 600) }
            try transaction.commit()
        }
        let after = try paths.map(fileBytes)
        let folder = directory.path("other")
        try Tool.run(isMoved ? "mv" : "cp", (isMoved ? [] : ["-r"]) + [directory.path("images"), folder])
        let others = paths.map { folder + "/" + HostPath.name(of: $0) }
        let error = #expect(throws: StorageError.self) {
            try UndoRecord.undo([try RecordedFile.open(others[0])])
        }
        #expect(error?.code == "sibling-not-given")
        #expect(try UndoRecord.undo(try others.map { try RecordedFile.open($0) }).count == 2)
        #expect(try others.map(fileBytes) == before)
        if !isMoved { #expect(try paths.map(fileBytes) == after) }
    }

    /// Copied with attributes after the record was settled and before the mark went, or after the mark and before the record
    /// was hot: the copy's own record says so, and its contents bear it out.
    @Test(arguments: [UndoRecord.State.done, .prepared, .rolledBack])
    func aCopyOfASettledPairIsSettled(_ state: UndoRecord.State) throws {
        let directory = try TemporaryDirectory()
        let before = [UInt8](repeating: 1, count: 9000)
        let path = try directory.write("images/a.img", before)
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([2], at: 1000)
            try transaction.commit()
        }
        let after = try fileBytes(path)
        let id = try fileBytes(path + ".undo")[16..<32].hexString
        try UndoRecord.setState(state, ofRecord: path + ".undo")
        do {
            let file = try HostFile.open(path, access: .write)
            if state != .done { try file.write(before, at: 0) }
            try file.setAttribute("user.diskgraft.undo", to: Array("\(id) \(path).undo".utf8))
        }
        let folder = directory.path("copied")
        try Tool.run("cp", ["-a", directory.path("images"), folder])
        try FileManager.default.removeItem(atPath: directory.path("images"))
        let copied = folder + "/a.img"
        try UndoRecord.requireSettled(copied)
        let file = try RecordedFile.open(copied)
        #expect(try UndoRecord.undo([file]).count == (state == .done ? 1 : 0))
        #expect(try fileBytes(copied) == before)
        #expect(try UndoRecord.undo([file]).isEmpty)
        // One that holds neither is not settled by that.
        if state == .done {
            try Tool.run("cp", ["-a", copied, copied + "2"])
            #expect(after != before)
        }
    }

    /// The copy is half changed, and its record is the original's after that was settled: contents decide.
    @Test func aSettledRecordVouchesForNoHalfChangedCopy() throws {
        let half = try HalfChanged()
        let copied = half.paths[0] + ".copy"
        try Tool.run("cp", ["-a", half.paths[0], copied])
        #expect(try UndoRecord.recover(try RecordedFile.open(half.paths[0])) == .rolledBack)
        try Tool.run("cp", ["-a", half.paths[0] + ".undo", copied + ".undo"])
        let error = #expect(throws: StorageError.self) { try UndoRecord.read(for: copied) }
        #expect(error?.code == "record-missing")
    }

    // MARK: Marks that fail

    /// What is not marked is taken for settled, so that an image that cannot be marked is not changed, unless its file system
    /// keeps no marks at all.
    @Test(arguments: [EIO, ENOSPC, EDQUOT, EROFS, EPERM, EOPNOTSUPP, ENOSYS])
    func aMarkThatFailsIsAnErrorBeforeTheFirstByte(_ number: Int32) throws {
        let directory = try TemporaryDirectory()
        let before = [UInt8](repeating: 1, count: 90_000)
        let path = try directory.write("a.img", before)
        let isKept = [EIO, ENOSPC, EDQUOT, EROFS, EPERM].contains(number)
        for isLarge in [false, true] {
            let file = RecordedFile(
                FaultyFile(try HostFile.open(path, access: .write), attributeError: number))
            let transaction = try HostTransaction([file], memoryLimit: isLarge ? 1000 : 1 << 20)
            func change() throws {
                for index in 0..<4 as Range<UInt64> {
                    try file.write([UInt8](repeating: 2, count: 1500), at: index * 3000)
                    try file.flush()
                }
                try transaction.commit()
            }
            guard isKept else {
                try change()
                continue
            }
            let error = #expect(throws: StorageError.self) { try change() }
            #expect(error?.errno == number)
            transaction.rollBack()
            #expect(try fileBytes(path) == before)
            #expect(HostDirectory.names(in: directory.root) == ["a.img"])
        }
    }
}
