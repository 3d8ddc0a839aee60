import Ext4
import Storage
import TestSupport
import Testing

/// Dirty journals that real kernels left, and those of e2fsck's own tests.
@Suite(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"), .serialized)
struct JournalSampleTests {
    private func image(_ name: String) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        return try fileBytes(SharedSamples.unpack("ext4/" + name, into: directory))
    }

    /// Listed as the kernel lists the tree after its own replay; not a byte written.
    @Test(arguments: [
        "j_csum3_32bit", "j_csum3_64bit", "j_data_journal_escape", "j_debian13", "j_ext3_nocsum",
        "j_fast_commit",
        "j_ext3_nocsum_1k", "j_orphan_file", "j_orphan_list", "j_rhel6_nocsum", "j_rhel6_nocsum_1k",
        "j_v1csum", "j_wrap_1k",
    ])
    func dirtyImagesListAsTheKernelListsThem(_ name: String) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let image = try SharedSamples.unpack("ext4/kernel-made/journal/\(name).img.zst", into: directory)
        let volume = try Ext4FileSystem.open(FileDevice(image))
        let listed = try Listing.lines(of: volume)
        let expected = try Listing.expected(
            SharedSamples.path("ext4/kernel-made/journal/\(name).expect.tsv"))
        #expect(expected.subtracting(listed).map(\.displayText) == [])
        #expect(listed.subtracting(expected).map(\.displayText) == [])
        #expect(volume.warnings == [])
    }

    /// What the kernel's logs hold, and what e2fsck makes of the same image, block by block.
    @Test(arguments: [
        "j_csum3_32bit", "j_csum3_64bit", "j_data_journal_escape", "j_debian13", "j_ext3_nocsum",
        "j_ext3_nocsum_1k", "j_orphan_file", "j_orphan_list", "j_rhel6_nocsum", "j_rhel6_nocsum_1k",
        "j_v1csum", "j_wrap_1k",
    ])
    func kernelLogsReplayAsE2fsckReplaysThem(_ name: String) throws {
        let image = try image("kernel-made/journal/\(name).img.zst")
        let (bytes, replay) = try JournalImages.replayed(image)
        // e2fsck would clear the orphans as well, debugfs does not.
        let judged =
            try name.hasPrefix("j_orphan")
            ? JournalImages.replayedByDebugfs(image) : JournalImages.replayedByE2fsck(image)
        #expect(try JournalImages.differences(bytes, judged) == [])
        #expect(try JournalImages.differences(bytes, image) != [])
        #expect(replay.fastCommits == nil && replay.transactionCount > 0)
        if name == "j_data_journal_escape" { #expect(replay.copies.contains { $0.isEscaped }) }
    }

    @Test func fastCommitsAreFound() throws {
        let image = try image("kernel-made/journal/j_fast_commit.img.zst")
        let (_, replay) = try JournalImages.replayed(image)
        // Transactions 5 and 6 are full commits; what is in the area belongs to 7.
        #expect(replay.transactionCount == 2 && replay.nextSequence == 7)
        #expect(replay.fastCommits?.records.map(\.tag) == [.head, .addRange, .inode, .tail])
    }

    @Test func checksumVersion2() throws {
        let image = try image("e2fsprogs-tests/j_recover_csum2_32bit/image.bz2")
        let (bytes, _) = try JournalImages.replayed(image)
        let judged = try JournalImages.replayedByE2fsck(image)
        #expect(try JournalImages.differences(bytes, judged) == [])
    }

    @Test(arguments: [
        ("j_corrupt_commit_csum", "journal-commit-checksum"),
        ("j_corrupt_descr_csum", "journal-descriptor-checksum"),
        ("j_corrupt_journal_block", "journal-data-checksum"),
        ("j_corrupt_sb_csum", "journal-superblock-checksum"),
    ])
    func corruptLogs(_ name: String, _ code: String) throws {
        let image = try image("e2fsprogs-tests/\(name)/image.gz")
        let error = #expect(throws: StorageError.self) { try JournalImages.replayed(image) }
        #expect(error?.code == code)
    }

    /// e2fsck takes these for the log's end, without an error.
    @Test(arguments: [
        ("j_corrupt_descr_tid", JournalReplay.End.endOfLog), ("j_corrupt_revoke_block", .uncommitted),
        ("j_corrupt_revoke_csum", .uncommitted),
    ])
    func logsThatEndEarly(_ name: String, _ end: JournalReplay.End) throws {
        let image = try image("e2fsprogs-tests/\(name)/image.gz")
        let (bytes, replay) = try JournalImages.replayed(image)
        let judged = try JournalImages.replayedByE2fsck(image)
        #expect(replay.end == end)
        #expect(try JournalImages.differences(bytes, judged) == [])
    }
}
