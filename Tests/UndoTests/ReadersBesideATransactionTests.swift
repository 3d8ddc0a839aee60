import HostIO
import Storage
import TestSupport
import Testing
import Undo

/// Reads of a host file beside the one that writes it within a transaction: never what lies below what was recorded.
struct ReadersBesideATransactionTests {
    /// With little memory, so that what is recorded goes to the disk again and again; the rest goes there at the end.
    @Test(arguments: [64 << 10, 1 << 30])
    func recordedBytesStay(_ memoryLimit: Int) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("disk", [UInt8](repeating: 0xee, count: 100_000))
        let file = try RecordedFile.open(path, locking: .ignore)
        let transaction = try HostTransaction([file], memoryLimit: memoryLimit)
        // Pages in part and whole, and the end of the file.
        let places = [(5_000, 9_000), (20_480, 4_096), (30_000, 100), (40_959, 8_194), (99_000, 1_000)]
        try ReadersBesideAWriter(
            device: FileDevice(file), places: places, base: 0xee, isAtomic: false
        ).run(betweenRounds: { try file.flush() }, atEnd: { try transaction.commit() })
        let bytes = try fileBytes(path)
        for (offset, count) in places {
            #expect(bytes[offset..<offset + count].allSatisfy { $0 == 200 })
        }
    }
}
