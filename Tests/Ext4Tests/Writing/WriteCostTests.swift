import Ext4
import Storage
import TestSupport
import Testing

/// What changes cost, counted on a device that records every write and flush.
@Suite struct WriteCostTests {
    private static func volume(_ profile: Profile, _ blockSize: Int) throws -> MemoryDevice {
        let image = try Image(
            profile, blockSize: blockSize,
            files: [
                "etc/fstab": ReplaceContentsTests.contents(3000),
                "big": ReplaceContentsTests.contents(200_000),
            ]
        )
        return MemoryDevice(try fileBytes(image.path))
    }

    private static func blocksWritten(_ events: [MemoryDevice.Event], _ blockSize: Int) -> Int {
        events.reduce(0) { sum, event in
            guard case .write(_, let bytes) = event else { return sum }
            return sum + (bytes.count + blockSize - 1) / blockSize
        }
    }

    /// One transaction, fewer than 40 blocks, log and superblocks counted.
    @Test(arguments: Profile.all, [1024, 2048, 4096])
    func replacingAFile(_ profile: Profile, blockSize: Int) throws {
        for size in [3000, 9000, 20, 0] {
            let device = try Self.volume(profile, blockSize)
            let volume = try Ext4FileSystem.open(device)
            let transaction = try volume.begin()
            try transaction.replaceContents(
                of: volume.file("/etc/fstab"), with: [UInt8](repeating: 0x61, count: size))
            let prepared = try transaction.prepare()
            #expect(device.events.isEmpty, "preparing writes nothing")
            try prepared.commit()
            let blocks = Self.blocksWritten(device.events, blockSize)
            #expect(blocks < 40, "\(size) bytes")
            #expect(blocks <= prepared.blockWriteCount)
            let flushes = device.events.count { $0 == .flush }
            #expect(flushes <= 7)
        }
    }

    /// A file's contents pass the journal only where they must.
    @Test func largeContentsAreWrittenOnce() throws {
        let device = try Self.volume(.seeded, 4096)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        _ = try transaction.createFile(
            Array("new".utf8), in: volume.rootDirectory, contents: ReplaceContentsTests.contents(4 << 20),
            attributes: .init(permissions: 0o644))
        try transaction.prepare().commit()
        #expect(Self.blocksWritten(device.events, 4096) < 1024 + 40)
    }

    /// Asks for a commit before the journal is full, and again and again keeps within it.
    @Test(arguments: [Profile.ext3, .seeded])
    func transactionsAreSplitInTime(_ profile: Profile) throws {
        let image = try Image(
            profile, blockSize: 1024, byteCount: 24 << 20, more: ["-J", "size=1", "-N", "6000"])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let root = volume.rootDirectory
        let plain = NewFileAttributes(permissions: 0o600)
        var commits = 0
        var transaction = try volume.begin()
        func splitIfLarge() throws {
            guard transaction.shouldBeCommitted else { return }
            try transaction.prepare().commit()
            commits += 1
            transaction = try volume.begin()
        }
        let names = (0..<5000).map { Array("file\($0)".utf8) }
        for name in names {
            _ = try transaction.createFile(name, in: root, contents: name, attributes: plain)
            try splitIfLarge()
        }
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(commits > 0)
        commits = 0
        transaction = try volume.begin()
        for name in names {
            try transaction.remove(name, in: root)
            try splitIfLarge()
        }
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(commits > 0)
    }

    /// What one operation needs of the journal and the journal does not have is refused, saying what to do.
    @Test func whatDoesNotFitTheJournalIsRefused() throws {
        let image = try Image(
            .ext3, blockSize: 1024, files: ["f": ReplaceContentsTests.contents(1 << 20)], byteCount: 5 << 20,
            more: ["-J", "size=1"])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        // No room for a second copy: it would have to be written over, through the journal.
        _ = try transaction.createFile(
            Array("filler".utf8), in: volume.rootDirectory,
            contents: [UInt8](repeating: 1, count: Int(volume.freeByteCount) - 300_000),
            attributes: .init(permissions: 0o600))
        try transaction.prepare().commit()
        let before = try fileBytes(image.path)
        let late = try volume.begin()
        try late.replaceContents(of: volume.file("/f"), with: [UInt8](repeating: 2, count: 1 << 20))
        let error = try #require(throws: StorageError.self) { _ = try late.prepare() }
        #expect(error.code == "journal-transaction-too-large" && error.message.contains("tune2fs"))
        let isUntouched = try fileBytes(image.path) == before
        #expect(isUntouched)
    }
}

extension Ext4FileSystem {
    /// Free blocks in bytes, as the superblock counts them.
    fileprivate var freeByteCount: UInt64 { identity.freeByteCount ?? 0 }
}
