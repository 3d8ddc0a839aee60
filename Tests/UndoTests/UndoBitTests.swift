import Foundation
import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

/// Every bit of a hot record, one after the other: the change is taken back exactly, or refused with image and record as they
/// were. In memory, by the steps that the command goes: reading, comparing, putting back, marking.
struct UndoBitTests {
    private let before: [UInt8]
    private let half: [UInt8]
    private let record: [UInt8]

    /// The smallest record that has every structure: both heads, other files of the change, saved bytes and saved zeros, given
    /// bytes and given zeros, a witness, an end that is no sector's, a longer file, and a second batch.
    init() throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(5)
        let old = random.bytes(600) + [UInt8](repeating: 0, count: 936) + random.bytes(100)
        let files = try ["a.img", "b.img"].map { try RecordedFile.open(directory.write($0, old)) }
        let transaction = try HostTransaction(files, memoryLimit: 1)
        for file in files {
            // A witness until the second batch changes it.
            _ = try Witnesses.reading { () throws(StorageError) in try file.bytes(at: 1024, count: 10) }
            try file.write(random.bytes(20), at: 100)
            try file.write([UInt8](repeating: 0, count: 512), at: 512)
            try file.flush()
            try file.write([1], at: 1100)
            try file.write(random.bytes(30), at: 1630)
            try file.flush()
        }
        before = old
        half = try fileBytes(files[0].path)
        record = try fileBytes(files[0].path + ".undo")
        transaction.rollBack()
    }

    /// Whether the image is as before; false when the record was refused, and nothing written.
    private func isRestored(_ record: [UInt8], _ what: @autoclosure () -> String) -> Bool {
        let file = MemoryFile(half)
        let log = MemoryFile(record, path: "(memory).undo")
        do {
            let done = try UndoRecord.recover(file, by: log)
            #expect(done == .rolledBack, "\(what())")
        } catch {
            #expect(
                error.isCode(UndoCode.damaged) || error.isCode(UndoCode.notARecord), "\(what()): \(error)")
            if file.bytes != half || log.bytes != record { Issue.record("\(what()) was refused and written") }
            return false
        }
        if file.bytes != before { Issue.record("\(what()) was taken back to something else") }
        return true
    }

    @Test func everyBitIsRefusedOrDoesNotMatter() throws {
        #expect(half != before && half.count > before.count)
        #expect(isRestored(record, "sound"))
        // A sample of them by default.
        let step = ProcessInfo.processInfo.environment["DISKGRAFT_EVERY_BIT"] != nil ? 1 : 11
        var refused = 0
        var restored = 0
        for bit in stride(from: 0, to: record.count * 8, by: step) {
            var bad = record
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            let isBack = isRestored(bad, "bit \(bit % 8) of byte \(bit / 8)")
            // The head is there twice; all else once.
            if isBack != (bit / 8 < 1024) { Issue.record("bit \(bit % 8) of byte \(bit / 8): \(isBack)") }
            if isBack { restored += 1 } else { refused += 1 }
        }
        if step == 1 {
            print("\(record.count * 8) bits: \(restored) taken back exactly, \(refused) refused")
        }
        #expect(restored >= 8192 / step && refused > 20_000 / step)
    }
}
