import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// Taking back a change that made a file longer cuts it off: what lies there is the change's own, or zeros, or somebody else's.
struct UndoLengthTests {
    private static let before = [UInt8](repeating: 1, count: 10_100)
    private static let length: UInt64 = 30_000

    /// Changes `paths` together: the length, and a few bytes behind the old end.
    private static func change(_ paths: [String], to length: UInt64 = length) throws {
        let files = try paths.map { try RecordedFile.open($0) }
        let transaction = try HostTransaction(files)
        for file in files {
            try file.truncate(to: length)
            try file.write([9, 9, 9], at: length - 3)
        }
        try transaction.commit()
    }

    /// Writes with no regard for records.
    private static func write(_ bytes: [UInt8], at offset: UInt64, _ path: String) throws {
        try HostFile.open(path, access: .write, locking: .ignore).write(bytes, at: offset)
    }

    private static func undo(_ paths: [String], force: UndoForce = .no) throws -> Int {
        try UndoRecord.undo(try paths.map { try RecordedFile.open($0) }, force: force).count
    }

    /// In the sector that the file used to end in, right behind, in the middle, and beside what the change wrote.
    @Test(arguments: [10_100, 10_240, 20_000, 29_180] as [UInt64], [1, 2])
    func whatSomethingElseWroteBehindTheOldEndStays(_ offset: UInt64, _ count: Int) throws {
        let directory = try TemporaryDirectory()
        var paths: [String] = []
        for index in 0..<count { paths.append(try directory.write("\(index).img", Self.before)) }
        try Self.change(paths)
        try Self.write([5], at: offset, paths[count - 1])
        let now = try paths.map(fileBytes)
        let error = #expect(throws: StorageError.self) { try Self.undo(paths) }
        #expect(error?.code == "changed-since" && error?.path == paths[count - 1])
        #expect(error?.offset.map { $0 <= offset && offset - $0 < 512 } == true)
        #expect(try paths.map(fileBytes) == now)
        #expect(try UndoRecord.read(for: paths[0])?.state == .done)
        // Who wants that says so.
        #expect(try Self.undo(paths, force: .sameFile) == count)
        for path in paths { #expect(try fileBytes(path) == Self.before) }
    }

    /// Zeros are nobody's, and what the change wrote is its own.
    @Test func zerosGoWithTheLength() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", Self.before)
        try Self.change([path])
        try Self.write([0, 0, 0], at: 20_000, path)
        #expect(try Self.undo([path]) == 1)
        #expect(try fileBytes(path) == Self.before)
    }

    /// What a later change stored goes back with that one. Where that one's way back was thrown away, its bytes are anybody's.
    @Test(arguments: [false, true]) func aLaterChangeInTheNewSpace(_ discards: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", Self.before)
        try Self.change([path])
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([7, 7], at: 15_000)
            try transaction.commit()
        }
        if discards {
            #expect(try UndoRecord.discard([try RecordedFile.open(path)]).shortened.count == 1)
            let error = #expect(throws: StorageError.self) { try Self.undo([path]) }
            #expect(error?.code == "changed-since" && error?.offset == 14_848)
        } else {
            for _ in 0..<2 { #expect(try Self.undo([path]) == 1) }
            #expect(try fileBytes(path) == Self.before)
        }
    }

    /// Before a disk becomes shorter the caller is asked, and what it says is done.
    @Test(arguments: [false, true]) func theCallerIsAsked(_ isCutOff: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", Self.before)
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file], memoryLimit: 4000, diskLengthBefore: 10_100)
            try file.truncate(to: Self.length)
            try file.write([UInt8](repeating: 8, count: 8192), at: 0)
            try file.flush()
            if !isCutOff { try transaction.commit() }
        }
        let now = try fileBytes(path)
        var asked: [UInt64] = []
        let refusal = StorageError(.refused, UndoCode.usedSince, "no")
        let file = try RecordedFile.open(path, locking: .ignore)
        for _ in 0..<2 {
            #expect(throws: refusal) {
                try UndoRecord.undo(
                    [file],
                    shortening: { (paths, length, cut) throws(StorageError) in
                        #expect(paths == [path] && cut == isCutOff)
                        asked.append(length)
                        throw refusal
                    })
            }
        }
        if isCutOff {
            #expect(throws: refusal) {
                try UndoRecord.recover(
                    file, shortening: { (_, _, _) throws(StorageError) in throw refusal })
            }
        }
        #expect(asked == [10_100, 10_100])
        #expect(try fileBytes(path) == now)
        // Forced, nobody is asked.
        let done = try UndoRecord.undo(
            [file], force: .sameFile, shortening: { (_, _, _) throws(StorageError) in throw refusal })
        #expect(done.count == 1)
        #expect(try fileBytes(path) == Self.before)
    }
}
