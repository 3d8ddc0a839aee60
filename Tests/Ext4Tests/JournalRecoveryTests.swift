import Ext4
import Storage
import TestSupport
import Testing

/// Replays onto the disk, cut at every moment and judged by e2fsck.
@Suite(.serialized) struct JournalRecoveryTests {
    private func recover(_ image: [UInt8]) throws -> MemoryDevice {
        let device = MemoryDevice(image)
        let recovery = try #require(try Ext4FileSystem.open(device).recovery())
        #expect(device.events.isEmpty)
        try recovery.writes.commit(to: device)
        return device
    }

    /// The image of a commit that was cut once its log counted.
    static func dirty(_ edit: JournalCommitTests.Edit) throws -> [UInt8] {
        let device = MemoryDevice(edit.before)
        _ = try JournalCommitTests.commit(edit, to: device)
        var flushes = 0
        let events = device.events.prefix { event in
            if event == .flush { flushes += 1 }
            return flushes < 2
        }
        return MemoryDevice.replay(edit.before, events)
    }

    @Test(arguments: [1, 4, 9])
    func aCutDuringTheReplayLosesNothing(_ profile: Int) throws {
        let edit = try JournalCommitTests.edit(JournalCommitTests.profiles[profile])
        let image = try Self.dirty(edit)
        let device = try recover(image)
        #expect(try Ext4FileSystem.open(device).recovery() == nil)
        let sweep = CrashSweep(initial: image, events: device.events)
        try sweep.forEachState(subsets: 3, seed: 13) { state in
            let judged = try Judgement(state.image, files: JournalCommitTests.files)
            #expect(judged.isSound, "\(state.label): \(judged.text)")
            #expect(judged.contents == edit.newContents, "\(state.label)")
            // And by a second replay of ours, where there is still something to replay.
            let again = MemoryDevice(state.image)
            try Ext4FileSystem.open(again).recovery()?.writes.commit(to: again)
            #expect(try JournalCommitTests.read(again.contents) == edit.newContents)
            #expect(try Judgement(again.contents, files: []).preen == 0)
        }
    }

    /// A transaction can follow a replay: the plan's own superblocks are what the disk then holds.
    @Test func aCommitFollowsAReplay() throws {
        let edit = try JournalCommitTests.edit(JournalCommitTests.profiles[3])
        let device = MemoryDevice(try Self.dirty(edit))
        let recovery = try #require(try Ext4FileSystem.open(device).recovery())
        let superblock = recovery.superblockAfter
        let block = edit.changes[edit.changes.count - 1]
        let commit = try JournalCommit(
            recovery.journalAfter, superblock: superblock, changes: [block], seconds: 1_800_000_000)
        #expect(device.events.isEmpty)
        try recovery.writes.commit(to: device)
        #expect(try device.bytes(at: 1024, count: 1024) == superblock)
        try commit.writes.commit(to: device)
        let judged = try Judgement(device.contents, files: JournalCommitTests.files)
        #expect(judged.preen == 0 && judged.check == 0, "\(judged.text)")
    }

    /// What stopped the kernel is in the journal's superblock until the file system's says it.
    @Test func theKernelsErrorIsKept() throws {
        let edit = try JournalCommitTests.edit(JournalCommitTests.profiles[0])
        var image = try Self.dirty(edit)
        let sb = Int(try RawExt4(MemoryDevice(image)).blocks(ofInode: 8)[0]) * 1024
        image.storeBig(-5 as Int32, at: sb + 0x20)
        let device = try recover(image)
        let after = device.contents
        #expect(after.big(sb + 0x20, as: UInt32.self) == 0)
        #expect(after.little(1024 + 0x3a, as: UInt16.self) & 2 == 2)
    }

    @Test func aFlagWithoutLogIsCleared() throws {
        var image = try JournalImages.ext3()
        image.storeLittle(image.little(1024 + 0x60, as: UInt32.self) | 4, at: 1024 + 0x60)
        let device = try recover(image)
        let judged = try Judgement(device.contents, files: [])
        #expect(judged.preen == 0 && judged.check == 0)
        #expect(device.contents.little(1024 + 0x60, as: UInt32.self) & 4 == 0)
    }

    @Test func refusals() throws {
        // A damaged log.
        let builder = try LogBuilder(
            JournalImages.ext3(), options: .init(checksums: .v3), start: 1, sequence: 9)
        let written = builder.append(.blocks([builder.copy(5000, 1)]), .commit(seconds: 100))
        builder.damage(written[0], byte: 900)
        let error = #expect(throws: StorageError.self) {
            try Ext4FileSystem.open(MemoryDevice(builder.image))
        }
        #expect(error?.code == "journal-descriptor-checksum")
        // Read on when asked to, never replayed onto the disk.
        let volume = try Ext4FileSystem.open(
            MemoryDevice(builder.image), options: .init(ignoresChecksums: true))
        #expect(volume.warnings.count == 1)
        #expect(throws: StorageError.self) { try volume.recovery() }
        // A device that ends too early.
        let good = try LogBuilder(JournalImages.ext3(), options: .init(), start: 1, sequence: 9)
        good.append(.blocks([good.copy(5000, 1)]), .commit(seconds: 100))
        let short = try Ext4FileSystem.open(MemoryDevice(Array(good.image.prefix(8_000_000))))
        let truncated = #expect(throws: StorageError.self) { try short.recovery() }
        #expect(truncated?.code == "journal-device-truncated")
        // Descriptors that count more free blocks than there are.
        var counts = good.image
        counts.storeLittle(0xffff as UInt16, at: 2048 + 0x0c)
        let wrong = try Ext4FileSystem.open(MemoryDevice(counts))
        let impossible = #expect(throws: StorageError.self) { try wrong.recovery() }
        #expect(impossible?.code == "journal-bad-free-counts")
        // A log that replaces the superblock by something else.
        let other = try LogBuilder(JournalImages.ext3(), options: .init(), start: 1, sequence: 9)
        other.append(.blocks([other.copy(1, 0)]), .commit(seconds: 100))
        let none = #expect(throws: StorageError.self) { try Ext4FileSystem.open(MemoryDevice(other.image)) }
        #expect(none?.code == "bad-magic")
        // A journal elsewhere.
        var external = good.image
        external.storeLittle(0 as UInt32, at: 1024 + 0xe0)
        let elsewhere = #expect(throws: StorageError.self) {
            try Ext4FileSystem.open(MemoryDevice(external))
        }
        #expect(elsewhere?.code == "journal-external")
    }
}

/// Replays of real kernels' logs onto the disk.
@Suite(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"), .serialized)
struct JournalRecoverySampleTests {
    @Test(arguments: ["j_csum3_32bit", "j_debian13", "j_ext3_nocsum_1k", "j_orphan_list", "j_wrap_1k"])
    func aReplayedImageIsSoundAndListsTheSame(_ name: String) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try SharedSamples.unpack("ext4/kernel-made/journal/\(name).img.zst", into: directory)
        let device = try FileDevice(path, access: .write)
        let recovery = try #require(try Ext4FileSystem.open(device).recovery())
        try recovery.writes.commit(to: device)
        let volume = try Ext4FileSystem.open(device)
        #expect(try volume.recovery() == nil)
        let expected = try Listing.expected(
            SharedSamples.path("ext4/kernel-made/journal/\(name).expect.tsv"))
        #expect(try Listing.lines(of: volume) == expected)
        // Orphans are left to e2fsck and the kernel; nothing else is left to do.
        let preen = try Tool.run("e2fsck", ["-p", path], expect: 0...1)
        #expect(!preen.text.contains("recovering journal"), "\(preen.text)")
        try Tool.run("e2fsck", ["-fn", path])
    }

    @Test func fastCommitsAreNotReplayedOntoADisk() throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try SharedSamples.unpack(
            "ext4/kernel-made/journal/j_fast_commit.img.zst", into: directory)
        let volume = try Ext4FileSystem.open(FileDevice(path))
        #expect(volume.warnings == [])
        let error = #expect(throws: StorageError.self) { try volume.recovery() }
        #expect(error?.code == "journal-fast-commit-records" && error?.kind == .unsupported)
    }
}
