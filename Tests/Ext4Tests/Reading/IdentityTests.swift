import Ext4
import Storage
import TestSupport
import Testing

/// What a superblock says that it is, as blkid reads it: the rule of every `UUID=` and `LABEL=` in a running guest.
@Suite struct IdentityTests {
    /// Offsets in the superblock.
    private enum Field {
        static let logBlockSize = 0x18
        static let revision = 0x4c
        static let compatible = 0x5c
        static let incompatible = 0x60
        static let readOnly = 0x64
        static let uuid = 0x68
        static let label = 0x78
    }

    /// A volume by mke2fs, and words that are put over its superblock.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let options: [String]
        var words: [Int: UInt32] = [:]
        var label: [UInt8]?
        /// What blkid has no name for.
        var unnamed: VolumeIdentity.Kind?
    }

    private static let ext2 = ["-t", "ext2"]
    private static let ext3 = ["-t", "ext3", "-j"]
    private static let ext4 = ["-t", "ext4", "-O", "has_journal,extent,64bit,flex_bg,metadata_csum"]
    private static let plain = ["-t", "ext4", "-O", "extent,flex_bg"]
    private static let old = ["-r", "0", "-O", "none"]

    static let cases: [Case] =
        [
            Case(testDescription: "ext2", options: ext2), Case(testDescription: "ext3", options: ext3),
            Case(testDescription: "ext4", options: ext4),
            Case(testDescription: "ext4 without a journal", options: plain),
            Case(testDescription: "revision 0", options: old),
            Case(testDescription: "an external journal", options: ["-O", "journal_dev"]),
            Case(testDescription: "ext3 to recover", options: ext3, words: [Field.incompatible: 0x6]),
            Case(testDescription: "meta_bg", options: ext2, words: [Field.incompatible: 0x12]),
            Case(testDescription: "compression", options: ext2, words: [Field.incompatible: 0x3]),
            Case(
                testDescription: "an unknown incompatible bit", options: ext2,
                words: [Field.incompatible: 0x8000_0002]),
            Case(
                testDescription: "an unknown read-only bit", options: ext2,
                words: [Field.readOnly: 0x8000_0003]),
            Case(
                testDescription: "an unknown compatible bit", options: ext2,
                words: [Field.compatible: 0x8000_0038]),
            Case(
                testDescription: "extents to recover, no journal", options: plain,
                words: [Field.incompatible: 0x46]),
            Case(
                testDescription: "revision 0, features of ext3", options: old,
                words: [Field.compatible: 4, Field.incompatible: 2, Field.readOnly: 1]),
            Case(
                testDescription: "revision 0, extents", options: old, words: [Field.incompatible: 0x40]),
            Case(
                testDescription: "revision 0, external journal", options: old, words: [Field.incompatible: 8]),
            Case(testDescription: "revision 7", options: ext2, words: [Field.revision: 7]),
            Case(
                testDescription: "no UUID", options: ext2,
                words: [Field.uuid: 0, Field.uuid + 4: 0, Field.uuid + 8: 0, Field.uuid + 12: 0]),
            Case(testDescription: "blocks of 128 KiB", options: ext2, words: [Field.logBlockSize: 7]),
            Case(
                testDescription: "ext2 to recover, no journal", options: ext2,
                words: [Field.incompatible: 0x6], unnamed: .ext4),
            Case(
                testDescription: "ext3 to recover whose journal is gone", options: ext3,
                words: [Field.compatible: 0x38, Field.incompatible: 0x6], unnamed: .ext4),
        ]
        + [
            "abc   ", "   ", "  abc", "a b\0c", "abc\n", "abc\t ", "\0abc", "0123456789abcdef",
            "abc           xy",
        ]
        .map { text in
            Case(
                testDescription: "label \(text.debugDescription)", options: ext2,
                label: Array(text.utf8) + [UInt8](repeating: 0, count: 16 - text.utf8.count))
        }

    @Test(.enabled(if: Tool.has("blkid", "mke2fs"), "blkid or mke2fs is missing"), arguments: cases)
    func isWhatBlkidSays(_ item: Case) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("volume", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + item.options + [path])
        var bytes = try fileBytes(path)
        for (offset, word) in item.words { bytes.storeLittle(word, at: 1024 + offset) }
        if let label = item.label {
            bytes.replaceSubrange(1024 + Field.label..<1024 + Field.label + 16, with: label)
        }
        try directory.write("volume", bytes)

        let signature = try #require(try Ext4Driver.identify(MemoryDevice(bytes)))
        let identity = signature.identity
        let probed = try Tool.run("blkid", ["-p", "-o", "udev", path], expect: nil)
        if let kind = item.unnamed {
            #expect(probed.status == 2 && identity.kind == kind)
            return
        }
        let values = Dictionary(
            probed.text.split(separator: "\n").map { line in
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts.last ?? ""))
            }, uniquingKeysWith: { first, _ in first })
        #expect(identity.kind.rawValue == values["ID_FS_TYPE"])
        #expect(identity.uuid == values["ID_FS_UUID"])
        #expect(identity.version == values["ID_FS_VERSION"])
        #expect(signature.holdsFiles == (values["ID_FS_USAGE"] == "filesystem"))
        let label = try Tool.run("blkid", ["-p", "-s", "LABEL", "-o", "value", path], expect: nil).output
        #expect((identity.label ?? []) == Array(label.dropLast()))
        // Whatever opens says the same of itself.
        if let opened = try? Ext4FileSystem.open(MemoryDevice(bytes)) { #expect(opened.identity == identity) }
    }

    /// Two bytes and a field that no mke2fs writes are little to go by, and a wrong checksum as little.
    @Test func damageMakesItWeak() throws {
        let image = try Image(.checksums, blockSize: 1024)
        var bytes = try fileBytes(image.path)
        #expect(try Ext4Driver.identify(MemoryDevice(bytes))?.strength == .verified)
        bytes[1024 + Field.label] = 0x41
        let damaged = try #require(try Ext4Driver.identify(MemoryDevice(bytes)))
        #expect(damaged.strength == .weak && damaged.identity.kind == .ext4)
        let older = try Image(.ext2, blockSize: 1024)
        bytes = try fileBytes(older.path)
        #expect(try Ext4Driver.identify(MemoryDevice(bytes))?.strength == .firm)
        bytes.storeLittle(UInt32(9), at: 1024 + Field.logBlockSize)
        let odd = try #require(try Ext4Driver.identify(MemoryDevice(bytes)))
        #expect(odd.strength == .weak && odd.identity.byteCount == nil && odd.identity.blockSize == nil)
    }

    /// Revision 0 knows no features: what has both is read as the kernel reads it, and not written.
    @Test func featuresOfRevision0AreNotWritten() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("volume", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + Self.old + [path])
        var bytes = try fileBytes(path)
        #expect(throws: Never.self) { _ = try Ext4FileSystem.open(MemoryDevice(bytes)).begin() }
        bytes.storeLittle(UInt32(2), at: 1024 + Field.incompatible)
        let volume = try Ext4FileSystem.open(MemoryDevice(bytes))
        let error = try #require(throws: StorageError.self) { _ = try volume.begin() }
        #expect(error.code == "unwritable-feature")
        #expect(volume.capabilities == Capabilities(restriction: error.message))
    }
}
