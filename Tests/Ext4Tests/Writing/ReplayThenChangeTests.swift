import Ext4
import Storage
import TestSupport
import Testing

/// Changes of volumes whose journal is not empty: the replay comes first, and what it brings is there afterwards.
@Suite struct ReplayThenChangeTests {
    private static func commitOver(_ dirty: [UInt8], _ edit: JournalCommitTests.Edit) throws {
        let device = MemoryDevice(dirty)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try transaction.replaceContents(of: volume.file("/etc/grub.cfg"), with: Array("ours\n".utf8))
        _ = try transaction.createFile(
            Array("new".utf8), in: volume.file("/boot/grub2"), contents: ReplaceContentsTests.contents(9000),
            attributes: .init(permissions: 0o600))
        try transaction.prepare().commit()

        let directory = try TemporaryDirectory()
        let image = Image(directory: directory, path: try directory.write("image", device.contents))
        #expect(try image.defects() == "")
        #expect(try image.contents("/etc/grub.cfg") == Array("ours\n".utf8))
        #expect(try image.contents("/etc/inplace") == edit.newContents[1])
        #expect(try image.contents("/boot/grub2/new") == ReplaceContentsTests.contents(9000))
    }

    @Test(arguments: JournalCommitTests.profiles)
    func theReplayComesFirst(_ profile: JournalCommitTests.Profile) throws {
        let edit = try JournalCommitTests.edit(profile)
        try Self.commitOver(JournalRecoveryTests.dirty(edit), edit)
    }

    /// A kernel does not keep the superblock's free counts while it runs: what it logs may be old.
    @Test(arguments: [0, 1, 6, 7])
    func oldFreeCountsAreCountedAgain(_ profile: Int) throws {
        let profile = JournalCommitTests.profiles[profile]
        var edit = try JournalCommitTests.edit(profile)
        let place = profile.blockSize == 1024 ? (block: UInt64(1), offset: 0) : (block: 0, offset: 1024)
        let index = try #require(edit.changes.firstIndex { $0.block == place.block })
        let counts = Array(edit.before[1024 + 0x0c..<1024 + 0x14])
        edit.changes[index].bytes.replaceSubrange(place.offset + 0x0c..<place.offset + 0x14, with: counts)
        try Self.commitOver(JournalRecoveryTests.dirty(edit), edit)
    }
}

/// Files that were deleted while open: the list of them is the kernel's and e2fsck's to work through.
@Suite struct OrphanTests {
    @Test(arguments: [Profile.ext2, .ext3, .seeded])
    func theListStays(_ profile: Profile) throws {
        let image = try Image(
            profile, blockSize: 1024,
            files: ["gone": ReplaceContentsTests.contents(50_000), "other": [1], "keep": [2]])
        let words = try image.debugfs("stat /gone").split(whereSeparator: { " \n".contains($0) })
        let number = try #require(Int(words[1]))
        for command in [
            "unlink /gone", "sif <\(number)> links_count 0", "sif <\(number)> dtime 0",
            "ssv last_orphan \(number)",
        ] {
            _ = try image.debugfs(command, writing: true)
        }
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let root = volume.rootDirectory
        _ = try transaction.createFile(
            Array("new".utf8), in: root, contents: ReplaceContentsTests.contents(3000),
            attributes: .init(permissions: 0o600))
        try transaction.remove(Array("other".utf8), in: root)
        try transaction.prepare().commit()
        let preen = try Tool.run("e2fsck", ["-fp", image.path], expect: 0...1)
        #expect(preen.text.contains("Clearing orphaned inode \(number)"), "\(preen.text)")
        #expect(try image.defects() == "")
        #expect(try image.contents("/new") == ReplaceContentsTests.contents(3000))
    }
}
