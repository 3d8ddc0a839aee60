import Foundation
import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

/// A damaged record is refused and kept, and so is a file that only has a record's name.
struct UndoDamageTests {
    private struct Hot {
        let directory: TemporaryDirectory
        let path: String
        let before: [UInt8]
        /// The image half-way, and its record.
        let half: [UInt8]
        let record: [UInt8]

        init() throws {
            directory = try TemporaryDirectory()
            var random = SeededRandom(3)
            before = random.bytes(30_100)
            path = try directory.write("a.img", before)
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file], memoryLimit: 3000)
            for index in 0..<3 {
                try file.write(random.bytes(1500), at: UInt64(index) * 13_000 + 100)
                try file.write([UInt8](repeating: 0, count: 700), at: UInt64(index) * 13_000 + 4096)
                try file.flush()
            }
            half = try fileBytes(path)
            record = try fileBytes(path + ".undo")
            transaction.rollBack()
        }

        /// What comes of the half-changed image with this record: true when it is as before, false when nothing was
        /// touched.
        func isRestored(_ bad: [UInt8], _ what: String) throws -> Bool {
            try directory.write("a.img", half)
            try directory.write("a.img.undo", bad)
            let undo: [any ByteFile]
            do {
                undo = try UndoRecord.undo([try RecordedFile.open(path)])
            } catch {
                #expect(try fileBytes(path) == half, "\(what)")
                #expect(try fileBytes(path + ".undo") == bad, "\(what)")
                #expect(throws: StorageError.self) {
                    let file = try RecordedFile.open(path)
                    _ = try UndoRecord.recover(file)
                    let transaction = try HostTransaction([file])
                    try file.write([1], at: 1)
                    try transaction.commit()
                }
                #expect(try fileBytes(path) == half, "\(what)")
                return false
            }
            #expect(undo.count == 1, "\(what)")
            #expect(try fileBytes(path) == before, "\(what)")
            return true
        }
    }

    /// One bit of a hot record is flipped: refused and kept, or restored exactly. Those of the heads and a sample, on files;
    /// `UndoBitTests` flips all, in memory.
    @Test func aFlippedBitIsRefusedOrDoesNotMatter() throws {
        let hot = try Hot()
        #expect(hot.record.count > 8000 && hot.half != hot.before)
        #expect(try hot.isRestored(hot.record, "sound"))
        var random = SeededRandom(1)
        var refused = 0
        for bit in 0..<hot.record.count * 8 {
            let isHead = bit < 120 * 8 || bit / 8 / 64 == 1024 / 64 && bit % 3 == 0
            guard isHead || Int.random(in: 0..<300, using: &random) == 0 else { continue }
            var bad = hot.record
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            let isRestored = try hot.isRestored(bad, "bit \(bit % 8) of byte \(bit / 8)")
            // The head is there twice; all else once.
            #expect(isRestored == (bit / 8 < 1024))
            refused += isRestored ? 0 : 1
        }
        #expect(refused > 50)
    }

    /// A sector that reads as zeros, or the end, is gone.
    @Test func aLostSectorIsRefusedOrDoesNotMatter() throws {
        let hot = try Hot()
        for start in stride(from: 0, to: hot.record.count, by: 512) {
            var bad = hot.record
            bad.replaceSubrange(start..<start + 512, with: [UInt8](repeating: 0, count: 512))
            _ = try hot.isRestored(bad, "sector at \(start)")
            if start > 512 {
                #expect(try !hot.isRestored(Array(hot.record.prefix(start)), "cut at \(start)"))
            }
        }
    }

    /// A batch that was cut off before it counted is none of the record's, whatever is there.
    @Test func whatDoesNotCountDoesNotMatter() throws {
        let hot = try Hot()
        var random = SeededRandom(2)
        #expect(try hot.isRestored(hot.record + random.bytes(3000), "random bytes behind"))
        #expect(try hot.isRestored(hot.record + Array(hot.record[1024...].prefix(2048)), "chunks behind"))
    }

    /// What has the name of a record and is none stays what it is.
    @Test func aForeignFileIsNotOverwritten() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        let name = path + ".undo"
        var random = SeededRandom(4)
        let zeros = [UInt8](repeating: 0, count: 1024)
        // The last are a file system's or disk's: its first two sectors are zeros.
        let files =
            [1, 20, 511, 512, 513, 1024, 2000].map { random.bytes($0) } + [
                zeros + random.bytes(3000), [UInt8](repeating: 0, count: 2048),
            ]
        for bytes in files {
            try directory.write("a.img.undo", bytes)
            let reading = #expect(throws: StorageError.self) { try UndoRecord.read(for: path) }
            #expect(reading?.code == "not-a-record")
            let file = try RecordedFile.open(path)
            #expect(throws: StorageError.self) {
                let transaction = try HostTransaction([file])
                try file.write([2], at: 5)
                try transaction.commit()
            }
            #expect(throws: StorageError.self) { try UndoRecord.discard([file]) }
            #expect(try fileBytes(name) == bytes)
            #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 9000))
        }
        // Of an earlier version: named, and may be thrown away.
        try directory.write("a.img.undo", Array("DGUNDO2\n".utf8) + random.bytes(2000))
        let error = #expect(throws: StorageError.self) { try UndoRecord.read(for: path) }
        #expect(error?.code == "other-version")
        #expect(try UndoRecord.discard([try RecordedFile.open(path)]).records.count == 1)
        #expect(!FileManager.default.fileExists(atPath: name))
    }

    /// A record has its name when its first head is durable: an empty one, or zeros for a head, has lost it.
    @Test(arguments: [0, 512, 1024])
    func aRecordWithoutAHeadIsDamaged(length: Int) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        try directory.write("a.img.undo", [UInt8](repeating: 0, count: length))
        let file = try RecordedFile.open(path)
        for body in [
            { _ = try UndoRecord.read(for: path) }, { _ = try UndoRecord.recover(file) },
            {
                let transaction = try HostTransaction([file])
                try file.write([2], at: 5)
                try transaction.commit()
            },
        ] as [() throws -> Void] {
            let error = #expect(throws: StorageError.self) { try body() }
            #expect(error?.code == "damaged")
        }
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 9000))
        #expect(try fileBytes(path + ".undo").count == length)
        #expect(try UndoRecord.discard([file]).records.count == 1)
        #expect(!FileManager.default.fileExists(atPath: path + ".undo"))
    }

    /// In a record of several changes the newest's head reads as zeros, both copies, or the record ends before it: that is
    /// no record of the older changes alone.
    @Test(arguments: [UndoRecord.State.hot, .done])
    func theNewestHeadOfSeveralIsLost(state: UndoRecord.State) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        let file = try RecordedFile.open(path)
        var start = 0
        for value in [UInt8(2), 3] {
            start = HostDirectory.exists(path + ".undo") ? try fileBytes(path + ".undo").count : 0
            let transaction = try HostTransaction([file])
            try file.write([value], at: 5)
            try transaction.commit()
        }
        try UndoRecord.setState(state, ofRecord: path + ".undo")
        let record = try fileBytes(path + ".undo")
        try #require(start > 0 && start < record.count)
        var zeroed = record
        zeroed.replaceSubrange(start..<start + 1024, with: [UInt8](repeating: 0, count: 1024))
        for bad in [
            zeroed, Array(record.prefix(start)), Array(record.prefix(start)) + zeroed[start..<start + 512],
        ] {
            try directory.write("a.img.undo", bad)
            let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
            #expect(error?.code == "damaged")
            let writing = #expect(throws: StorageError.self) {
                let transaction = try HostTransaction([file])
                try file.write([4], at: 5)
                try transaction.commit()
            }
            #expect(writing?.code == "damaged")
            #expect(try fileBytes(path + ".undo") == bad)
            #expect(try fileBytes(path)[5] == 3)
        }
        try directory.write("a.img.undo", record)
        // The older one alone is whole again once the newest was taken back.
        for _ in 0..<2 { #expect(try UndoRecord.undo([file]).count == 1) }
        #expect(try fileBytes(path)[5] == 1)
        #expect(!FileManager.default.fileExists(atPath: path + ".undo"))
    }
}
