import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// The power fails after any operation, and of what was written since a file's last barrier any sectors may be
/// missing: the disk opens, here and in qemu, and each of its sectors is as it was after one of the writes.
struct VMDKCrashTests {
    /// One session: guest writes with flushes, recorded down to the host files.
    private struct Session {
        var names: [String]
        var before: [[UInt8]]
        /// The parents' files, which nobody writes.
        var others: [(name: String, bytes: [UInt8])]
        var operations: [HostTransaction.Operation]
        /// Guest contents before and after each write.
        var states: [[UInt8]]
        /// Guest bytes that were written, in whole grains.
        var touched: [Range<Int>]
    }

    private func open(_ path: String, _ access: FileAccess = .read) throws -> OpenedImage {
        var options = ImageOpenOptions(access: access, locking: .ignore, references: VMDKFixtures.siblings)
        options.dropsChangeTracking = true
        return try ImageProbe.open(path, options: options)
    }

    private func record(_ path: String, writes: [(offset: Int, count: Int)], flushAfter: Set<Int>) throws
        -> Session
    {
        let image = try open(path, .write)
        let files = image.disk.map.hostFiles
        func named(_ file: any ByteFile) throws -> (String, [UInt8]) {
            (HostPath.name(of: file.path), try fileBytes(file.path))
        }
        var session = Session(
            names: files.map { HostPath.name(of: $0.path) }, before: try files.map { try fileBytes($0.path) },
            others: try image.disk.hostFiles.dropFirst(files.count).map(named), operations: [],
            states: [try VMDKFixtures.contents(image.disk)], touched: [])
        let transaction = try HostTransaction(files)
        for (index, write) in writes.enumerated() {
            let data = [UInt8](repeating: UInt8(index + 100), count: write.count)
            try image.disk.write(data, at: UInt64(write.offset))
            var state = session.states[index]
            state.replaceSubrange(write.offset..<write.offset + write.count, with: data)
            session.states.append(state)
            let start = write.offset / 65536 * 65536
            let end = min((write.offset + write.count + 65535) / 65536 * 65536, state.count)
            session.touched.append(start..<end)
            if flushAfter.contains(index) { try image.disk.flush() }
        }
        try image.disk.flush()
        session.operations = transaction.recordedOperations
        transaction.rollBack()
        return session
    }

    /// The files as they are when the power fails after `cut` operations: what came before a file's last flush is
    /// certain, of the rest what `survives` says, asked for each operation's number and each sector of a write.
    private func state(_ session: Session, cut: Int, survives: (Int) -> Bool) -> [[UInt8]] {
        var files = session.before
        let done = session.operations.prefix(cut)
        for index in files.indices {
            let flushed = done.lastIndex { if case .flush(index) = $0 { true } else { false } } ?? -1
            for (number, operation) in done.enumerated() {
                switch operation {
                case .write(index, let offset, let bytes):
                    var position = 0
                    while position < bytes.count {
                        let step = min(512 - (Int(offset) + position) % 512, bytes.count - position)
                        if number < flushed || survives(number) {
                            Self.put(
                                bytes[position..<position + step], at: Int(offset) + position, &files[index])
                        }
                        position += step
                    }
                case .truncate(index, let length):
                    guard number < flushed || survives(number) else { continue }
                    let count = files[index].count
                    if Int(length) < count { files[index].removeLast(count - Int(length)) }
                    files[index] += [UInt8](repeating: 0, count: max(0, Int(length) - count))
                default: continue
                }
            }
        }
        return files
    }

    private static func put(_ bytes: ArraySlice<UInt8>, at offset: Int, _ file: inout [UInt8]) {
        let end = offset + bytes.count
        if file.count < end { file += [UInt8](repeating: 0, count: end - file.count) }
        file.replaceSubrange(offset..<end, with: bytes)
    }

    private func expectUsable(
        _ session: Session, _ files: [[UInt8]], _ note: String, asksQemu: Bool
    ) throws {
        let directory = try TemporaryDirectory()
        for (name, bytes) in session.others + zip(session.names, files) { try directory.write(name, bytes) }
        let path = directory.path(session.names[0])
        if asksQemu { try Tool.run("qemu-img", ["check", "-f", "vmdk", path]) }
        for name in session.names where !name.hasSuffix("-flat.vmdk") {
            let damage = try VMDKFixtures.findings(directory.path(name)).filter { $0.severity == .damage }
            #expect(damage == [], "\(note)")
        }
        do {
            let image = try open(path)
            #expect(image.info.warnings == [])
            for range in session.touched {
                let now = try image.disk.bytes(at: UInt64(range.lowerBound), count: range.count)
                for start in stride(from: 0, to: range.count, by: 512) {
                    let isKnown = session.states.contains {
                        VMDKFixtures.isSame(now, start, $0, range.lowerBound + start, count: 512)
                    }
                    if !isKnown {
                        Issue.record(
                            "\(note): guest sector at \(range.lowerBound + start) is neither old nor new")
                        return
                    }
                }
            }
        }
        // The next session goes on from there, and makes the copies of the tables agree again.
        let image = try open(path, .write)
        for range in session.touched { try image.disk.write([1, 2, 3], at: UInt64(range.lowerBound)) }
        try image.disk.flush()
        for range in session.touched {
            #expect(try image.disk.bytes(at: UInt64(range.lowerBound), count: 3) == [1, 2, 3])
        }
    }

    private func cutEverywhere(_ session: Session, seed: UInt64, asksQemu: Bool = true) throws {
        var random = SeededRandom(seed)
        var lastFlush = -1
        for cut in 0...session.operations.count {
            try expectUsable(
                session, state(session, cut: cut) { _ in true }, "cut \(cut)", asksQemu: asksQemu)
            guard cut < session.operations.count, case .flush = session.operations[cut] else { continue }
            // Just before a barrier the most is uncertain: each write alone, all but it, and any sectors.
            for number in lastFlush + 1..<cut {
                try expectUsable(
                    session, state(session, cut: cut) { $0 == number }, "only \(number) of \(cut)",
                    asksQemu: asksQemu)
                try expectUsable(
                    session, state(session, cut: cut) { $0 != number }, "not \(number) of \(cut)",
                    asksQemu: asksQemu)
            }
            for turn in 0..<4 where cut > lastFlush + 1 {
                let files = state(session, cut: cut) { _ in Int.random(in: 0...4, using: &random) > turn }
                try expectUsable(session, files, "torn \(turn) at \(cut)", asksQemu: asksQemu)
            }
            lastFlush = cut
        }
        #expect(lastFlush > 0)
    }

    @Test(arguments: ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse"])
    func everyCutLeavesOldOrNew(subformat: String) throws {
        let directory = try TemporaryDirectory()
        var bytes = [UInt8](repeating: 0, count: 3 << 20)
        bytes.replaceSubrange(0..<200_000, with: [UInt8](repeating: 1, count: 200_000))
        let path = try VMDKFixtures.convert(
            try directory.write("raw", bytes), in: directory, subformat: subformat)
        let session = try record(
            path,
            writes: [
                (100, 600), (190_000, 100_000), (1 << 20, 140_000), (150_000, 3000), (3 << 20 - 700, 700),
            ],
            flushAfter: [1, 3])
        try cutEverywhere(session, seed: 1)
    }

    @Test func everyCutWhileTablesAreMade() throws {
        let directory = try TemporaryDirectory()
        let path = try VMDKFixtures.withoutTables(directory, byteCount: 100 << 20, tables: [0, 1, 2])
        let session = try record(
            path, writes: [((32 << 20) - 70_000, 140_000), (70 << 20, 1000), (1 << 20, 65536)],
            flushAfter: [0])
        try cutEverywhere(session, seed: 2)
    }

    /// Several extents, of two files and two kinds, over a parent; the last grain is cut.
    @Test func everyCutOfAChainOfSeveralExtents() throws {
        let directory = try TemporaryDirectory()
        let size = 3 << 20 | 512
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: size, seed: 4, name: "base-flat.vmdk")
        try directory.write(
            "base.vmdk", VMDKFixtures.descriptor("vmfs", "RW \(size / 512) VMFS \"base-flat.vmdk\""))
        var shown = raw.bytes
        shown.replaceSubrange(300_000..<400_000, with: [UInt8](repeating: 3, count: 100_000))
        try directory.write(
            "c-1.vmdk", VMDKFixtures.vmfsSparse(Array(shown[0..<1 << 20])) { (600..<700).contains($0) })
        try directory.write(
            "c-2.vmdk", VMDKFixtures.vmfsSparse(Array(shown[2 << 20..<size]), grainSectors: 8) { _ in false })
        try Tool.run("qemu-img", ["create", "-q", "-f", "vmdk", directory.path("c-3.vmdk"), "1M"])
        let path = try directory.write(
            "child.vmdk",
            VMDKFixtures.descriptor(
                "custom",
                "RW 2048 VMFSSPARSE \"c-1.vmdk\"\nRW 2048 SPARSE \"c-3.vmdk\"\nRW 2049 VMFSSPARSE \"c-2.vmdk\"",
                contentID: "11111111", parent: ("00c0ffee", "base.vmdk"),
                more: "changeTrackPath=\"c-ctk.vmdk\""))
        let session = try record(
            path,
            writes: [
                (310_000, 3000), (1 << 20 - 5000, 80_000), (2 << 20 - 700, 1400), (10_000, 600),
                (size - 700, 700),
            ], flushAfter: [1, 3])
        try cutEverywhere(session, seed: 3, asksQemu: false)
    }

    @Test func everyCutOfAnESXSnapshot() throws {
        let directory = try TemporaryDirectory()
        let (_, child, _) = try VMDKChainTests.pair(.vmfsSparse, directory, byteCount: 5 << 20)
        let session = try record(
            child, writes: [(100, 600), (2 << 20 - 5000, 10_000), (3_000_000, 66_000), (4_500_000, 3)],
            flushAfter: [0, 2])
        try cutEverywhere(session, seed: 4)
    }
}
