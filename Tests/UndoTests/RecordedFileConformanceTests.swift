import Foundation
import HostIO
import Storage
import TestSupport
import Testing
import Undo

/// A recorded file is a file like any other, with a transaction and without.
struct RecordedFileConformanceTests {
    private static let contents = SeededBytes.block(50_000, seed: 3) + [UInt8](repeating: 0, count: 70_000)

    @Test func withoutATransactionItIsTheFileBelow() throws {
        let directory = try TemporaryDirectory()
        var contents = Self.contents
        let path = try directory.write("f", contents)
        let below = try HostFile.open(path, access: .write)
        let file = RecordedFile(below)
        try ByteFileSuite.reads(file, contents)
        try ByteFileSuite.writes(file, &contents)
        #expect(isSame(try fileBytes(path), contents))
        #expect(file.identity == below.identity && file.incarnation == below.incarnation)
        #expect(file.isSame(as: below) && file.cloneOrigin(at: 5)?.file === below)
        #expect(file.allocatedByteCount == below.allocatedByteCount)
    }

    /// With much memory and with little, so that parts go to the disk meanwhile; over a file of the host and over memory.
    @Test(arguments: [1 << 30, 30_000], [true, false])
    func inATransactionItShowsWhatIsRecorded(_ memoryLimit: Int, _ isInMemory: Bool) throws {
        let directory = try TemporaryDirectory()
        let before = Self.contents
        let path = try directory.write("f", before)
        let below: any ByteFile =
            isInMemory ? MemoryFile(before, path: path) : try HostFile.open(path, access: .write)
        let file = RecordedFile(below)
        for isKept in [false, true] {
            var contents = before
            let transaction = try HostTransaction([file], memoryLimit: memoryLimit)
            try ByteFileSuite.reads(file, contents)
            try ByteFileSuite.writes(file, &contents)
            #expect(file.cloneOrigin(at: 0) == nil && !file.clone(below, at: 0, count: 1, to: 0))
            if isKept { try transaction.commit() } else { transaction.rollBack() }
            try ByteFileSuite.reads(file, isKept ? contents : before)
            #expect(try below.bytes(at: 0, count: Int(below.byteCount)) == (isKept ? contents : before))
        }
        #expect(try UndoRecord.undo([file]).count == 1)
        try ByteFileSuite.reads(file, before)
    }

    /// What was made of a file remembers when that was last changed: it is as before in that too.
    @Test func theTimeOfTheLastChangeComesBack() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("f", [UInt8](repeating: 7, count: 5000))
        let old = Date(timeIntervalSince1970: 1_000_000_000)
        try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: path)
        for start in [0, 600] as [UInt64] {
            let file = RecordedFile(try HostFile.open(path, access: .write))
            let transaction = try HostTransaction([file], memoryLimit: 3000)
            try file.write([1, 2, 3], at: start)
            try transaction.commit()
            #expect(file.modificationTime != 1_000_000_000)
        }
        let file = RecordedFile(try HostFile.open(path, access: .write))
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(file.modificationTime != 1_000_000_000, "the first change is still there")
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(file.modificationTime == 1_000_000_000)
    }

    @Test func whatIsReadIsNotChanged() throws {
        let directory = try TemporaryDirectory()
        let file = RecordedFile(try HostFile.open(try directory.write("f", [1, 2, 3])))
        try ByteFileSuite.refusesChanges(file)
        let transaction = try HostTransaction([file])
        try ByteFileSuite.refusesChanges(file)
        transaction.rollBack()
    }

    /// Whichever call on the file fails while a change is carried out, everything goes back.
    @Test(arguments: [1 << 30, 10_000])
    func aFaultTakesTheChangeBack(_ memoryLimit: Int) throws {
        let directory = try TemporaryDirectory()
        let before = SeededBytes.block(40_000, seed: 5)
        var isDone = false
        var call = 0
        while !isDone {
            let path = try directory.write("f", before)
            let below = MemoryFile(before, path: path)
            let faulty = FaultyFile(below, failingAt: call)
            let file = RecordedFile(faulty)
            let transaction = try HostTransaction([file], memoryLimit: memoryLimit)
            do throws(StorageError) {
                for step in 0..<6 as Range<UInt64> {
                    try file.write([UInt8](repeating: UInt8(step), count: 3000), at: step * 6500)
                    if step == 3 { try file.truncate(to: 41_000) }
                    try file.flush()
                }
                try transaction.commit()
                isDone = true
            } catch {
                #expect(error.isCode(FaultyFile.Code.fault))
                transaction.rollBack()
                #expect(isSame(below.bytes, before), "call \(call)")
                #expect(try UndoRecord.read(for: path)?.isCutOff != true, "call \(call)")
            }
            #expect(faulty.isArmed == isDone)
            try? HostDirectory.remove(path + ".undo")
            call += 1
        }
        #expect(call > 10)
    }
}
