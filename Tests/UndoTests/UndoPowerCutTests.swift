import Foundation
@_spi(Testing) import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

/// The power fails at every call that reaches the host: while records are written, between the parts of a change that
/// memory does not hold, while it is taken back. Every file is as before or as after, all the same way.
struct UndoPowerCutTests {
    /// Two files that change, the second not before the change goes to the disk for the first time, and one that
    /// does not.
    private struct Disks {
        let directory: TemporaryDirectory
        let root: String
        let paths: [String]
        let before: [[UInt8]]

        init(_ seed: UInt64) throws {
            directory = try TemporaryDirectory()
            var random = SeededRandom(seed)
            var before: [[UInt8]] = []
            for (index, name) in ["a.img", "b.img", "c.img"].enumerated() {
                var bytes = random.bytes(60_000 + 1000 * index)
                // Zeros are saved without their bytes.
                bytes.replaceSubrange(8192..<24_576, with: [UInt8](repeating: 0, count: 16_384))
                try directory.write(name, bytes)
                before.append(bytes)
            }
            // As undo records name their files.
            root = try #require(HostDirectory.resolved(directory.path(".")))
            paths = [root + "/a.img", root + "/b.img", root + "/c.img"]
            self.before = before
        }

        func open() throws -> [RecordedFile] { try paths.map { try RecordedFile.open($0) } }
        var contents: [[UInt8]] { get throws { try paths.map(fileBytes) } }
        var files: [String: [UInt8]] { get throws { try HostPowerCut.files(in: root) } }
        func put(_ files: [String: [UInt8]]) throws { try HostPowerCut.put(files, in: root) }

        /// Opens each for writing. In either order: the records tell each file where to go.
        func recover(_ random: inout SeededRandom) throws {
            for path in Bool.random(using: &random) ? paths : paths.reversed() {
                _ = try UndoRecord.recover(try RecordedFile.open(path))
            }
        }
    }

    private func change(_ files: [RecordedFile], _ random: inout SeededRandom) throws {
        for step in 0..<6 {
            let file = step < 3 ? files[0] : files[Int.random(in: 0..<2, using: &random)]
            for _ in 0..<2 {
                try file.write(
                    random.bytes(Int.random(in: 1...5000, using: &random)),
                    at: UInt64.random(in: 0..<66_000, using: &random))
            }
            if step == 4 { try file.truncate(to: UInt64.random(in: 30_000..<70_000, using: &random)) }
            try file.flush()
        }
        try files[1].write([1, 2, 3], at: 100)
    }

    /// `memoryLimit` 6000: several parts; a million: one.
    @Test(arguments: [6000, 1_000_000], 0..<3)
    func aChangeOfSeveralFilesIsWholeOrNot(memoryLimit: Int, seed: UInt64) throws {
        let disks = try Disks(seed)
        var random = SeededRandom(seed)
        let initial = try disks.files
        let trace = try HostTrace.events(under: disks.root) {
            let files = try disks.open()
            let transaction = try HostTransaction(files, memoryLimit: memoryLimit)
            try change(files, &random)
            try transaction.commit()
        }
        let after = try disks.contents
        #expect(after != disks.before)
        var outcomes: Set<Bool> = []
        try HostPowerCut(initial: initial, events: trace.events)
            .forEachState(reorderings: 2, seed: seed) { (files, cut) in
                try disks.put(files)
                try disks.recover(&random)
                let found = try disks.contents
                #expect(found == disks.before || found == after, "\(cut)")
                outcomes.insert(found == after)
                for path in disks.paths {
                    let state = try UndoRecord.read(for: path)?.state
                    #expect(state != .hot && state != .undoing, "\(cut)")
                }
                if found == after {
                    _ = try UndoRecord.undo(try disks.open())
                    #expect(try disks.contents == disks.before, "\(cut)")
                }
            }
        #expect(outcomes == [true, false])
    }

    /// An error half-way, after a part has gone to the disk: everything goes back at once, or at the next opening.
    @Test(arguments: 0..<3)
    func anErrorTakesBackWhatWasWritten(seed: UInt64) throws {
        let disks = try Disks(seed)
        var random = SeededRandom(seed)
        let initial = try disks.files
        let trace = try HostTrace.events(under: disks.root) {
            let files = try disks.open()
            let transaction = try HostTransaction(files, memoryLimit: 6000)
            try change(files, &random)
            let half = try disks.contents
            #expect(half != disks.before)
            transaction.rollBack()
        }
        #expect(try disks.files == initial)
        try HostPowerCut(initial: initial, events: trace.events)
            .forEachState(reorderings: 2, seed: seed) { (files, cut) in
                try disks.put(files)
                try disks.recover(&random)
                #expect(try disks.contents == disks.before, "\(cut)")
            }
    }

    @Test(arguments: 0..<3)
    func takingBackIsWholeOrNot(seed: UInt64) throws {
        let disks = try Disks(seed)
        var random = SeededRandom(seed)
        do {
            let files = try disks.open()
            let transaction = try HostTransaction(files, memoryLimit: 6000)
            try change(files, &random)
            try transaction.commit()
        }
        let after = try disks.contents
        let initial = try disks.files
        let trace = try HostTrace.events(under: disks.root) {
            let undone = try UndoRecord.undo(disks.open())
            #expect(undone.count == 2)
        }
        #expect(try disks.contents == disks.before)
        let left = try disks.files.count
        #expect(left == 3)
        var outcomes: Set<Bool> = []
        try HostPowerCut(initial: initial, events: trace.events)
            .forEachState(reorderings: 2, seed: seed) { (files, cut) in
                try disks.put(files)
                try disks.recover(&random)
                let found = try disks.contents
                #expect(found == disks.before || found == after, "\(cut)")
                outcomes.insert(found == after)
            }
        #expect(outcomes == [true, false])
    }

    /// Of two files one was changed since: neither is taken back.
    @Test func everyFileIsComparedBeforeAnyIsTakenBack() throws {
        let disks = try Disks(1)
        let files = try disks.open()
        let transaction = try HostTransaction(files)
        for file in files { try file.write([9, 9, 9], at: 40_000) }
        try transaction.commit()
        try files[2].write([1], at: 40_001)
        let after = try disks.contents
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo(files) }
        #expect(error?.code == "changed-since" && error?.path == disks.paths[2])
        #expect(try disks.contents == after)
        let partial = #expect(throws: StorageError.self) { try UndoRecord.undo(Array(files.prefix(2))) }
        #expect(partial?.code == "sibling-not-given")
        #expect(try disks.contents == after)
    }

    /// The newest change is taken back first, whichever files the older one shares with it.
    @Test func theNewestChangeGoesFirst() throws {
        let disks = try Disks(2)
        let files = try disks.open()
        for (value, touched) in [(UInt8(1), files), (2, [files[1]])] {
            let transaction = try HostTransaction(touched)
            for file in touched { try file.write([value], at: 5000) }
            try transaction.commit()
        }
        #expect(try UndoRecord.undo(files).map(\.path) == [disks.paths[1]])
        let found = try disks.contents.map { $0[5000] }
        #expect(found == [1, 1, 1])
        #expect(try UndoRecord.undo(files).count == 3)
        #expect(try disks.contents == disks.before)
    }

    /// Grown parts are compared too: the length alone does not tell.
    @Test func whatGrewIsCompared() throws {
        let disks = try Disks(3)
        let file = try RecordedFile.open(disks.paths[0])
        let transaction = try HostTransaction([file])
        try file.write([UInt8](repeating: 7, count: 9000), at: 70_000)
        try transaction.commit()
        try file.write([8], at: 78_000)
        let error = #expect(throws: StorageError.self) { try UndoRecord.undo([file]) }
        #expect(error?.code == "changed-since")
    }

    /// A damaged record in the middle is no reason to put only a part back.
    @Test func aDamagedRecordOfACutChangeIsRefused() throws {
        let disks = try Disks(4)
        let file = try RecordedFile.open(disks.paths[0])
        let transaction = try HostTransaction([file], memoryLimit: 5000)
        for start in [UInt64(0), 30_000, 50_000] {
            try file.write([UInt8](repeating: 7, count: 6000), at: start)
            try file.flush()
        }
        let hot = try fileBytes(disks.paths[0] + ".undo")
        let half = try fileBytes(disks.paths[0])
        transaction.rollBack()
        try disks.directory.write("a.img", half)
        var bad = hot
        bad[1100] ^= 1
        try disks.directory.write("a.img.undo", bad)
        let error = #expect(throws: StorageError.self) { try UndoRecord.recover(file) }
        #expect(error?.code == "damaged")
        #expect(try fileBytes(disks.paths[0]) == half)
        try disks.directory.write("a.img.undo", hot)
        let again = try RecordedFile.open(disks.paths[0], locking: .ignore)
        #expect(try UndoRecord.recover(again) == .rolledBack)
        #expect(try fileBytes(disks.paths[0]) == disks.before[0])
    }

    /// A second change is cut off anywhere: the first can still be taken back.
    @Test(arguments: [6000, 1_000_000], 0..<2)
    func theChangeBelowStays(memoryLimit: Int, seed: UInt64) throws {
        let disks = try Disks(seed)
        var random = SeededRandom(seed)
        func commit() throws {
            let files = try disks.open()
            let transaction = try HostTransaction(files, memoryLimit: memoryLimit)
            try change(files, &random)
            try transaction.commit()
        }
        try commit()
        let middle = try disks.contents
        let initial = try disks.files
        let trace = try HostTrace.events(under: disks.root) { try commit() }
        let after = try disks.contents
        try HostPowerCut(initial: initial, events: trace.events)
            .forEachState(reorderings: 2, seed: seed) { (files, cut) in
                try disks.put(files)
                try disks.recover(&random)
                let found = try disks.contents
                #expect(found == middle || found == after, "\(cut)")
                for _ in 0..<(found == after ? 2 : 1) { _ = try UndoRecord.undo(try disks.open()) }
                #expect(try disks.contents == disks.before, "\(cut)")
            }
    }

    /// A file that is out of reach says nothing about which way the others have to go.
    @Test func aFileOutOfReachDecidesNothing() throws {
        let disks = try Disks(5)
        do {
            let files = try disks.open()
            let transaction = try HostTransaction(files)
            for file in files.prefix(2) { try file.write([9], at: 5000) }
            try transaction.commit()
        }
        let after = try disks.contents
        func set(_ state: UndoRecord.State, _ index: Int) throws {
            try UndoRecord.setState(state, ofRecord: disks.paths[index] + ".undo")
        }
        func away(_ body: () throws -> Void) throws {
            let names = [disks.paths[1], disks.paths[1] + ".undo"]
            for name in names { try FileManager.default.moveItem(atPath: name, toPath: name + "-away") }
            try body()
            for name in names { try FileManager.default.moveItem(atPath: name + "-away", toPath: name) }
        }
        // Its undoing was cut off before the other was marked.
        try set(.undoing, 0)
        try away {
            let error = #expect(throws: StorageError.self) {
                try UndoRecord.recover(try RecordedFile.open(disks.paths[0]))
            }
            #expect(error?.code == "sibling-missing")
        }
        #expect(try UndoRecord.recover(try RecordedFile.open(disks.paths[0])) == .completed)
        #expect(try disks.contents == after)
        // It had not begun here, and the other is hot.
        try set(.prepared, 0)
        try set(.hot, 1)
        try away {
            let error = #expect(throws: StorageError.self) {
                try UndoRecord.undo([try RecordedFile.open(disks.paths[0])])
            }
            #expect(error?.code == "sibling-missing")
        }
        #expect(try UndoRecord.recover(try RecordedFile.open(disks.paths[1])) == .rolledBack)
    }
}
