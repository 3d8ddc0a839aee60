import Ext4
import Storage
@_spi(Testing) import TestSupport
import Testing

/// Changes that debugfs makes to a copy of an image, committed here as one transaction, with the power cut at
/// every moment; e2fsck and debugfs judge what is left.
@Suite(.serialized) struct JournalCommitTests {
    /// A kind of guest: what mke2fs is told, and what its kernel declares in the journal.
    struct Profile: Sendable, CustomTestStringConvertible {
        var name: String
        var features: [String]
        var blockSize = 4096
        var journal = LogBuilder.Options()
        var testDescription: String { "\(name), \(blockSize / 1024)K" }
    }

    private static let base = "has_journal,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file"
    private static let ext4 = base + ",extent,flex_bg,huge_file,dir_nlink,extra_isize"

    static let profiles: [Profile] = [1024, 4096].flatMap { blockSize in
        [
            Profile(name: "P1 ext3", features: ["-O", base, "-I", "128"], blockSize: blockSize),
            Profile(
                name: "P2 uninit_bg", features: ["-O", ext4 + ",uninit_bg"], blockSize: blockSize,
                journal: .init(checksums: .v1)),
            Profile(
                name: "P3 64bit", features: ["-O", ext4 + ",uninit_bg,64bit"], blockSize: blockSize,
                journal: .init(wide: true)),
            Profile(
                name: "P4 metadata_csum", features: ["-O", ext4 + ",64bit,metadata_csum"],
                blockSize: blockSize, journal: .init(checksums: .v3, wide: true)),
            Profile(
                name: "P5 orphan_file",
                features: ["-O", ext4 + ",64bit,metadata_csum,metadata_csum_seed,orphan_file"],
                blockSize: blockSize, journal: .init(checksums: .v3, wide: true)),
            Profile(
                name: "csum_v2", features: ["-O", ext4 + ",metadata_csum"], blockSize: blockSize,
                journal: .init(checksums: .v2)),
        ]
    }

    /// An image before and after an edit, and what differs.
    struct Edit {
        var before: [UInt8]
        var after: [UInt8]
        var changes: [BlockChange]
        var oldContents: [[UInt8]]
        var newContents: [[UInt8]]
    }

    static let files = ["/etc/grub.cfg", "/etc/inplace"]

    /// A tree with two files; one is replaced by debugfs, one overwritten in place with a block that begins with
    /// the journal's magic number, and a directory and a long file are added.
    static func edit(_ profile: Profile, declareJournal: Bool = true) throws -> Edit {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        var random = SeededRandom(5)
        let old = [Array("timeout=5\n".utf8), [UInt8](repeating: 0x6f, count: profile.blockSize)]
        var new = [Array("timeout=0\n".utf8) + random.bytes(3000), random.bytes(profile.blockSize)]
        new[1].storeBig(0xc03b_3998 as UInt32, at: 0)
        try directory.write("tree/etc/grub.cfg", old[0])
        try directory.write("tree/etc/inplace", old[1])
        try directory.write("tree/boot/vmlinuz", random.bytes(20_000))
        try directory.write("new", new[0])
        try directory.write("long", random.bytes(profile.blockSize * 130))
        let path = try directory.sparse(
            "image", byteCount: UInt64(profile.blockSize == 1024 ? 6 << 20 : 16 << 20))
        let journalSize = profile.blockSize == 1024 ? "size=1" : "size=4"
        try Tool.run(
            "mke2fs",
            ["-q", "-F", "-m", "0", "-b", "\(profile.blockSize)", "-J", journalSize] + profile.features
                + ["-d", directory.path("tree"), path])
        var before = try fileBytes(path)
        if declareJournal {
            let sb = Int(try RawExt4(MemoryDevice(before)).blocks(ofInode: 8)[0]) * profile.blockSize
            profile.journal.declare(in: &before, at: sb, start: 0, sequence: before.big(sb + 0x18))
        }
        try directory.write("image", before)
        try directory.write(
            "script",
            """
            rm /etc/grub.cfg
            write \(directory.path("new")) /etc/grub.cfg
            mkdir /boot/grub2
            write \(directory.path("long")) /boot/long
            """)
        let found = try Tool.run("debugfs", ["-R", "blocks /etc/inplace", path]).text
        try Tool.run("debugfs", ["-w", "-f", directory.path("script"), path])
        var after = try fileBytes(path)
        let block = try #require(Int(found.split(whereSeparator: \.isWhitespace).last ?? ""))
        after.replaceSubrange(
            block * profile.blockSize..<(block + 1) * profile.blockSize, with: new[1])
        return Edit(
            before: before, after: after, changes: changes(before, after, blockSize: profile.blockSize),
            oldContents: old, newContents: new)
    }

    static func changes(_ before: [UInt8], _ after: [UInt8], blockSize: Int) -> [BlockChange] {
        differingBlocks(before, after, blockSize: blockSize).map { block in
            BlockChange(
                block: UInt64(block), bytes: Array(after[block * blockSize..<(block + 1) * blockSize]))
        }
    }

    /// The contents that this engine reads, without any replay on the disk.
    static func read(_ image: [UInt8]) throws -> [[UInt8]] {
        let volume = try Ext4FileSystem.open(MemoryDevice(image))
        let root = volume.rootDirectory
        let etc = try #require(try volume.lookUp(Array("etc".utf8), in: root))
        return try ["grub.cfg", "inplace"].map { name in
            let file = try #require(try volume.lookUp(Array(name.utf8), in: etc))
            return try volume.contents(of: file)
        }
    }

    static func commit(_ edit: Edit, to device: MemoryDevice) throws -> JournalCommit {
        let journal = try Journal(RawExt4(device).journalFile())
        let commit = try JournalCommit(
            journal, superblock: device.bytes(at: 1024, count: 1024), changes: edit.changes,
            seconds: 1_700_000_000)
        try commit.writes.commit(to: device)
        return commit
    }

    @Test(arguments: profiles)
    func aCutAtAnyMomentLeavesOldOrNew(_ profile: Profile) throws {
        try sweep(profile, Self.edit(profile))
    }

    /// What mke2fs makes and no kernel has mounted: a journal without features in a file system with checksums.
    @Test func aJournalThatWasNeverMounted() throws {
        let profile = Self.profiles[4]
        try sweep(profile, Self.edit(profile, declareJournal: false))
    }

    private func sweep(_ profile: Profile, _ edit: Edit) throws {
        let device = MemoryDevice(edit.before)
        let commit = try Self.commit(edit, to: device)
        #expect(commit.writes.phases.map(\.name) == ["log", "commit", "home", "checkpoint", "clean"])
        // Only the journal differs from what debugfs made.
        let journalBlocks = Set(try RawExt4(device).blocks(ofInode: 8))
        let different = Self.changes(device.contents, edit.after, blockSize: profile.blockSize)
        #expect(different.allSatisfy { journalBlocks.contains($0.block) })
        #expect(try device.bytes(at: 1024, count: 1024) == commit.superblockAfter)
        #expect(try Journal(RawExt4(device).journalFile()).superblock == commit.journalAfter.superblock)

        try PowerCut.replay(commit.writes, onto: edit.before, pieceByteCount: 1024, seed: 7) { state in
            let judged = try Judgement(state.image, files: Self.files)
            #expect(judged.isSound, "\(state.label): \(judged.text)")
            switch state.phase {
            case "log": #expect(judged.contents == edit.oldContents, "\(state.label)")
            // Makes the log count.
            case "commit":
                #expect(judged.contents == edit.oldContents || judged.contents == edit.newContents)
            default: #expect(judged.contents == edit.newContents, "\(state.label)")
            }
            #expect(try Self.read(state.image) == judged.contents, "\(state.label)")
        }
    }
}
