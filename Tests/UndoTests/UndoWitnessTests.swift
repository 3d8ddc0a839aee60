import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// A part of a change may be nothing but contents for free space. What it relies on tells whether something else has used that
/// space since: somebody who stores the same bytes there makes no sector that the change does not know.
struct UndoWitnessTests {
    /// A file of which the first sectors are maps, and the rest is space; the record of a change that was cut off in its first part,
    /// which filled space alone.
    private struct Cut {
        let directory: TemporaryDirectory
        let path: String
        let before: [UInt8]
        let file: RecordedFile
        let transaction: HostTransaction

        init() throws {
            directory = try TemporaryDirectory()
            var random = SeededRandom(77)
            before = random.bytes(2048) + [UInt8](repeating: 0, count: 20_480)
            path = try directory.write("disk.img", before)
            file = try RecordedFile.open(path, locking: .ignore)
            transaction = try HostTransaction([file], memoryLimit: 4000)
            // Read for other reasons, that counts for nothing.
            _ = try file.bytes(at: 0, count: 512)
            _ = try Witnesses.reading { () throws(StorageError) in
                // A part of a sector, and one that the part changes itself.
                (try file.bytes(at: 600, count: 100), try file.bytes(at: 4096, count: 512))
            }
            try file.write([UInt8](repeating: 7, count: 8192), at: 4096)
            try file.flush()
        }

        /// Writes with no regard for records.
        func write(_ bytes: [UInt8], at offset: UInt64) throws {
            try HostFile.open(path, access: .write, locking: .ignore).write(bytes, at: offset)
        }

        func undo() throws -> Int {
            try UndoRecord.undo([try RecordedFile.open(path, locking: .ignore)]).count
        }
    }

    @Test func whatNothingElseHasUsedGoesBack() throws {
        let cut = try Cut()
        #expect(try fileBytes(cut.path) != cut.before)
        // What is no witness, and not changed, may be anything.
        try cut.write([1, 2, 3], at: 5)
        #expect(try cut.undo() == 1)
        #expect(try fileBytes(cut.path)[512...] == cut.before[512...])
    }

    @Test func whatSomethingElseHasUsedStays() throws {
        let cut = try Cut()
        try cut.write([1, 2, 3], at: 1000)
        let now = try fileBytes(cut.path)
        let error = #expect(throws: StorageError.self) { try cut.undo() }
        #expect(error?.code == "unknown-contents" && error?.offset == 512)
        #expect(throws: StorageError.self) {
            try UndoRecord.recover(RecordedFile.open(cut.path, locking: .ignore))
        }
        #expect(try fileBytes(cut.path) == now)
        // Old bytes go where the change was, and nowhere else.
        let file = try RecordedFile.open(cut.path, locking: .ignore)
        #expect(try UndoRecord.undo([file], force: .sameFile).count == 1)
        #expect(try fileBytes(cut.path)[4096...] == cut.before[4096...])
        #expect(try fileBytes(cut.path)[..<4096] == now[..<4096])
    }

    /// Nothing of the change has reached the disk: nothing would be put back.
    @Test func whereNothingIsToBePutBackNothingIsRefused() throws {
        let cut = try Cut()
        try cut.write(Array(cut.before[4096..<12_288]), at: 4096)
        try cut.write([1, 2, 3], at: 1000)
        let now = try fileBytes(cut.path)
        #expect(try cut.undo() == 1)
        #expect(try fileBytes(cut.path) == now)
    }

    /// What the change gives a witness later is known too, in any mixture.
    @Test func aWitnessThatTheChangeWritesLater() throws {
        for old in [[], [600 as UInt64], [4096], [600, 4096]] {
            let cut = try Cut()
            try cut.file.write([9, 9, 9], at: 700)
            try cut.file.write([UInt8](repeating: 8, count: 6000), at: 14_000)
            try cut.file.flush()
            try cut.file.write([5], at: 700)
            try cut.file.write([UInt8](repeating: 6, count: 6000), at: 14_000)
            try cut.file.flush()
            for offset in old {
                let sector = Int(offset / 512 * 512)
                try cut.write(Array(cut.before[sector..<sector + 512]), at: UInt64(sector))
            }
            #expect(try cut.undo() == 1)
            #expect(try fileBytes(cut.path) == cut.before)
        }
    }

    /// Of a finished change the contents alone count.
    @Test func aFinishedChangeHasNoWitnesses() throws {
        let cut = try Cut()
        try cut.transaction.commit()
        try cut.write([1, 2, 3], at: 1000)
        #expect(try cut.undo() == 1)
        #expect(try fileBytes(cut.path)[4096...] == cut.before[4096...])
    }
}
