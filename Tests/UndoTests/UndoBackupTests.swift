@_spi(Testing) import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

/// A backup from before several changes was put back: there is nothing of them to be taken back, and nothing is written.
struct UndoBackupTests {
    /// Files and what they held before each of their changes, and after the last; every change is of all files.
    private struct History {
        let directory: TemporaryDirectory
        let paths: [String]
        /// By file, then by time.
        let states: [[[UInt8]]]
        let count = 4

        init(_ fileCount: Int = 1, seed: UInt64) throws {
            let directory = try TemporaryDirectory()
            var random = SeededRandom(seed)
            let paths = try (0..<fileCount).map {
                try directory.write("images/\($0).img", random.bytes(20_300))
            }
            (self.directory, self.paths) = (directory, paths)
            var states = try paths.map { [try fileBytes($0)] }
            for number in 0..<count {
                let files = try paths.map { try RecordedFile.open($0, locking: .ignore) }
                let transaction = try HostTransaction(files)
                for file in files {
                    // Longer and shorter, in and out of whole sectors; zeros and others.
                    let length = UInt64.random(in: 15_000...26_000, using: &random)
                    if number % 2 == 1 { try file.truncate(to: length) }
                    for _ in 0..<4 {
                        let bytes = random.bytes(Int.random(in: 1...1500, using: &random))
                        try file.write(
                            Bool.random(using: &random) ? bytes : bytes.map { _ in 0 },
                            at: UInt64.random(in: 0..<file.byteCount, using: &random))
                    }
                }
                try transaction.commit()
                for (index, path) in paths.enumerated() { states[index].append(try fileBytes(path)) }
            }
            self.states = states
        }

        var records: [String] { paths.map { $0 + ".undo" } }

        /// Into the file, or as another one in its place.
        func restore(_ index: Int, to time: Int, isMoved: Bool) throws {
            let backup = try directory.write("backup/\(index)", states[index][time])
            try Tool.run(
                isMoved ? "mv" : "cp", isMoved ? ["-f", backup, paths[index]] : [backup, paths[index]])
        }

        /// The files that went back, and how many changes each was before.
        func undo(_ force: UndoForce = .no) throws -> (count: Int, older: [Int]) {
            var older: [Int] = []
            let files = try paths.map { try RecordedFile.open($0, locking: .ignore) }
            let done = try UndoRecord.undo(files, force: force, older: { older.append($1) })
            return (done.count, older)
        }
    }

    @Test(arguments: 0..<4, [false, true]) func isAsBeforeAnyOfTheChanges(_ time: Int, _ isMoved: Bool) throws
    {
        for seed in 0..<3 as Range<UInt64> {
            let history = try History(seed: seed)
            try history.restore(0, to: time, isMoved: isMoved)
            let now = history.states[0][time]
            // Not with force either: the bytes between would be a state that never was.
            let done = try history.undo(seed == 1 ? .anyFile : .no)
            #expect(done.count == 1)
            #expect(done.older == [4 - time])
            #expect(try fileBytes(history.paths[0]) == now, "\(seed)")
            // What came before goes back as ever.
            for earlier in (0..<time).reversed() {
                #expect(try history.undo().count == 1)
                #expect(try fileBytes(history.paths[0]) == history.states[0][earlier], "\(seed)")
            }
            #expect(try history.undo().count == 0)
            #expect(!HostDirectory.exists(history.records[0]))
        }
    }

    /// The newest change was cut off: the next opening for writing finds nothing of it either.
    @Test(arguments: 0..<4, [false, true]) func afterACut(_ time: Int, _ isOpening: Bool) throws {
        let history = try History(seed: 7)
        try UndoRecord.setState(.hot, ofRecord: history.records[0])
        try history.restore(0, to: time, isMoved: false)
        if isOpening {
            let file = try RecordedFile.open(history.paths[0], locking: .ignore)
            #expect(try UndoRecord.recover(file) == .rolledBack)
        } else {
            #expect(try history.undo().count == 1)
        }
        #expect(try fileBytes(history.paths[0]) == history.states[0][time])
        try UndoRecord.requireSettled(history.paths[0])
        for _ in 0..<4 { _ = try history.undo() }
        #expect(try fileBytes(history.paths[0]) == history.states[0][0])
        #expect(!HostDirectory.exists(history.records[0]))
    }

    /// One file of a change over two is from a backup: the other goes back, one change at a time.
    @Test(arguments: 0..<4) func ofOneOfTwoFiles(_ time: Int) throws {
        let history = try History(2, seed: 11)
        try history.restore(0, to: time, isMoved: false)
        for earlier in (0..<4).reversed() {
            #expect(try history.undo().count == 2)
            #expect(try fileBytes(history.paths[0]) == history.states[0][min(time, earlier)])
            #expect(try fileBytes(history.paths[1]) == history.states[1][earlier])
        }
        #expect(try history.undo().count == 0)
    }

    /// Two files of one change from two times: each step says of each whether anything was taken back in it.
    @Test(arguments: [(1, 3), (3, 1), (0, 2), (2, 2)]) func ofTwoFilesFromTwoTimes(
        _ first: Int, _ second: Int
    ) throws {
        let history = try History(2, seed: 13)
        for (index, time) in [first, second].enumerated() {
            try history.restore(index, to: time, isMoved: index == 0)
        }
        let latest = max(first, second)
        // What none has anything of goes at once.
        let none = try history.undo()
        #expect(none.count == 2 && none.older == [4 - latest, 4 - latest])
        for earlier in (0..<latest).reversed() {
            let before = try history.paths.map { try fileBytes($0) }
            let done = try history.undo()
            let after = try history.paths.map { try fileBytes($0) }
            #expect(
                after == [history.states[0][min(first, earlier)], history.states[1][min(second, earlier)]])
            #expect(done.count == 2)
            let unchanged = zip(before, after).filter { $0 == $1 }.count
            #expect(done.older == (0..<unchanged).map { _ in 1 })
            #expect(unchanged == [first, second].filter { $0 <= earlier }.count)
        }
        #expect(try history.undo().count == 0)
    }

    /// Cut off anywhere: the file from the backup is not written, and the other goes one way or the other.
    @Test func ofOneOfTwoFilesCutOff() throws {
        let history = try History(2, seed: 12)
        try history.restore(0, to: 1, isMoved: false)
        let root = try #require(HostDirectory.resolved(history.directory.path("images")))
        let initial = try HostPowerCut.files(in: root)
        let events = try HostTrace.events(under: root) { try history.undo() }.events
        try HostPowerCut(initial: initial, events: events)
            .forEachState(reorderings: 1, every: 1, seed: 1) { (files, description) in
                try HostPowerCut.put(files, in: root)
                for path in history.paths {
                    _ = try UndoRecord.recover(RecordedFile.open(path, locking: .ignore))
                }
                #expect(try fileBytes(history.paths[0]) == history.states[0][1], "\(description)")
                let other = try fileBytes(history.paths[1])
                #expect(other == history.states[1][3] || other == history.states[1][4], "\(description)")
            }
    }

    /// What is of no time is refused with nothing written: one byte of what any of the changes knows, or a length.
    @Test(arguments: 0..<3) func somethingElseIsRefused(_ time: Int) throws {
        let history = try History(seed: 3)
        // The first sector in which two states differ is one that the records know.
        let (old, new) = (history.states[0][time], history.states[0][time + 1])
        let place = try #require(zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset)
        for kind in 0..<3 {
            var bytes = old
            switch kind {
            case 0: bytes[place] ^= 0x40
            case 1: bytes.append(1)
            default: bytes.removeLast()
            }
            try history.directory.write("images/0.img", bytes)
            let record = try fileBytes(history.records[0])
            let error = #expect(throws: StorageError.self) { try history.undo() }
            #expect(error?.code == "changed-since")
            #expect(try fileBytes(history.paths[0]) == bytes)
            #expect(try fileBytes(history.records[0]) == record)
        }
    }

    /// An earlier segment that rotted says nothing, and takes nothing away.
    @Test func anEarlierRecordThatIsDamaged() throws {
        let history = try History(seed: 5)
        try history.restore(0, to: 0, isMoved: false)
        var record = try fileBytes(history.records[0])
        record[1024 + 700] ^= 1
        try history.directory.write("images/0.img.undo", record)
        #expect(throws: StorageError.self) { try history.undo() }
        #expect(try fileBytes(history.paths[0]) == history.states[0][0])
        #expect(try fileBytes(history.records[0]) == record)
    }

    // MARK: Thrown away

    /// A later change that was thrown away stays in the file: the one before it goes back where that touched nothing of it, and
    /// says else what is in the way.
    @Test(arguments: [false, true]) func afterALaterOneWasThrownAway(_ isSame: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 9000))
        let file = try RecordedFile.open(path)
        for (value, offset) in [(2, 600), (3, isSame ? 700 : 5000)] as [(UInt8, UInt64)] {
            let transaction = try HostTransaction([file])
            try file.write([value], at: offset)
            try transaction.commit()
        }
        _ = try UndoRecord.discard([file])
        let now = try fileBytes(path)
        guard isSame else {
            #expect(try UndoRecord.undo([file]).count == 1)
            #expect(try fileBytes(path)[600] == 1 && fileBytes(path)[5000] == 3)
            return
        }
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        #expect(error?.code == "changed-since" && error?.offset == 512)
        #expect(error?.message.contains("a later change, whose record was thrown away") == true)
        #expect(error?.remedies == [.discardUndo, .forceUndo])
        #expect(try fileBytes(path) == now)
        // A change after that goes back as ever.
        let transaction = try HostTransaction([file])
        try file.write([4], at: 610)
        try transaction.commit()
        #expect(try UndoRecord.undo([file]).count == 1)
        #expect(try fileBytes(path) == now)
        #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
    }
}
