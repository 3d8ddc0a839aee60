import Foundation
import HostIO
import Storage
import Synchronization
import TestSupport
import Testing
import Undo

struct CancellationTests {
    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
        func set() { isSet.store(true, ordering: .relaxed) }
        var cancellation: Cancellation { Cancellation { self.isSet.load(ordering: .relaxed) } }
    }

    @Test func aRequestHoldsForItsOperationAlone() throws {
        let flag = Flag()
        flag.set()
        try Cancellation.check()
        #expect(throws: StorageError.cancelled) {
            try flag.cancellation.covering { () throws(StorageError) in try Cancellation.check() }
        }
        try flag.cancellation.covering { () throws(StorageError) in
            try Cancellation.shielding { () throws(StorageError) in try Cancellation.check() }
        }
        try Cancellation.check()
    }

    @Test func theEnginesThreadsAreStopped() {
        let flag = Flag()
        flag.set()
        let stopped = Atomic<Int>(0)
        flag.cancellation.covering {
            Cancellation.concurrently(8) { _ in
                do throws(StorageError) {
                    try Cancellation.check()
                } catch {
                    stopped.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(stopped.load(ordering: .relaxed) == 8)
    }

    /// A directory of a million names is put in order.
    @Test func aLongSortIsStopped() {
        let flag = Flag()
        flag.set()
        var numbers = Array((0..<5000).reversed())
        #expect(throws: StorageError.cancelled) {
            try flag.cancellation.covering { () throws(StorageError) in
                try numbers.sortUnlessStopped { $0 < $1 }
            }
        }
        #expect(throws: Never.self) { try numbers.sortUnlessStopped { $0 < $1 } }
        #expect(numbers == Array(0..<5000))
    }

    /// Taking back ends too, where the request has stood long enough; the record knows, and the next opening goes on.
    @Test func takingBackIsStoppedAndGoesOnAnotherTime() throws {
        let directory = try TemporaryDirectory()
        let before = [UInt8](repeating: 7, count: 1 << 20)
        let path = try directory.write("disk.img", before)
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file], memoryLimit: 1 << 16)
            for index in 0..<64 as Range<UInt64> {
                try file.write([UInt8](repeating: 1, count: 8192), at: index * 8192)
                try file.flush()
            }
            let flag = Flag()
            flag.set()
            let isTakenBack = flag.cancellation.covering { transaction.rollBack(within: .zero) }
            #expect(!isTakenBack)
        }
        #expect(try fileBytes(path) != before)
        #expect(try UndoRecord.read(for: path)?.isCutOff == true)
        let file = try HostFile.open(path, access: .write)
        // Half taken back, stopped once more, and then to the end.
        let flag = Flag()
        flag.set()
        #expect(throws: StorageError.cancelled) {
            _ = try flag.cancellation.covering { () throws(StorageError) in try UndoRecord.recover(file) }
        }
        #expect(try UndoRecord.recover(file) == .rolledBack)
        #expect(try fileBytes(path) == before)
    }

    @Test func whatWasWrittenGoesBackAfterARequestToStop() throws {
        let directory = try TemporaryDirectory()
        let before = [UInt8](repeating: 7, count: 1 << 20)
        let path = try directory.write("disk.img", before)
        let flag = Flag()
        #expect(throws: StorageError.cancelled) {
            try flag.cancellation.covering { () throws(StorageError) in
                let file = try RecordedFile.open(path)
                let transaction = try HostTransaction([file], memoryLimit: 1 << 16)
                do throws(StorageError) {
                    for index in 0..<64 as Range<UInt64> {
                        try file.write([UInt8](repeating: UInt8(index), count: 8192), at: index * 8192)
                        try file.flush()
                        if index == 40 { flag.set() }
                    }
                    try transaction.commit()
                } catch {
                    transaction.rollBack()
                    throw error
                }
            }
        }
        #expect(try fileBytes(path) == before)
        #expect(!FileManager.default.fileExists(atPath: path + ".undo"))
    }
}
