import HostIO
import Storage
import TestSupport
import Testing
import Undo

struct RecordedFileTests {
    @Test func transactionShowsItsWritesAndKeepsThemOffTheDisk() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("f", [UInt8](repeating: 7, count: 10_000))
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([1, 2, 3], at: 4095)
        try file.write([9], at: 20_000)
        #expect(file.byteCount == 20_001)
        #expect(try file.bytes(at: 4094, count: 5) == [7, 1, 2, 3, 7])
        #expect(try file.bytes(at: 9_999, count: 3) == [7, 0, 0])
        try file.truncate(to: 5_000)
        try file.truncate(to: 6_000)
        #expect(try file.bytes(at: 4_999, count: 3) == [7, 0, 0])
        #expect(try fileBytes(path) == [UInt8](repeating: 7, count: 10_000))
        transaction.rollBack()
        #expect(file.byteCount == 10_000)
        #expect(try file.bytes(at: 4095, count: 1) == [7])
    }

    @Test func whatIsNotRecordedIsNoPartOfATransaction() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("f", [1, 2, 3])
        let plain = try HostFile.open(path, access: .write)
        let error = #expect(throws: StorageError.self) { try HostTransaction([plain]) }
        #expect(error?.isCode(RecordingCode.notRecorded) == true)
        let file = RecordedFile(plain)
        let transaction = try HostTransaction([file])
        let twice = #expect(throws: StorageError.self) { try HostTransaction([file]) }
        #expect(twice?.isCode(RecordingCode.alreadyInTransaction) == true)
        transaction.rollBack()
        try HostTransaction([file]).commit()
    }

    /// A store opens for writing what can be recorded, and for reading the file itself.
    @Test func aStoreRecordsWhatIsWritten() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("f", [1, 2, 3])
        let files = RecordedFiles()
        #expect(try files.open(path, access: .read) is HostFile)
        #expect(try files.open(path, access: .write) is RecordedFile)
        #expect(try files.openSibling(of: path, name: "f", access: .write) is RecordedFile)
        #expect(try files.create(directory.path("g")) is RecordedFile)
    }
}
