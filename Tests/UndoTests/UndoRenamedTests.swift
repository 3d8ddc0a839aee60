import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// Changes over several files that were renamed, or moved, each by itself, since: they are known by their records.
@Suite(.enabled(if: HalfChanged.attributesAreKept, "a temporary folder without attributes or birth times"))
struct UndoRenamedTests {
    /// What happened to two files and their records; the commands say it, in the folder that holds both.
    enum Way: CaseIterable {
        case renamed, renamedWithRecord, bothRenamed, swapped, swappedWithRecords, spread,
            spreadWithoutRecord, backupHasName

        var commands: String {
            switch self {
            case .renamed: "mv 0.img 2.img"
            case .renamedWithRecord: "mv 0.img 2.img; mv 0.img.undo 2.img.undo"
            case .bothRenamed: "mv 0.img 2.img; mv 1.img 3.img"
            case .swapped: "mv 0.img 2.img; mv 1.img 0.img; mv 2.img 1.img"
            case .swappedWithRecords:
                Way.swapped.commands + "; mv 0.img.undo t; mv 1.img.undo 0.img.undo; mv t 1.img.undo"
            case .spread: "mkdir a b; mv 0.img* a; mv 1.img* b"
            case .spreadWithoutRecord: "mkdir a b; mv 0.img* a; mv 1.img b"
            case .backupHasName: "mv 0.img 2.img; cp backup 0.img"
            }
        }

        /// Where the two are then.
        var names: [String] {
            switch self {
            case .renamed, .renamedWithRecord, .backupHasName: ["2.img", "1.img"]
            case .bothRenamed: ["2.img", "3.img"]
            case .swapped, .swappedWithRecords: ["1.img", "0.img"]
            case .spread, .spreadWithoutRecord: ["a/0.img", "b/1.img"]
            }
        }

        /// Whether the one leads to the other without being told.
        var isBeside: Bool { self != .spread && self != .spreadWithoutRecord }
    }

    /// A finished change over two files, or one that was cut off, and what they were.
    private static func change(isHot: Bool) throws -> (TemporaryDirectory, folder: String, before: [[UInt8]])
    {
        let half = try HalfChanged(count: 2)
        let folder = HostPath.directory(of: half.paths[0])
        if !isHot {
            _ = try UndoRecord.undo(try half.paths.map { try RecordedFile.open($0) })
            let files = try half.paths.map { try RecordedFile.open($0) }
            let transaction = try HostTransaction(files)
            for file in files { try file.write([7, 7], at: 600) }
            try transaction.commit()
        }
        try Data(half.before[0]).write(to: URL(fileURLWithPath: folder + "/backup"))
        return (half.directory, folder, half.before)
    }

    @Test(arguments: Way.allCases, [false, true]) func theyGoBack(_ way: Way, _ isHot: Bool) throws {
        for order in [[0, 1], [1, 0]] {
            let (directory, folder, before) = try Self.change(isHot: isHot)
            defer { withExtendedLifetime(directory) {} }
            try Tool.run("sh", ["-ec", "cd \(folder.shellQuoted); " + way.commands])
            let paths = way.names.map { folder + "/" + $0 }
            let files = try order.map { try RecordedFile.open(paths[$0]) }
            #expect(try UndoRecord.undo(files).count == 2)
            #expect(try paths.map(fileBytes) == before)
            for path in paths { try UndoRecord.requireSettled(path) }
            #expect(try UndoRecord.undo(files).isEmpty)
            let left = try Tool.run("find", [folder, "-name", "*.undo"]).text
            #expect(left.isEmpty)
        }
    }

    /// One alone is given: a change that was cut off goes back in both where they lie together; else the sentence is true, and
    /// nothing is written.
    @Test(arguments: Way.allCases, [false, true]) func oneAloneIsGiven(_ way: Way, _ isHot: Bool) throws {
        for index in [0, 1] {
            let (directory, folder, before) = try Self.change(isHot: isHot)
            defer { withExtendedLifetime(directory) {} }
            try Tool.run("sh", ["-ec", "cd \(folder.shellQuoted); " + way.commands])
            let paths = way.names.map { folder + "/" + $0 }
            let now = try paths.map(fileBytes)
            let file = try RecordedFile.open(paths[index])
            if isHot, way.isBeside {
                #expect(try UndoRecord.undo([file]).count == 2)
                #expect(try paths.map(fileBytes) == before)
                continue
            }
            let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
            #expect(try paths.map(fileBytes) == now)
            guard case .giveDisk(let other)? = error?.remedies.first else {
                Issue.record("no way out: \(String(describing: error))")
                continue
            }
            if let other {
                #expect(HostDirectory.isSame(other, paths[1 - index]))
            } else {
                #expect(!way.isBeside)
            }
        }
    }

    /// Copies that were spread over folders of the same names of files take each other, and no original.
    @Test(arguments: [false, true]) func copiesThatAreGivenTakeEachOther(_ isHot: Bool) throws {
        let (directory, folder, before) = try Self.change(isHot: isHot)
        defer { withExtendedLifetime(directory) {} }
        try Tool.run("sh", ["-ec", "cd \(folder.shellQuoted); mkdir a b; cp 0.img* a; cp 1.img* b"])
        let originals = ["0.img", "1.img"].map { folder + "/" + $0 }
        let copies = ["a/0.img", "b/1.img"].map { folder + "/" + $0 }
        let now = try originals.map(fileBytes)
        let alone = #expect(throws: StorageError.self) {
            try UndoRecord.undo([try RecordedFile.open(copies[0])])
        }
        #expect(alone?.remedies.first == .giveDisk(path: nil))
        #expect(try UndoRecord.undo(try copies.map { try RecordedFile.open($0) }).count == 2)
        #expect(try copies.map(fileBytes) == before)
        #expect(try originals.map(fileBytes) == now)
        #expect(try UndoRecord.undo(try originals.map { try RecordedFile.open($0) }).count == 2)
        #expect(try originals.map(fileBytes) == before)
    }

    /// Files of one name in two folders, copied: one copy alone reaches neither original.
    @Test func copiesOfFilesOfOneName() throws {
        let directory = try TemporaryDirectory()
        let before = [[UInt8](repeating: 1, count: 20_000), [UInt8](repeating: 2, count: 20_000)]
        let paths = try before.enumerated().map { try directory.write("\($0)/disk", $1) }
        let files = try paths.map { try RecordedFile.open($0, locking: .ignore) }
        let transaction = try HostTransaction(files, memoryLimit: 3000)
        for index in 0..<4 as Range<UInt64> {
            for file in files {
                try file.write([UInt8](repeating: 9, count: 1500), at: index * 3000)
                try file.flush()
            }
        }
        try Tool.run("cp", ["-r", directory.path("0"), directory.path("1"), try directory.folder("copies")])
        let copies = ["0", "1"].map { directory.path("copies/\($0)/disk") }
        let half = try paths.map(fileBytes)
        for copy in copies {
            let error = #expect(throws: StorageError.self) {
                try UndoRecord.undo([try RecordedFile.open(copy)], force: .anyFile)
            }
            #expect(error?.code == "sibling-missing")
        }
        #expect(try paths.map(fileBytes) == half && copies.map(fileBytes) == half)
        #expect(try UndoRecord.undo(try copies.map { try RecordedFile.open($0) }).count == 2)
        #expect(try copies.map(fileBytes) == before)
        #expect(try paths.map(fileBytes) == half)
        withExtendedLifetime(transaction) {}
    }
}

extension String {
    fileprivate var shellQuoted: String { "'\(self)'" }
}

extension TemporaryDirectory {
    fileprivate func folder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        return path(name)
    }
}
