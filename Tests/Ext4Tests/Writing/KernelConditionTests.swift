import Ext4
import Storage
import TestSupport
import Testing

/// What the kernel refuses, or prepares for, with a feature of the volume or a flag of a directory: the rows of the
/// table in docs/ext4-writing.md that no other suite holds.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "tune2fs"), "judges are missing"))
struct KernelConditionTests {
    private func name(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func code(_ operation: () throws -> Void) throws -> String {
        try #require(throws: StorageError.self) { try operation() }.code
    }

    @Test func revisionZeroHasNoAttributes() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("image", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-r", "0", "-O", "none", "-b", "1024", path])
        try Tool.run("debugfs", ["-w", "-R", "write /dev/null f", path])
        let image = Image(directory: directory, path: path)
        let before = try fileBytes(path)
        var volume = try Ext4FileSystem.open(FileDevice(path, access: .write))
        var transaction = try volume.begin()
        let file = try volume.file("/f")
        for attribute in ["user.a", "security.selinux", "system.posix_acl_access"] {
            let value =
                attribute.hasPrefix("system")
                ? Self.list([(1, 6), (2, 4), (4, 4), (0x10, 4), (0x20, 0)]) : [1]
            let error = try #require(throws: StorageError.self) {
                try transaction.setExtendedAttribute(name(attribute), of: file, to: value)
            }
            #expect(error.code == "unsupported-revision" && error.message.contains("tune2fs"))
        }
        #expect(
            try code {
                _ = try transaction.createFile(
                    name("g"), in: volume.rootDirectory, contents: [],
                    attributes: .init(
                        permissions: 0o600, extendedAttributes: [.init(name: name("user.a"), value: [1])]))
            } == "unsupported-revision")
        #expect(try fileBytes(path) == before)
        // Everything else that has no attribute is written as on any ext2.
        transaction = try volume.begin()
        _ = try transaction.createFile(
            name("plain"), in: volume.rootDirectory, contents: [7], attributes: .init(permissions: 0o600))
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        // The way out that is named.
        try Tool.run("tune2fs", ["-O", "dir_index", path])
        try Tool.run("e2fsck", ["-fy", path], expect: 0...1)
        volume = try Ext4FileSystem.open(FileDevice(path, access: .write))
        transaction = try volume.begin()
        try transaction.setExtendedAttribute(name("user.a"), of: volume.file("/f"), to: [1])
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(try image.debugfs("ea_list /f").contains("user.a"))
    }

    /// An index whose hashes are of another seed leads to no name: one that is there would be added again.
    @Test(arguments: [Profile.ext2, .checksums])
    func aNameThatTheIndexDoesNotFindIsNotAddedAgain(_ profile: Profile) throws {
        let names = (0..<300).map { "name_\($0)_padded_with_some_letters" }
        let image = try Image(
            profile, blockSize: 1024,
            files: Dictionary(uniqueKeysWithValues: names.map { ("d/\($0)", [1]) } + [("other", [2])]))
        try Tool.run("e2fsck", ["-fyD", image.path], expect: 0...1)
        _ = try image.debugfs(
            "set_super_value hash_seed 01234567-89ab-4cde-8f01-23456789abcd", writing: true)
        let before = try fileBytes(image.path)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let report = try Ext4FileSystem.check(FileDevice(image.path))
        #expect(report.findings.contains { $0.code == "directory-index" && $0.severity == .damage })
        let directory = try volume.file("/d")
        let plain = NewFileAttributes(permissions: 0o644)
        let root = volume.rootDirectory
        let hidden = try #require(
            names.first { (try? volume.lookUp(name($0), in: directory)) == .some(nil) })
        for operation in [
            { (transaction: Ext4Transaction) in
                _ = try transaction.createFile(
                    self.name(hidden), in: directory, contents: [9], attributes: plain)
            },
            { try $0.link(volume.file("/other"), as: self.name(hidden), in: directory) },
            { try $0.rename(self.name("other"), in: root, to: self.name(hidden), in: directory) },
            { _ = try $0.createDirectory(self.name(hidden), in: directory, attributes: plain) },
        ] {
            let transaction = try volume.begin()
            let error = try #require(throws: StorageError.self) { try operation(transaction) }
            #expect(error.code == "bad-index" && error.message.contains("e2fsck -fD"))
        }
        #expect(try fileBytes(image.path) == before)
        try Tool.run("e2fsck", ["-fyD", image.path], expect: 0...1)
        let sound = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try sound.begin()
        #expect(
            try code {
                _ = try transaction.createFile(
                    name(hidden), in: sound.file("/d"), contents: [], attributes: plain)
            } == "exists")
        _ = try transaction.createFile(name("new"), in: sound.file("/d"), contents: [], attributes: plain)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
    }

    /// A directory of a project takes only what is of it, where the flag says so: ext4_link(), ext4_rename().
    @Test func aProjectsDirectoryTakesOnlyItsOwn() throws {
        let image = try Image(
            .checksums, blockSize: 1024, files: ["d/x": [1], "own": [2], "other": [3]],
            more: ["-O", "project"])
        for command in [
            "sif /d flags 0x20080000", "sif /d projid 5", "sif /own projid 5", "sif /other projid 6",
        ] { _ = try image.debugfs(command, writing: true) }
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        // Quotas by project forbid more; here only the flag is meant.
        _ = try image.debugfs("feature ^project", writing: true)
        let writable = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try writable.begin()
        let root = volume.rootDirectory
        let directory = try writable.file("/d")
        #expect(
            try code { try transaction.link(writable.file("/other"), as: name("l"), in: directory) }
                == "other-project")
        #expect(
            try code { try transaction.rename(name("other"), in: root, to: name("o"), in: directory) }
                == "other-project")
        try transaction.link(writable.file("/own"), as: name("l"), in: directory)
        try transaction.rename(name("own"), in: root, to: name("o"), in: directory)
        // Out of it everything may go.
        try transaction.rename(name("x"), in: directory, to: name("x"), in: root)
        // What is made in it is of its project, and hands the flag on.
        _ = try transaction.createDirectory(
            name("made"), in: directory, attributes: .init(permissions: 0o755))
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        let made = try image.debugfs("stat /d/made")
        #expect(made.contains("Project:     5") && made.contains("Flags: 0x20080000"), "\(made)")
    }

    /// A replay that the superblock asks for and that nothing can give: the kernel does not mount it for writing.
    @Test func aReplayWithoutAJournal() throws {
        let image = try Image(.unjournaled, blockSize: 1024, files: ["f": [1]])
        _ = try image.debugfs("feature needs_recovery", writing: true)
        let before = try fileBytes(image.path)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        #expect(try code { _ = try volume.begin() } == "not-clean")
        #expect(try fileBytes(image.path) == before)
    }

    @Test func aVolumeLongerThanItsDevice() throws {
        let image = try Image(.checksums, blockSize: 1024, files: ["f": [1]])
        try Tool.run("truncate", ["-s", "20M", image.path])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        #expect(try code { _ = try volume.begin() } == "truncated-device")
    }

    private static func list(_ entries: [(tag: UInt16, permissions: UInt16)]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4 + entries.count * 8)
        bytes.storeLittle(UInt32(2), at: 0)
        for (index, entry) in entries.enumerated() {
            bytes.storeLittle(entry.tag, at: 4 + index * 8)
            bytes.storeLittle(entry.permissions, at: 6 + index * 8)
            bytes.storeLittle(entry.tag == 2 || entry.tag == 8 ? 1000 : UInt32.max, at: 8 + index * 8)
        }
        return bytes
    }

    /// posix_acl_valid(): what setxattr(2) would not take.
    @Test func listsThatTheKernelWouldNotTake() throws {
        let image = try Image(.checksums, blockSize: 1024, files: ["f": [1]])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let file = try volume.file("/f")
        let access = name("system.posix_acl_access")
        for bad: [(UInt16, UInt16)] in [
            [(1, 6), (4, 4)], [(1, 6), (2, 4), (4, 4), (0x20, 0)], [(4, 4), (1, 6), (0x20, 0)],
            [(1, 8), (4, 4), (0x20, 0)], [(1, 6), (4, 4), (0x20, 0), (0x20, 0)],
            [(1, 6), (4, 4), (0x40, 1), (0x20, 0)],
        ] {
            #expect(
                try code { try transaction.setExtendedAttribute(access, of: file, to: Self.list(bad)) }
                    == "bad-attribute-name", "\(bad)")
        }
        let good = Self.list([(1, 6), (2, 4), (4, 4), (0x10, 4), (0x20, 0)])
        try transaction.setExtendedAttribute(access, of: file, to: good)
        #expect(try transaction.extendedAttributes(of: file).map(\.value) == [good])
        // Without entries it is taken away, and the mode stays.
        let mode = try transaction.attributes(of: file).permissions
        try transaction.setExtendedAttribute(access, of: file, to: Self.list([]))
        #expect(try transaction.extendedAttributes(of: file).isEmpty)
        #expect(try transaction.attributes(of: file).permissions == mode)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
    }

    @Test func clustersAreNotWritten() throws {
        let image = try Image(
            .checksums, blockSize: 1024, files: ["f": [1]],
            more: ["-O", "bigalloc,^resize_inode", "-C", "8192"])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        #expect(try code { _ = try volume.begin() } == "unwritable-feature")
    }

    /// A size that old drivers cannot read is announced, and refused where nothing can announce it.
    @Test func sizesPastTwoGibibytes() throws {
        let image = try Image(.ext2, blockSize: 4096, files: ["f": [1]], more: ["-O", "^large_file"])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        try transaction.truncate(volume.file("/f"), to: 3 << 30)
        try transaction.prepare().commit()
        #expect(try image.debugfs("show_super_stats -h").contains("large_file"))
        #expect(try image.defects() == "")

        let directory = try TemporaryDirectory()
        let path = try directory.sparse("old", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-r", "0", "-O", "none", "-b", "4096", path])
        try Tool.run("debugfs", ["-w", "-R", "write /dev/null f", path])
        let old = try Ext4FileSystem.open(FileDevice(path, access: .write))
        #expect(try code { try old.begin().truncate(old.file("/f"), to: 3 << 30) } == "file-too-long")
    }

    /// i_blocks has 32 bits without huge_file, and 48 with it.
    @Test(arguments: [(Profile.ext3, true), (.checksums, false)])
    func blocksPastTheCount(_ profile: Profile, _ isRefused: Bool) throws {
        let image = try Image(profile, blockSize: 1024, files: ["f": [1]])
        _ = try image.debugfs("sif /f blocks 0xfffffffe", writing: true)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let file = try volume.file("/f")
        if isRefused {
            #expect(try code { try transaction.write([1], to: file, at: 50_000) } == "file-too-long")
        } else {
            try transaction.write([1], to: file, at: 50_000)
            #expect(try transaction.attributes(of: file).allocatedByteCount == (1 << 32) * 512)
        }
    }

    /// EXT4_LINK_MAX, and what the older drivers count to.
    @Test(arguments: [(Profile.ext3, 32000), (.checksums, 65000)])
    func linksPastTheCount(_ profile: Profile, _ limit: Int) throws {
        let image = try Image(profile, blockSize: 1024, files: ["f": [1], "g": [1]])
        _ = try image.debugfs("sif /f links_count \(limit)", writing: true)
        _ = try image.debugfs("sif /g links_count \(limit - 1)", writing: true)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let root = volume.rootDirectory
        #expect(
            try code { try transaction.link(volume.file("/f"), as: name("l"), in: root) } == "too-many-links")
        try transaction.link(volume.file("/g"), as: name("m"), in: root)
    }

    /// A target in a block ends with a zero behind it.
    @Test func targetsThatFillABlock() throws {
        let image = try Image(.checksums, blockSize: 1024)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        func make(_ text: String, _ count: Int) throws {
            _ = try transaction.createSymbolicLink(
                name(text), in: volume.rootDirectory, target: [UInt8](repeating: 0x61, count: count),
                attributes: .init(permissions: 0o777))
        }
        #expect(try code { try make("l", 1024) } == "bad-name")
        #expect(try code { try make("l", 0) } == "bad-name")
        try make("l", 1023)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
    }

    /// Values in inodes of their own are counted by references that are not kept up here.
    @Test func valuesInInodesStay() throws {
        let image = try Image(.crc16, blockSize: 1024, files: ["f": [1]], more: ["-O", "ea_inode"])
        let value = try image.directory.write("value", [UInt8](repeating: 5, count: 1024))
        _ = try image.debugfs("ea_set -f \(value) /f user.big", writing: true)
        // debugfs does not count the value's blocks.
        try Tool.run("e2fsck", ["-fy", image.path], expect: 0...1)
        #expect(try image.defects() == "")
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let file = try volume.file("/f")
        #expect(try transaction.extendedAttributes(of: file).map(\.value.count) == [1024])
        #expect(
            try code { try transaction.setExtendedAttribute(name("user.big"), of: file, to: nil) }
                == "attribute-inode")
        #expect(try code { try transaction.remove(name("f"), in: volume.rootDirectory) } == "attribute-inode")
        let other = try volume.begin()
        try other.setExtendedAttribute(name("user.small"), of: file, to: [1])
        try other.prepare().commit()
        #expect(try image.defects() == "")
    }

    /// More subdirectories than can be counted are for directories with an index: EXT4_DIR_LINK_MAX.
    @Test func subdirectoriesPastTheCount() throws {
        let image = try Image(.checksums, blockSize: 1024, files: ["d/x": [1]])
        _ = try image.debugfs("sif /d links_count 65000", writing: true)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        #expect(
            try code {
                _ = try transaction.createDirectory(
                    name("s"), in: volume.file("/d"), attributes: .init(permissions: 0o755))
            } == "too-many-links")
    }
}
