import Ext4
import Storage
import TestSupport
import Testing

/// What must not be written, refused by name before anything is.
@Suite struct RefusalTests {
    /// Changes of a superblock field and what they lead to.
    struct Case: Sendable, CustomTestStringConvertible {
        let command: String
        let code: String
        var profile = Profile.checksums
        var testDescription: String { command }
    }

    static let volumes = [
        Case(command: "ssv state 3", code: "error-state"),
        Case(command: "ssv state 0", code: "not-clean", profile: .ext2),
        Case(command: "ssv state 5", code: "not-clean"),
        Case(command: "feature FEATURE_R20", code: "unsupported-feature"),
        Case(command: "feature read-only", code: "unwritable-feature"),
        Case(command: "feature shared_blocks", code: "unwritable-feature"),
        Case(command: "ssv creator_os 1", code: "unsupported-feature", profile: .ext2),
        Case(command: "ssv journal_inum 0", code: "journal-external"),
    ]

    @Test(arguments: volumes)
    func volumesThatAreNotWritten(_ item: Case) throws {
        let image = try Image(item.profile, blockSize: 1024)
        _ = try image.debugfs(item.command, writing: true)
        let before = try fileBytes(image.path)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let error = try #require(throws: StorageError.self) { _ = try volume.begin() }
        #expect(error.code == item.code)
        let isUntouched = try fileBytes(image.path) == before
        #expect(isUntouched)
    }

    @Test func featuresThatAreNotRead() throws {
        for (command, code, name) in [
            ("feature FEATURE_I30", "unsupported-feature", "FEATURE_I30"),
            ("feature dirdata", "unsupported-feature", "dirdata"),
            ("feature journal_dev", "journal-device", "journal"),
            ("ssv rev_level 2", "unsupported-revision", "revision 2"),
            ("ssv inode_size 100", "bad-superblock", "s_inode_size"),
            ("ssv blocks_per_group 0", "bad-superblock", "s_blocks_per_group"),
            ("ssv inodes_per_group 0", "bad-superblock", "s_inodes_per_group"),
            ("ssv log_block_size 9", "bad-superblock", "s_log_block_size"),
            ("ssv desc_size 0", "bad-superblock", "s_desc_size"),
        ] {
            let image = try Image(.checksums, blockSize: 1024, byteCount: 2 << 20)
            _ = try Tool.run("debugfs", ["-w", "-R", command, image.path], expect: nil)
            let error = try #require(throws: StorageError.self, "\(command)") {
                _ = try Ext4FileSystem.open(
                    FileDevice(image.path), options: .init(ignoresChecksums: true))
            }
            #expect(error.code == code, "\(command)")
            #expect(error.message.contains(name), "\(command): \(error.message)")
        }
        let error = try #require(throws: StorageError.self) {
            _ = try Ext4FileSystem.open(MemoryDevice(byteCount: 4096))
        }
        #expect(error.code == "bad-magic")
    }

    @Test(arguments: [
        ("sif /f flags 0x80010", "immutable"), ("sif /f flags 0x80020", "append-only"),
        ("sif /f flags 0x80800", "encrypted"), ("sif /f flags 0x180000", "verity"),
        ("sif /f flags 0x80004", "compressed"), ("sif /f flags 0x280000", "reserved-inode"),
    ])
    func filesThatAreNotWritten(_ command: String, code: String) throws {
        let image = try Image(.checksums, blockSize: 1024, files: ["f": [1, 2, 3]])
        _ = try image.debugfs(command, writing: true)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let file = try volume.file("/f")
        let error = try #require(throws: StorageError.self) {
            try transaction.replaceContents(of: file, with: [9])
        }
        #expect(error.code == code)
        #expect(try transaction.prepare().isEmpty)
    }

    @Test func multiMountProtection() throws {
        let image = try Image(.checksums, blockSize: 1024, more: ["-O", "mmp"])
        var bytes = try fileBytes(image.path)
        #expect(throws: Never.self) { _ = try Ext4FileSystem.open(MemoryDevice(bytes)).begin() }
        let block: UInt64 = bytes.little(1024 + 0x168)
        // A sequence number instead of CLEAN: somebody has it mounted.
        bytes.storeLittle(UInt32(7), at: Int(block) * 1024 + 4)
        let error = try #require(throws: StorageError.self) {
            _ = try Ext4FileSystem.open(MemoryDevice(bytes), options: .init(ignoresChecksums: true)).begin()
        }
        #expect(error.code == "multi-mount-protection")
    }

    /// Descriptors that promise what their bitmaps do not have: whoever believed them would search for ever or take
    /// what is in use.
    @Test(arguments: ["free_blocks_count", "free_inodes_count"])
    func countsThatContradictTheBitmap(_ field: String) throws {
        let image = try Image(.ext2, blockSize: 1024)
        _ = try image.debugfs("set_block_group 0 \(field) 9", writing: true)
        let before = try fileBytes(image.path)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let error = try #require(throws: StorageError.self) {
            _ = try transaction.createFile(
                [65], in: volume.rootDirectory, contents: [1], attributes: .init(permissions: 0o600))
        }
        #expect(error.code == "bitmap-count")
        let isUntouched = try fileBytes(image.path) == before
        #expect(isUntouched)
    }

    /// A group that calls inodes never used which its bitmap calls used: emptying their records would lose files.
    @Test(arguments: [Profile.checksums, .crc16, .unjournaled])
    func inodesInUseThatAreCalledUnused(_ profile: Profile) throws {
        let image = try Image(
            profile, blockSize: 1024, files: ["a": [1], "b": [2], "c": [3]],
            more: ["-E", "lazy_itable_init=1"])
        let count = try image.debugfs("show_super_stats -h").split(separator: "\n")
            .first { $0.hasPrefix("Inodes per group:") }?.split(separator: " ").last.flatMap { Int($0) }
        _ = try image.debugfs("set_block_group 0 itable_unused \(try #require(count) - 11)", writing: true)
        _ = try image.debugfs("set_block_group 0 checksum calc", writing: true)
        let before = try fileBytes(image.path)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let error = try #require(throws: StorageError.self) {
            _ = try transaction.createFile(
                [65], in: volume.rootDirectory, contents: [1], attributes: .init(permissions: 0o600))
            try transaction.prepare().commit()
        }
        #expect(error.code == "bitmap-damaged")
        let isUntouched = try fileBytes(image.path) == before
        #expect(isUntouched)
    }

    /// A block that is one file's contents and another's extent tree: writing the contents must not make the tree
    /// be believed.
    @Test func aTreeThatIsAlsoContentsIsCheckedAgain() throws {
        let image = try Image(
            .crc16, blockSize: 1024, files: ["f": [UInt8](repeating: 7, count: 1024)], byteCount: 8 << 20)
        // Ten extents: a tree with a block.
        var script = "open -w \(image.path)\nwrite /dev/null sparse\n"
        for index in 0..<10 { script += "fallocate sparse \(index * 2) \(index * 2)\n" }
        try Tool.run("debugfs", ["-w", "-f", "-"], input: script)
        let tree = try image.debugfs("ex -n /sparse").split(separator: "\n")
            .first { $0.contains("0/ 1") || $0.contains("0/1") }
        let number = try #require(
            tree?.split(separator: " ").compactMap { Int($0) }.first { 100..<8192 ~= $0 },
            "\(tree ?? "no tree")")
        _ = try image.debugfs("set_inode_field /f block[5] \(number)", writing: true)

        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let sparse = try #require(try transaction.lookUp(Array("sparse".utf8), in: volume.rootDirectory))
        let file = try #require(try transaction.lookUp([0x66], in: volume.rootDirectory))
        try transaction.write([1], to: sparse, at: 100)
        var bad = [UInt8](repeating: 0xff, count: 1024)
        bad.storeLittle(UInt16(0xf30a), at: 0)
        try transaction.replaceContents(of: file, with: bad)
        let error = try #require(throws: StorageError.self) { try transaction.truncate(sparse, to: 3000) }
        #expect(error.code == "bad-extent-node")
    }

    @Test func quotasAllowNoChangeOfBlocks() throws {
        let image = try Image(
            .checksums, blockSize: 1024, files: ["f": [UInt8](repeating: 1, count: 100)],
            more: ["-O", "quota"])
        // mke2fs counts the files it is given too late.
        try Tool.run("e2fsck", ["-fy", image.path], expect: 0...1)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let file = try volume.file("/f")
        let transaction = try volume.begin()
        try transaction.replaceContents(of: file, with: [UInt8](repeating: 2, count: 300))
        try transaction.setAttributes(of: file, .init(permissions: 0o600))
        for operation in [
            { try transaction.setAttributes(of: file, .init(owner: 7)) },
            {
                _ = try transaction.createFile(
                    [65], in: volume.rootDirectory, contents: [], attributes: .init(permissions: 0o600))
            },
        ] {
            let error = try #require(throws: StorageError.self) { try operation() }
            #expect(error.code == "quota")
        }
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
    }

    @Test func fullVolumes() throws {
        let image = try Image(
            .checksums, blockSize: 1024, files: ["f": [1]], byteCount: 2 << 20, more: ["-N", "32"])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        var transaction = try volume.begin()
        let root = volume.rootDirectory
        var error = try #require(throws: StorageError.self) {
            try transaction.replaceContents(
                of: volume.file("/f"), with: [UInt8](repeating: 1, count: 3 << 20))
        }
        #expect(error.code == "no-space")
        // The operation failed half-way: what it took would be lost.
        error = try #require(throws: StorageError.self) { _ = try transaction.prepare() }
        #expect(error.code == "transaction-failed")

        transaction = try volume.begin()
        error = try #require(throws: StorageError.self) {
            for index in 0..<64 {
                _ = try transaction.createNode(
                    Array("p\(index)".utf8), in: root, type: .fifo, device: nil,
                    attributes: .init(permissions: 0o600))
            }
        }
        #expect(error.code == "no-inodes")
        #expect(try image.defects() == "")
    }

    @Test func namesAndStates() throws {
        let image = try Image(.checksums, blockSize: 1024, files: ["f": [1], "d/x": [2]])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let root = volume.rootDirectory
        let plain = NewFileAttributes(permissions: 0o644)
        func code(_ operation: () throws -> Void) throws -> String {
            try #require(throws: StorageError.self) { try operation() }.code
        }
        func name(_ text: String) -> [UInt8] { Array(text.utf8) }
        for bad in ["", ".", "..", "a/b", "a\0b", String(repeating: "x", count: 256)] {
            #expect(
                try code {
                    _ = try transaction.createFile(name(bad), in: root, contents: [], attributes: plain)
                }
                    == "bad-name")
        }
        #expect(
            try code { _ = try transaction.createFile(name("f"), in: root, contents: [], attributes: plain) }
                == "exists")
        #expect(try code { try transaction.remove(name("g"), in: root) } == "no-entry")
        #expect(try code { try transaction.remove(name("d"), in: root) } == "not-empty")
        let directory = try volume.file("/d")
        #expect(try code { try transaction.link(directory, as: name("e"), in: root) } == "is-a-directory")
        #expect(
            try code { try transaction.rename(name("d"), in: root, to: name("e"), in: directory) }
                == "into-itself")
        #expect(
            try code { try transaction.rename(name("f"), in: root, to: name("d"), in: root) }
                == "is-a-directory")
        #expect(
            try code { try transaction.rename(name("d"), in: root, to: name("f"), in: root) }
                == "not-a-directory")
        #expect(try code { try transaction.setLabel(name("seventeen letters")) } == "bad-label")
        let file = try volume.file("/f")
        #expect(
            try code { try transaction.setExtendedAttribute(name("nonsense"), of: file, to: []) }
                == "bad-attribute-name")
        #expect(
            try code { try transaction.setExtendedAttribute(name("user.none"), of: file, to: nil) }
                == "no-attribute")
        #expect(
            try code {
                try transaction.setExtendedAttribute(
                    name("user.big"), of: file, to: [UInt8](repeating: 1, count: 5000))
            } == "attributes-full")
        #expect(try code { try transaction.truncate(file, to: 1 << 60) } == "file-too-long")
        #expect(try code { _ = try transaction.contents(of: directory) } == "not-a-regular-file")

        let other = try volume.begin()
        try other.setLabel(name("first"))
        let prepared = try other.prepare()
        try transaction.setLabel(name("second"))
        let late = try transaction.prepare()
        try prepared.commit()
        #expect(try code { try late.commit() } == "transaction-stale")
        #expect(try code { try transaction.setLabel(name("third")) } == "transaction-finished")
        #expect(try image.defects() == "")
    }

    @Test func readOnlyDevices() throws {
        let image = try Image(.ext2, blockSize: 1024)
        let device = try ReadOnlyDevice(FileDevice(image.path))
        let error = try #require(throws: StorageError.self) { _ = try Ext4FileSystem.open(device).begin() }
        #expect(error.code == "read-only-device")
    }
}

/// A device without the means to write.
private final class ReadOnlyDevice: BlockDevice {
    private let base: any BlockDevice
    var byteCount: UInt64 { base.byteCount }
    var sectorSize: UInt32 { base.sectorSize }
    var hostFiles: [any ByteFile] { base.hostFiles }
    init(_ base: any BlockDevice) throws { self.base = base }
    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try base.read(into: &target, at: offset)
    }
    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent { try base.nextExtent(at: offset) }
}
