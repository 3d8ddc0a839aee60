import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// One image has one record, by whatever names it is changed.
@Suite(.enabled(if: HalfChanged.attributesAreKept, "a temporary folder without attributes or birth times"))
struct UndoOneRecordTests {
    /// How the image gets its other name.
    enum Way: CaseIterable {
        case hardLink, hardLinkElsewhere, link, renamed, moved
    }

    private static func change(_ path: String, to value: UInt8) throws {
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([value], at: 1000)
        try transaction.commit()
    }

    private static func records(in directory: TemporaryDirectory) -> [String] {
        ["a", "b"].flatMap { HostDirectory.names(in: directory.path($0)) }.filter { $0.hasSuffix(".undo") }
    }

    @Test(arguments: Way.allCases, [false, true])
    func changesByTwoNames(_ way: Way, _ isFirstNameLast: Bool) throws {
        let directory = try TemporaryDirectory()
        let first = try directory.write("a/disk.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("b/x", [])
        let second = directory.path(way == .hardLinkElsewhere || way == .moved ? "b/disk.img" : "a/other.img")
        try Self.change(first, to: 2)
        switch way {
        case .hardLink, .hardLinkElsewhere: try FileManager.default.linkItem(atPath: first, toPath: second)
        case .link: try FileManager.default.createSymbolicLink(atPath: second, withDestinationPath: first)
        case .renamed, .moved: try FileManager.default.moveItem(atPath: first, toPath: second)
        }
        try Self.change(second, to: 3)
        #expect(Self.records(in: directory) == ["disk.img.undo"])
        let isGone = way == .renamed || way == .moved
        let name = isFirstNameLast && !isGone ? first : second
        for value in [2, 1] as [UInt8] {
            #expect(try UndoRecord.undo([try RecordedFile.open(name)]).count == 1)
            #expect(try fileBytes(name)[1000] == value)
        }
        #expect(try UndoRecord.undo([try RecordedFile.open(name)]).isEmpty)
        #expect(Self.records(in: directory).isEmpty)
    }

    /// The name that the image had is another's now: each has its own.
    @Test func anotherImageGetsTheName() throws {
        let directory = try TemporaryDirectory()
        let first = try directory.write("a/disk.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("b/x", [])
        let second = directory.path("b/disk.img")
        try Self.change(first, to: 2)
        try FileManager.default.moveItem(atPath: first, toPath: second)
        try directory.write("a/disk.img", [UInt8](repeating: 5, count: 9000))
        for value in [6, 7] as [UInt8] { try Self.change(first, to: value) }
        for value in [3, 4] as [UInt8] { try Self.change(second, to: value) }
        for value in [6, 5] as [UInt8] {
            #expect(try UndoRecord.undo([try RecordedFile.open(first)]).count == 1)
            #expect(try fileBytes(first)[1000] == value)
        }
        for value in [3, 2, 1] as [UInt8] {
            #expect(try UndoRecord.undo([try RecordedFile.open(second)]).count == 1)
            #expect(try fileBytes(second)[1000] == value)
        }
        #expect(Self.records(in: directory).isEmpty)
    }

    /// A backup from before the change, put into the file or in its place: there is nothing left to be put back.
    @Test(arguments: [false, true]) func aBackupIsAsBefore(_ isMoved: Bool) throws {
        let directory = try TemporaryDirectory()
        let before = [UInt8](repeating: 1, count: 9000)
        let path = try directory.write("a/disk.img", before)
        try Self.change(path, to: 2)
        let backup = try directory.write("b/backup", before)
        try Tool.run(isMoved ? "mv" : "cp", isMoved ? ["-f", backup, path] : [backup, path])
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).count == 1)
        #expect(try fileBytes(path) == before)
        #expect(try UndoRecord.undo([try RecordedFile.open(path)]).isEmpty)
        #expect(!HostDirectory.exists(path + ".undo"))
    }
}
