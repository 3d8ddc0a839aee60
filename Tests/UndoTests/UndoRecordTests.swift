import Foundation
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

struct UndoRecordTests {
    private func change(_ file: RecordedFile, seed: UInt64) throws {
        var random = SeededRandom(seed)
        for _ in 0..<10 {
            try file.write(
                random.bytes(Int.random(in: 1...6000, using: &random)),
                at: UInt64.random(in: 0..<90_000, using: &random))
            if Bool.random(using: &random) { try file.flush() }
        }
        try file.truncate(to: UInt64.random(in: 50_000..<120_000, using: &random))
        try file.write(random.bytes(100), at: UInt64.random(in: 0..<130_000, using: &random))
    }

    @Test(arguments: 0..<8)
    func undoBringsBackEveryByte(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(seed)
        let original = random.bytes(100_000)
        let path = try directory.write("disk.img", original)
        let file = try RecordedFile.open(path)
        for step in 0..<3 {
            let transaction = try HostTransaction([file])
            try change(file, seed: seed * 10 + UInt64(step))
            try transaction.commit()
        }
        #expect(try fileBytes(path) != original)
        for _ in 0..<3 { #expect(try UndoRecord.undo([file]).count == 1) }
        #expect(try UndoRecord.undo([file]).isEmpty)
        #expect(try fileBytes(path) == original)
        #expect(!FileManager.default.fileExists(atPath: path + ".undo"))
    }

    @Test func undoRefusesWhatWasChangedSince() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("disk.img", [UInt8](repeating: 1, count: 9000))
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file])
        try file.write([2, 2, 2], at: 100)
        try transaction.commit()
        try file.write([3], at: 101)
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        #expect(error?.code == "changed-since")
        #expect(try file.bytes(at: 100, count: 3) == [2, 3, 2])
    }

    /// The power fails at every point: while the record is written, between the change's writes, before the mark.
    @Test(arguments: 0..<4)
    func aCutChangeIsRolledBack(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(seed)
        let original = random.bytes(100_000)
        let path = try directory.write("disk.img", original)
        let operations: [HostTransaction.Operation]
        let record: [UInt8]
        let changed: [UInt8]
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try change(file, seed: seed)
            operations = transaction.recordedOperations
            try transaction.commit()
            changed = try fileBytes(path)
        }
        try UndoRecord.setState(.prepared, ofRecord: path + ".undo")
        let prepared = try fileBytes(path + ".undo")
        try UndoRecord.setState(.hot, ofRecord: path + ".undo")
        record = try fileBytes(path + ".undo")
        for cut in 0...operations.count {
            var bytes = original
            for operation in operations.prefix(cut) {
                switch operation {
                case .write(_, let offset, let data):
                    let end = Int(offset) + data.count
                    if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
                    bytes.replaceSubrange(Int(offset)..<end, with: data)
                case .truncate(_, let length):
                    if Int(length) < bytes.count { bytes.removeLast(bytes.count - Int(length)) }
                    bytes += [UInt8](repeating: 0, count: Int(length) - bytes.count)
                case .flush: break
                }
            }
            if cut == operations.count { #expect(bytes == changed) }
            let cutPath = try directory.write("cut.img", bytes)
            try directory.write("cut.img.undo", record)
            let file = try RecordedFile.open(cutPath)
            // What has all of it stands.
            #expect(try UndoRecord.recover(file) == (bytes == changed ? .completed : .rolledBack))
            #expect(try fileBytes(cutPath) == (bytes == changed ? changed : original))
            #expect(try UndoRecord.recover(file) == .none)
        }
        // A record that was cut off while it was written: the change had not begun.
        for length in [512, 1024, 1536, prepared.count / 2, prepared.count - 1, prepared.count] {
            let cutPath = try directory.write("cut.img", original)
            try directory.write("cut.img.undo", Array(prepared.prefix(length)))
            let file = try RecordedFile.open(cutPath)
            #expect(try UndoRecord.recover(file) == .none)
            let transaction = try HostTransaction([file])
            try file.write([1, 2, 3], at: 5)
            try transaction.commit()
            #expect(try UndoRecord.undo([file]).count == 1)
            #expect(try fileBytes(cutPath) == original)
        }
        // A hot one was whole before the change began: less of it is damage, and less than its first word nobody's.
        for length in [1, 7, 8, 100, 511, 512, 1024, 1536, record.count / 2, record.count - 1] {
            let cutPath = try directory.write("cut.img", original)
            let short = Array(record.prefix(length))
            try directory.write("cut.img.undo", short)
            let file = try RecordedFile.open(cutPath)
            let error = #expect(throws: StorageError.self) { try UndoRecord.recover(file) }
            #expect(error?.code == (length < 8 ? "not-a-record" : "damaged"))
            #expect(throws: StorageError.self) {
                let transaction = try HostTransaction([file])
                try file.write([1], at: 5)
                try transaction.commit()
            }
            #expect(try fileBytes(cutPath) == original)
            #expect(try fileBytes(cutPath + ".undo") == short)
        }
    }

    @Test func twoFilesAreOneTransaction() throws {
        let directory = try TemporaryDirectory()
        let paths = ["a", "b"].map { directory.path($0) }
        func reset() throws {
            for path in paths {
                try directory.write(HostPath.name(of: path), [UInt8](repeating: 0, count: 100))
            }
        }
        func states() throws -> [UndoRecord.State?] { try paths.map { try UndoRecord.read(for: $0)?.state } }
        func setState(_ state: UndoRecord.State, _ index: Int) throws {
            try UndoRecord.setState(state, ofRecord: paths[index] + ".undo")
        }
        try reset()
        do {
            let files = try paths.map { try RecordedFile.open($0) }
            let transaction = try HostTransaction(files)
            for file in files { try file.write([5], at: 50) }
            try transaction.commit()
        }
        #expect(try states() == [.done, .done])
        // Cut after the first mark: both were flushed before, so the second stands too.
        try setState(.hot, 1)
        #expect(try UndoRecord.recover(try RecordedFile.open(paths[1])) == .completed)
        #expect(try fileBytes(paths[1])[50] == 5)
        // Cut before any mark, with all of it written: it stands.
        for index in 0..<2 { try setState(.hot, index) }
        #expect(try UndoRecord.recover(try RecordedFile.open(paths[1])) == .completed)
        #expect(try states() == [.done, .done])
        // With one of them not written: both go back.
        for index in 0..<2 { try setState(.hot, index) }
        try directory.write("a", [UInt8](repeating: 0, count: 100))
        #expect(try UndoRecord.recover(try RecordedFile.open(paths[0])) == .rolledBack)
        #expect(try states() == [.rolledBack, .rolledBack])
        for path in paths { #expect(try fileBytes(path)[50] == 0) }
        // The other record is gone: nobody can tell.
        try setState(.hot, 0)
        try FileManager.default.removeItem(atPath: paths[1] + ".undo")
        let error = #expect(throws: StorageError.self) {
            try UndoRecord.recover(try RecordedFile.open(paths[0]))
        }
        #expect(error?.code == "sibling-missing")
    }

    @Test func aHostileRecordIsAnError() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("disk.img", [UInt8](repeating: 1, count: 9000))
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([2, 2, 2], at: 100)
            try transaction.commit()
        }
        let good = try fileBytes(path + ".undo")
        let after = try fileBytes(path)
        let before = [UInt8](repeating: 1, count: 9000)
        var random = SeededRandom(1)
        for _ in 0..<300 {
            var bad = good
            bad[Int.random(in: 0..<bad.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            try directory.write("disk.img.undo", bad)
            try directory.write("disk.img", after)
            // Whatever the damage is: all of it or nothing.
            _ = try? UndoRecord.undo([try RecordedFile.open(path)])
            let found = try fileBytes(path)
            #expect(found == before || found == after)
        }
        try directory.write("disk.img.undo", [UInt8](repeating: 0x41, count: 600))
        let error = #expect(throws: StorageError.self) { try UndoRecord.read(for: path) }
        #expect(error?.code == "not-a-record")
    }

    /// However much is written, no more than the limit and what lies between two barriers is held.
    @Test func memoryStaysFlat() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 64 << 20)
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file], memoryLimit: 1 << 20)
        let piece = [UInt8](repeating: 5, count: 300_000)
        var most = 0
        for index in 0..<200 {
            try file.write(piece, at: UInt64(index) * 300_000)
            try file.flush()
            let held = transaction.recordedOperations.reduce(0) { sum, operation in
                if case .write(_, _, let bytes) = operation { sum + bytes.count } else { sum }
            }
            most = max(most, held)
        }
        #expect(most > 600_000 && most <= 1 << 20)
        try transaction.commit()
        // Zeros are saved without their bytes; eight bytes know each sector written, two where two writes share one.
        #expect(try fileBytes(path + ".undo").count < 60_000_000 / 512 * 8 + 100_000)
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(path).allSatisfy { $0 == 0 })
    }

    /// More ranges than one chunk's table has, before and after.
    @Test(arguments: [Int.max, 100_000])
    func manyRanges(memoryLimit: Int) throws {
        let directory = try TemporaryDirectory()
        let count = 4500
        var random = SeededRandom(7)
        let before = random.bytes(count * 8192)
        let path = try directory.write("disk.img", before)
        let file = try RecordedFile.open(path)
        let transaction = try HostTransaction([file], memoryLimit: memoryLimit)
        for index in (0..<count).shuffled(using: &random) {
            try file.write([UInt8](repeating: 9, count: 50), at: UInt64(index) * 8192 + 100)
            if index % 100 == 0 { try file.flush() }
        }
        try transaction.commit()
        let after = try fileBytes(path)
        #expect((0..<count).allSatisfy { after[$0 * 8192 + 149] == 9 })
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(path) == before)
    }

    /// The record of a second file cannot be written once the first has changed: that goes back, and an earlier change
    /// of the second, whose record lies below, stays.
    @Test func aRecordThatCannotBeWrittenTakesBackThisChangeAlone() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let paths = try ["a.img", "b.img"].map {
                try directory.write($0, [UInt8](repeating: 1, count: 300_000))
            }
            let files = try paths.map { try RecordedFile.open($0) }
            let first = try HostTransaction([files[1]])
            try files[1].write([UInt8](repeating: 2, count: 100_000), at: 0)
            try first.commit()
            let middle = try paths.map(fileBytes)

            let transaction = try HostTransaction(files, memoryLimit: 5000)
            try files[0].write([UInt8](repeating: 3, count: 8000), at: 0)
            try files[0].flush()
            let half = try fileBytes(paths[0])
            try #require(half != middle[0])
            // A head fits behind the record of the second file, and nothing more.
            let length = try fileBytes(paths[1] + ".undo").count
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: UInt(length) + 1024, rlim_max: UInt(length) + 1024)
            let status = unsafe setrlimit(__rlimit_resource_t(1), &limit)
            try #require(status == 0)
            try files[1].write([UInt8](repeating: 4, count: 8000), at: 0)
            var isRefused = false
            do { try files[1].flush() } catch { isRefused = true }
            transaction.rollBack()
            let after = try paths.map(fileBytes)
            try #require(isRefused && after == middle)
        }
    }
}
