import Foundation
@_spi(Testing) import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

/// A record is restored over what it knows, and over nothing else: old and new contents, those in between, and all the
/// lengths of the change; whatever the file is called.
struct UndoComparisonTests {
    /// Two files of one change, cut off after all of it was written.
    private struct Cut {
        let directory: TemporaryDirectory
        let root: String
        let paths: [String]
        let before: [[UInt8]]
        let after: [[UInt8]]
        let events: [HostTrace.Event]
        let initial: [String: [UInt8]]

        init(seed: UInt64, memoryLimit: Int = 6000) throws {
            directory = try TemporaryDirectory()
            var random = SeededRandom(seed)
            root = try #require(HostDirectory.resolved(directory.root))
            let paths = [root + "/a.img", root + "/b.img"]
            self.paths = paths
            for path in paths { try directory.write(HostPath.name(of: path), random.bytes(40_300)) }
            before = try paths.map(fileBytes)
            initial = try HostPowerCut.files(in: root)
            events = try HostTrace.events(under: root) {
                let files = try paths.map { try RecordedFile.open($0) }
                let transaction = try HostTransaction(files, memoryLimit: memoryLimit)
                for step in 0..<8 {
                    let file = files[step % 2]
                    for _ in 0..<3 {
                        try file.write(
                            random.bytes(Int.random(in: 1...2000, using: &random)),
                            at: UInt64.random(in: 0..<44_000, using: &random))
                    }
                    if step == 5 { try file.truncate(to: 39_100) }
                    try file.flush()
                }
                try transaction.commit()
            }.events
            after = try paths.map(fileBytes)
            for path in paths {
                try UndoRecord.setState(.hot, ofRecord: path + ".undo")
                // What the states below say is in their records alone.
                try HostFile.open(path, access: .write, locking: .ignore)
                    .setAttribute("user.diskgraft.undo", to: nil)
            }
        }

        var contents: [[UInt8]] { get throws { try paths.map(fileBytes) } }
        var files: [String: [UInt8]] { get throws { try HostPowerCut.files(in: root) } }
        func open() throws -> [RecordedFile] { try paths.map { try RecordedFile.open($0) } }

        /// The writes and truncations of one image, in order.
        func steps(of path: String) -> [HostTrace.Event] {
            events.filter {
                switch $0 {
                case .write(path, _, _), .truncate(path, _): true
                default: false
                }
            }
        }
    }

    private static func apply(_ event: HostTrace.Event, to bytes: inout [UInt8]) {
        switch event {
        case .write(_, let offset, let data):
            let end = Int(offset) + data.count
            if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
            bytes.replaceSubrange(Int(offset)..<end, with: data)
        case .truncate(_, let length):
            if bytes.count > length { bytes.removeLast(bytes.count - Int(length)) }
            bytes += [UInt8](repeating: 0, count: Int(length) - bytes.count)
        default: break
        }
    }

    /// Every sector holds any one of the contents that it ever had in the change, whatever the others hold.
    @Test(arguments: 0..<12)
    func anyMixtureOfKnownContentsGoesBack(seed: UInt64) throws {
        let cut = try Cut(seed: seed % 3)
        var random = SeededRandom(seed)
        for path in cut.paths {
            var history = [cut.initial[path] ?? []]
            for step in cut.steps(of: path) {
                var next = history[history.count - 1]
                Self.apply(step, to: &next)
                history.append(next)
            }
            let whole = history.randomElement(using: &random) ?? []
            var mixture = whole
            for start in stride(from: 0, to: whole.count, by: 512) {
                // The sector that a file ends in goes with its length.
                let source = start + 512 > whole.count ? whole : history.randomElement(using: &random) ?? []
                var sector = Array(source.dropFirst(start).prefix(512))
                sector += [UInt8](repeating: 0, count: min(512, whole.count - start) - sector.count)
                mixture.replaceSubrange(start..<start + sector.count, with: sector)
            }
            try cut.directory.write(HostPath.name(of: path), mixture)
        }
        let path = try #require(cut.paths.randomElement(using: &random))
        _ = try UndoRecord.recover(try RecordedFile.open(path))
        #expect(try cut.contents == cut.before)
    }

    /// After any cut one byte of one file is changed by something else: neither file is written, in either order; both
    /// ways out are open.
    @Test(arguments: 0..<3)
    func whatSomethingElseWroteIsNotOverwritten(seed: UInt64) throws {
        let cut = try Cut(seed: seed)
        var random = SeededRandom(seed)
        var refusals = 0
        try HostPowerCut(initial: cut.initial, events: cut.events)
            .forEachState(reorderings: 1, every: 3, seed: seed) { (files, description) in
                try HostPowerCut.put(files, in: cut.root)
                let hot = try cut.paths.filter { try UndoRecord.read(for: $0)?.state == .hot }
                // Where one is marked done all of it was written, and nothing will be: the other stands with it.
                let isDecided = try cut.paths.contains { try UndoRecord.read(for: $0)?.state == .done }
                guard let path = hot.randomElement(using: &random), !isDecided else { return }
                // The first write is in a batch that counts.
                let step = try #require(cut.steps(of: path).first)
                guard case .write(_, let offset, let data) = step else { return }
                var bytes = try fileBytes(path)
                let kind = Int.random(in: 0..<3, using: &random)
                switch kind {
                case 0:
                    let end = min(Int(offset) + data.count, bytes.count)
                    bytes[Int.random(in: min(Int(offset), end - 1)..<end, using: &random)] ^= 0x40
                case 1: bytes += [UInt8](repeating: 7, count: 7000)
                default: bytes.removeLast(9000)
                }
                try cut.directory.write(HostPath.name(of: path), bytes)
                let found = try cut.files
                let given = try #require((hot + hot.reversed()).randomElement(using: &random))
                let error = #expect(throws: StorageError.self, "\(description)") {
                    try UndoRecord.recover(try RecordedFile.open(given))
                }
                guard let error else { return }
                let isKnown = error.code == "unknown-contents" || kind > 0 && error.code == "unknown-length"
                #expect(isKnown && error.path == path, "\(description): \(error)")
                #expect(try cut.files == found, "\(description)")
                refusals += 1
                if refusals % 2 == 0, kind < 2 {
                    _ = try UndoRecord.undo(try cut.open(), force: .anyFile)
                    #expect(try cut.contents == cut.before, "\(description)")
                } else {
                    let images = try cut.contents
                    #expect(try UndoRecord.discard(try cut.open()).records.count >= hot.count)
                    #expect(try cut.contents == images)
                    // A record that was being made may have left its hidden name; the next takes that.
                    #expect(try cut.files.keys.filter { !$0.hasSuffix(".undo.partial") }.count == 2)
                }
            }
        #expect(refusals > 10)
    }

    /// The bytes between the old end and the new one that the change did not write are not the change's either.
    @Test func whatLiesBehindTheOldEndIsCompared() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 10_000))
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.truncate(to: 50_000)
            try file.write([2], at: 30_000)
            try transaction.commit()
        }
        try UndoRecord.setState(.hot, ofRecord: path + ".undo")
        let whole = try fileBytes(path)
        // In the sector that the file ended in, in a hole, behind what was written.
        for place in [10_001, 20_000, 49_999] {
            var bytes = whole
            bytes[place] = 9
            bytes[40_000] = 0
            bytes[30_000] = 0
            try directory.write("a.img", bytes)
            let error = #expect(throws: StorageError.self) {
                try UndoRecord.recover(try RecordedFile.open(path))
            }
            #expect(error?.code == "unknown-contents")
            #expect(try fileBytes(path) == bytes)
        }
        try directory.write("a.img", Array(whole.prefix(29_000)))
        #expect(try UndoRecord.recover(try RecordedFile.open(path)) == .rolledBack)
        #expect(try fileBytes(path) == [UInt8](repeating: 1, count: 10_000))
    }

    /// A copy is put in the image's place: what is all old or all new is left alone, what is another's is refused.
    @Test func anImageThatWasReplaced() throws {
        let cut = try Cut(seed: 5)
        func replace(_ contents: [[UInt8]]) throws {
            for (path, bytes) in zip(cut.paths, contents) {
                try FileManager.default.removeItem(atPath: path)
                try cut.directory.write(HostPath.name(of: path), bytes)
                try UndoRecord.setState(.hot, ofRecord: path + ".undo")
            }
        }
        func recover() throws -> UndoRecord.Recovery {
            try UndoRecord.recover(try RecordedFile.open(cut.paths[0]))
        }
        try replace(cut.before)
        let trace = try HostTrace.events(under: cut.root) { try recover() }
        #expect(trace.result == .rolledBack)
        let writes = trace.events.filter {
            if case .write(let path, _, _) = $0 { cut.paths.contains(path) } else { false }
        }
        #expect(writes.isEmpty)
        try replace(cut.after)
        #expect(try recover() == .completed)
        #expect(try cut.contents == cut.after)
        var random = SeededRandom(9)
        let other = cut.before.map { random.bytes($0.count) }
        try replace(other)
        let error = #expect(throws: StorageError.self) { try recover() }
        #expect(error?.code == "unknown-contents" && error?.message.contains("not the file that") == true)
        #expect(try cut.contents == other)
    }

    /// The record belongs to the file, not to one of its names.
    @Test func aHotRecordIsSeenByEveryName() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.img", [UInt8](repeating: 1, count: 10_000))
        do {
            let file = try RecordedFile.open(path)
            let transaction = try HostTransaction([file])
            try file.write([2], at: 5000)
            try file.write([2], at: 9000)
            try transaction.commit()
        }
        try UndoRecord.setState(.hot, ofRecord: path + ".undo")
        let link = directory.path("b.img")
        try FileManager.default.linkItem(atPath: path, toPath: link)
        #expect(try UndoRecord.read(for: link)?.state == .hot)
        let error = #expect(throws: StorageError.self) {
            let file = try RecordedFile.open(link)
            let transaction = try HostTransaction([file])
            try file.write([3], at: 1)
            try transaction.commit()
        }
        #expect(error?.code == "hot")
        // Renamed.
        try FileManager.default.removeItem(atPath: path)
        #expect(try UndoRecord.read(for: link)?.state == .hot)
        // Another file beside it has no part in it, nor has a later one of the same name.
        let other = try directory.write("c.img", [UInt8](repeating: 1, count: 10_000))
        #expect(try UndoRecord.read(for: other) == nil)
        var bytes = try fileBytes(link)
        bytes[5000] = 1
        try RecordedFile.open(link).write([1], at: 5000)
        #expect(try UndoRecord.recover(try RecordedFile.open(link)) == .rolledBack)
        #expect(try fileBytes(link) == [UInt8](repeating: 1, count: 10_000))
    }
}
