import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// Writes come in the order of the ext4 tables in docs/crash-safety.md, and each phase writes what its row says.
@Suite struct CrashOrderTests {
    /// The first column of the tables of the section on ext4, in order.
    private static func tables() throws -> [[String]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/crash-safety.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## ").first { $0.hasPrefix("ext4\n") })
        return section.components(separatedBy: "\n\n").filter { $0.hasPrefix("| phase |") }.map { table in
            table.split(separator: "\n").dropFirst(2).map {
                $0.split(separator: "|")[0].trimmingCharacters(in: .whitespaces)
            }
        }
    }

    /// Bytes that one phase wrote, and the volume as it left it.
    private struct Epoch {
        let ranges: [Range<Int>]
        let after: [UInt8]
    }

    private static func epochs(_ initial: [UInt8], _ events: [MemoryDevice.Event]) -> [Epoch] {
        events.split(separator: .flush).reduce(into: []) { epochs, events in
            let before = epochs.last?.after ?? initial
            let ranges = events.map { event in
                guard case .write(let offset, let bytes) = event else { return 0..<0 }
                return Int(offset)..<Int(offset) + bytes.count
            }
            epochs.append(Epoch(ranges: ranges, after: MemoryDevice.replay(before, events)))
        }
    }

    private static func prepare(_ device: MemoryDevice) throws -> PreparedExt4Change {
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        _ = try transaction.createFile(
            Array("new".utf8), in: volume.rootDirectory, contents: ReplaceContentsTests.contents(20_000),
            attributes: .init(permissions: 0o600))
        let prepared = try transaction.prepare()
        #expect(device.events.isEmpty)
        return try #require(prepared as? PreparedExt4Change)
    }

    @Test(arguments: [0, 1, 4, 9])
    func withAJournal(_ index: Int) throws {
        let profile = JournalCommitTests.profiles[index]
        let dirty = try JournalRecoveryTests.dirty(JournalCommitTests.edit(profile))
        let device = MemoryDevice(dirty)
        let prepared = try Self.prepare(device)
        let table = try #require(try Self.tables().first)
        #expect(table.count == 9 && prepared.writes.phases.map(\.name) == table)

        try prepared.commit()
        let raw = try RawExt4(device)
        let journalBlocks = Set(try raw.blocks(ofInode: 8).map(Int.init))
        let journalStart = Int(try raw.blocks(ofInode: 8)[0]) * raw.blockSize
        func isInJournal(_ range: Range<Int>) -> Bool {
            let blocks = range.lowerBound / raw.blockSize...(range.upperBound - 1) / raw.blockSize
            return blocks.allSatisfy { journalBlocks.contains($0) }
        }
        func needsRecovery(_ bytes: [UInt8]) -> Bool { bytes.little(1024 + 0x60, as: UInt32.self) & 4 != 0 }
        func logStart(_ bytes: [UInt8]) -> UInt32 { bytes.big(journalStart + 0x1c) }
        let epochs = Self.epochs(dirty, device.events)
        #expect(epochs.count == table.count && device.events.last == .flush)
        for (name, epoch) in zip(table, epochs) {
            let inJournal = epoch.ranges.filter(isInJournal)
            let journalSuperblock = epoch.ranges.map(\.lowerBound) == [journalStart]
            let superblock = epoch.ranges.map(\.lowerBound) == [1024]
            switch name {
            case "replay": #expect(inJournal.isEmpty && logStart(epoch.after) != 0)
            case "replay checkpoint", "checkpoint": #expect(journalSuperblock && logStart(epoch.after) == 0)
            case "replay clean", "clean": #expect(superblock && logStart(epoch.after) == 0)
            case "new data":
                #expect(inJournal.isEmpty && epoch.ranges.reduce(0) { $0 + $1.count } >= 20_000)
            case "log":
                #expect(epoch.ranges.filter { !isInJournal($0) } == [1024..<2048])
                #expect(!inJournal.isEmpty && inJournal.allSatisfy { $0.lowerBound != journalStart })
                #expect(logStart(epoch.after) == 0)
            case "commit": #expect(journalSuperblock && logStart(epoch.after) != 0)
            case "home": #expect(inJournal.isEmpty && logStart(epoch.after) != 0)
            default: Issue.record("no such phase: \(name)")
            }
            let isBetween = ["replay clean", "new data", "clean"].contains(name)
            #expect(needsRecovery(epoch.after) == !isBetween, "\(name)")
        }
    }

    @Test func withoutAJournal() throws {
        let image = try Image(.unjournaled, blockSize: 1024, byteCount: 4 << 20)
        let before = try fileBytes(image.path)
        let device = MemoryDevice(before)
        let prepared = try Self.prepare(device)
        let table = try #require(try Self.tables().last)
        // One stage: each phase once.
        let names = prepared.writes.phases.flatMap { $0.name.components(separatedBy: " and ") }
        let places = try names.map { try #require(table.firstIndex(of: $0)) }
        #expect(places == places.sorted() && Set(places).count == places.count)
        #expect(Set(names).isSuperset(of: ["unclean", "early", "inodes", "counts", "clean"]))

        try prepared.commit()
        let epochs = Self.epochs(before, device.events)
        #expect(epochs.count == prepared.writes.phases.count)
        for (index, epoch) in epochs.enumerated() {
            let isValid = epoch.after.little(1024 + 0x3a, as: UInt16.self) & 1 != 0
            #expect(isValid == (index == epochs.count - 1))
        }
    }
}
