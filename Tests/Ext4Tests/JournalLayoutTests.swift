import Ext4
import Storage
import TestSupport
import Testing

/// What a transaction may hold, where it lies in the log, and what is refused before anything is written.
@Suite struct JournalLayoutTests {
    private func parts(
        _ image: [UInt8], _ options: LogBuilder.Options = .init()
    ) throws -> (device: MemoryDevice, journal: Journal, superblock: [UInt8]) {
        var image = image
        let raw = try RawExt4(MemoryDevice(image))
        let sb = Int(try raw.blocks(ofInode: 8)[0]) * raw.blockSize
        options.declare(in: &image, at: sb, start: 0, sequence: image.big(sb + 0x18))
        let device = MemoryDevice(image)
        return (
            device, try Journal(RawExt4(device).journalFile()), try device.bytes(at: 1024, count: 1024)
        )
    }

    private func change(_ block: UInt64, _ byte: UInt8 = 1, count: Int = 1024) -> BlockChange {
        BlockChange(block: block, bytes: [UInt8](repeating: byte, count: count))
    }

    @Test(arguments: JournalScanTests.formats)
    func theLargestTransactionFitsAndOneMoreIsRefused(_ options: LogBuilder.Options) throws {
        let (device, journal, superblock) = try parts(JournalImages.ext3(), options)
        let count = JournalCommit.maximumBlockCount(in: journal)
        #expect(JournalCommit.logBlockCount(count, in: journal) <= 1023)
        #expect(JournalCommit.logBlockCount(count + 1, in: journal) > 1023)
        let changes = (0..<count).map { change(UInt64(5000 + $0), UInt8($0 % 255 + 1)) }
        let error = #expect(throws: StorageError.self) {
            try JournalCommit(
                journal, superblock: superblock, changes: changes + [change(UInt64(5000 + count))],
                seconds: 1)
        }
        #expect(error?.code == "journal-transaction-too-large" && error?.kind == .refused)
        #expect(device.events.isEmpty)

        // Cut behind the commit point: e2fsck replays the whole ring's worth.
        let commit = try JournalCommit(journal, superblock: superblock, changes: changes, seconds: 1)
        try commit.writes.upTo("commit").commit(to: device)
        let (bytes, replay) = try JournalImages.replayed(device.contents)
        #expect(replay.copies.count == count && replay.transactionCount == 1)
        let judged = try JournalImages.replayedByE2fsck(device.contents)
        #expect(try JournalImages.differences(bytes, judged) == [])
        #expect(try JournalImages.differences(bytes, device.contents) == Array(5000..<5000 + count))
    }

    @Test func nothingChangesNothing() throws {
        let (_, journal, superblock) = try parts(JournalImages.ext3())
        let commit = try JournalCommit(journal, superblock: superblock, changes: [], seconds: 1)
        #expect(commit.writes.isEmpty && commit.writes.blockCount(of: 1024) == 0)
        #expect(commit.journalAfter.superblock == journal.superblock)
    }

    @Test func newDataIsWrittenFirstAndNotLogged() throws {
        let (device, journal, superblock) = try parts(JournalImages.ext3())
        let commit = try JournalCommit(
            journal, superblock: superblock, changes: [change(5000)], newData: [change(6000), change(6001)],
            seconds: 1)
        #expect(commit.writes.phases.map(\.name) == JournalCommit.Step.allCases.map(\.rawValue))
        // Two new blocks; descriptor, copy, commit; home; superblock twice, journal superblock twice.
        #expect(commit.writes.blockCount(of: 1024) == 2 + 3 + 1 + 4)
        // Neighbours in one write.
        try commit.writes.commit(to: device)
        let both = [UInt8](repeating: 1, count: 2048)
        #expect(Array(device.events.prefix(2)) == [.write(offset: 6000 * 1024, bytes: both), .flush])
    }

    @Test func transactionsFollowEachOther() throws {
        let (device, first, superblock) = try parts(JournalImages.ext3(), .init(checksums: .v3))
        let one = try JournalCommit(first, superblock: superblock, changes: [change(5000)], seconds: 1)
        try one.writes.commit(to: device)
        let two = try JournalCommit(
            one.journalAfter, superblock: one.superblockAfter, changes: [change(5000, 2)], seconds: 2)
        try two.writes.upTo("commit").commit(to: device)
        let (bytes, replay) = try JournalImages.replayed(device.contents)
        #expect(replay.nextSequence == first.superblock.sequence &+ 2)
        #expect(bytes[5000 * 1024] == 2)
    }

    /// A journal whose numbers were reset (or that lies where another was) can hold a block that looks like the
    /// next transaction; without checksums nothing else tells.
    @Test func aStaleSuccessorIsOverwritten() throws {
        let builder = try LogBuilder(JournalImages.ext3(), options: .init(), start: 4, sequence: 2)
        builder.append(.blocks([builder.copy(5001, 9)]), .commit(seconds: 5))
        let (device, journal, superblock) = try {
            var image = builder.image
            // Clean again, at the number before the stale transaction's.
            image.storeBig(0 as UInt32, at: builder.offset(0) + 0x1c)
            image.storeBig(1 as UInt32, at: builder.offset(0) + 0x18)
            image.storeLittle(image.little(1024 + 0x60, as: UInt32.self) & ~4, at: 1024 + 0x60)
            return try parts(image)
        }()
        let commit = try JournalCommit(journal, superblock: superblock, changes: [change(5000)], seconds: 1)
        try commit.writes.upTo("commit").commit(to: device)
        let (_, replay) = try JournalImages.replayed(device.contents)
        #expect(replay.copies.map(\.block) == [5000] && replay.end == .endOfLog)
    }

    @Test func misuseIsRefusedBeforeAnyWrite() throws {
        let (device, journal, superblock) = try parts(JournalImages.ext3())
        func expect(
            _ code: String, _ changes: [BlockChange], superblock: [UInt8], journal: Journal = journal
        ) {
            let error = #expect(throws: StorageError.self) {
                try JournalCommit(journal, superblock: superblock, changes: changes, seconds: 1)
            }
            #expect(error?.code == code)
        }
        let inJournal = journal.file.runs[0].deviceBlock
        for changes in [
            [change(8192)], [change(5000, count: 512)], [change(5001), change(5000)],
            [change(5000), change(5000)], [change(inJournal)],
        ] {
            expect("journal-bad-change", changes, superblock: superblock)
        }
        expect("journal-not-a-superblock", [change(1)], superblock: superblock)
        expect("journal-not-a-superblock", [change(5000)], superblock: [UInt8](repeating: 0, count: 1024))
        var flagged = superblock
        flagged.storeLittle(superblock.little(0x60, as: UInt32.self) | 4, at: 0x60)
        expect("journal-not-empty", [change(5000)], superblock: flagged)
        let builder = try LogBuilder(device.contents, options: .init(), start: 4, sequence: 2)
        let full = try Journal(RawExt4(MemoryDevice(builder.image)).journalFile())
        expect("journal-not-empty", [change(5000)], superblock: superblock, journal: full)
        let short = MemoryDevice(Array(device.contents.prefix(7 << 20)))
        let cut = try Journal(
            JournalFile(
                device: short, blockSize: 1024, fileSystemBlockCount: 8192, runs: journal.file.runs))
        expect("journal-device-truncated", [change(5000)], superblock: superblock, journal: cut)
        #expect(device.events.isEmpty)
    }
}
