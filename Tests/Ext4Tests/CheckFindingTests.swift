import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// Kinds of damage beyond the plain ones of `CheckTests`, each made by debugfs or by hand in a volume that e2fsck
/// calls sound and `check`, too: found by name, called damage by e2fsck as well, and gone once it has mended it.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck"), "judges are missing"))
struct CheckFindingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let code: String
        let profile: Profile
        var more: [String] = []
        let commands: [String]
        /// Whether the e2fsck that is installed finds it, too.
        var isJudged = true
        var testDescription: String { "\(code): \(commands.joined(separator: "; "))" }
    }

    static let cases: [Case] = [
        Case(
            code: "quota-usage", profile: .checksums, more: ["-O", "quota"], commands: ["sif /f uid 100"]),
        Case(
            code: "quota-usage", profile: .checksums, more: ["-O", "quota"],
            commands: ["write /dev/null new"]),
        Case(
            code: "quota-inode", profile: .checksums, more: ["-O", "quota"],
            commands: ["ssv usr_quota_inum 4711000"]),
        Case(
            code: "quota-inode", profile: .checksums, more: ["-O", "quota"],
            commands: ["ssv grp_quota_inum 4711000"]),
        Case(code: "bad-orphan", profile: .seeded, commands: ["feature orphan_present"]),
        Case(code: "bad-orphan", profile: .ext3, commands: ["ssv last_orphan 1500"], isJudged: false),
        Case(code: "bad-block", profile: .ext3, commands: ["sif <1> block[0] BLOCK_BITMAP"]),
        Case(code: "bad-block", profile: .ext3, commands: ["sif <1> block[0] INODE_BITMAP"]),
        Case(code: "directory-entry", profile: .ext3, commands: ["sif <1> block[0] INODE_TABLE+1"]),
        Case(
            code: "directory-index", profile: .ext3,
            commands: ["ssv hash_seed 01234567-89ab-4cde-8f01-23456789abcd"]),
        Case(
            code: "directory-index", profile: .checksums,
            commands: ["ssv hash_seed 01234567-89ab-4cde-8f01-23456789abcd"]),
        Case(code: "group-flags", profile: .ext3, commands: ["set_bg 0 itable_unused 3"], isJudged: false),
    ]

    private func make(_ profile: Profile, _ more: [String] = []) throws -> Image {
        var files: [String: [UInt8]] = ["f": [UInt8](repeating: 1, count: 5000), "sub/g": [2]]
        for index in 0..<200 { files["d/a-name-of-some-length-\(index)"] = [] }
        let image = try Image(profile, blockSize: 1024, files: files, byteCount: 8 << 20, more: more)
        // Indexes, and quotas, which mke2fs counts before it copies the files.
        try Tool.run("e2fsck", ["-fyD", image.path], expect: 0...1)
        return image
    }

    /// Features that nobody knows, in a superblock whose checksum is wrong.
    @Test func featuresOfADamagedSuperblock() throws {
        let image = try Image(.checksums, blockSize: 1024, files: ["f": [1]])
        var bytes = try fileBytes(image.path)
        bytes.replaceSubrange(1024 + 0x60..<1024 + 0x64, with: Array("DATA".utf8))
        try Data(bytes).write(to: URL(fileURLWithPath: image.path))
        #expect(try damage(image).map(\.code) == ["superblock-checksum"])
        #expect(try Tool.run("e2fsck", ["-fn", image.path], expect: nil).status != 0)
    }

    /// The resize inode's lists: resize2fs in the guest follows them.
    @Test(arguments: [0, 1]) func theResizeInodesLists(_ place: Int) throws {
        let image = try Image(
            .ext3, blockSize: 1024, files: ["f": [1]], byteCount: 24 << 20, more: ["-O", "resize_inode"])
        #expect(try damage(image) == [])
        var bytes = try fileBytes(image.path)
        let said = try Debugfs(image.path).run("stat <7>").text
        let top = try #require(
            said.firstRange(of: "(DIND):").flatMap { Int(said[$0.upperBound...].prefix { $0.isNumber }) })
        let listed = stride(from: 0, to: 1024, by: 4).map { Int(bytes.little(top * 1024 + $0) as UInt32) }
        let first = try #require(listed.first { $0 != 0 })
        let sound = bytes
        if place == 0 {
            for index in 0..<1024 { bytes[top * 1024 + index] = UInt8(truncatingIfNeeded: index * 7 + 1) }
        } else {
            bytes[top * 1024 + (listed.firstIndex(of: first) ?? 0) * 4] ^= 1
        }
        try Data(bytes).write(to: URL(fileURLWithPath: image.path))
        #expect(try damage(image).contains { $0.code == "bad-pointer" })
        #expect(try Tool.run("e2fsck", ["-fn", image.path], expect: nil).status & 4 != 0)
        // What the list's blocks list e2fsck does not compare, and the kernel does before it enlarges the volume.
        bytes = sound
        bytes[first * 1024] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: image.path))
        #expect(try findings(image).map(\.severity) == [.warning])
    }

    private func findings(_ image: Image) throws -> [Finding] {
        try Ext4FileSystem.check(FileDevice(image.path)).findings
    }

    private func damage(_ image: Image) throws -> [Finding] {
        try findings(image).filter { $0.severity == .damage }
    }

    /// Numbers of group 0's structures in the place of their names.
    private func resolved(_ command: String, _ image: Image) throws -> String {
        let descriptor = try fileBytes(image.path)[2048..<2048 + 32]
        let bytes = Array(descriptor)
        var text = command
        for (name, offset, more) in [
            ("BLOCK_BITMAP", 0, UInt32(0)), ("INODE_BITMAP", 4, 0), ("INODE_TABLE+1", 8, 1),
        ] {
            guard let range = text.firstRange(of: name) else { continue }
            text.replaceSubrange(range, with: String((bytes.little(offset) as UInt32) + more))
        }
        return text
    }

    private func repair(_ image: Image) throws {
        for _ in 0..<2 { try Tool.run("e2fsck", ["-fy", image.path], expect: 0...1) }
    }

    @Test(arguments: cases)
    func damageIsNamedAndGoneWhenMended(_ item: Case) throws {
        let image = try make(item.profile, item.more)
        #expect(try damage(image) == [])
        for command in item.commands { _ = try image.debugfs(resolved(command, image), writing: true) }
        let found = try damage(image)
        #expect(found.contains { $0.code == item.code }, "\(found.map(\.description))")
        if item.isJudged {
            let judged = try Tool.run("e2fsck", ["-fn", image.path], expect: nil)
            #expect(judged.status != 0, "\(judged.text)")
        }
        guard item.isJudged else { return }
        try repair(image)
        #expect(try damage(image) == [])
    }

    /// Blocks that are marked as bad, where files could have been, are no damage.
    @Test func badBlocksOfData() throws {
        let directory = try TemporaryDirectory()
        let list = try directory.write("bad", "4000\n4001\n5000\n")
        let image = try Image(.ext3, blockSize: 1024, byteCount: 8 << 20, more: ["-l", list])
        #expect(try image.defects() == "")
        #expect(try damage(image) == [])
    }

    /// The record of a file that is gone has a checksum, too.
    @Test func theChecksumOfADeletedInode() throws {
        let image = try make(.checksums)
        _ = try image.debugfs("rm /f", writing: true)
        try repair(image)
        var bytes = try fileBytes(image.path)
        let raw = try RawExt4(MemoryDevice(bytes))
        let number = try #require(
            (12..<400).first { (number: Int) in
                guard let place = try? Int(raw.inodeOffset(UInt32(number))) else { return false }
                return bytes.little(place + 0x1a, as: UInt16.self) == 0
                    && bytes.little(place + 0x14, as: UInt32.self) != 0
            })
        #expect(try damage(image) == [])
        bytes[Int(try raw.inodeOffset(UInt32(number))) + 0x08] ^= 1
        try image.directory.write("image", bytes)
        #expect(try damage(image).map(\.code) == ["inode-checksum"])
        try #expect(Tool.run("e2fsck", ["-fn", image.path], expect: nil).status != 0)
    }

    /// A block of the orphan file that is not as it was written.
    @Test func aDamagedOrphanFile() throws {
        let image = try make(.seeded)
        var bytes = try fileBytes(image.path)
        let magic: [UInt8] = [0x04, 0xca, 0x10, 0x0b]
        let place = try #require(
            stride(from: 1024 - 8, to: bytes.count, by: 1024).first {
                Array(bytes[$0..<$0 + 4]) == magic
            })
        bytes[place + 4] ^= 1
        try image.directory.write("image", bytes)
        #expect(try damage(image).map(\.code) == ["bad-orphan"])
        try #expect(Tool.run("e2fsck", ["-fn", image.path], expect: nil).status != 0)
    }

    /// In strict mode the kernel takes no name that is not of the encoding; without it such a name is one of bytes.
    @Test(arguments: [true, false])
    func namesThatAreNotOfTheEncoding(_ isStrict: Bool) throws {
        let flags = isStrict ? ",encoding_flags=strict" : ""
        let image = try Image(
            .crc16, blockSize: 1024, files: ["d/NAMED-AXXY": [1]], byteCount: 8 << 20,
            more: ["-O", "casefold", "-E", "encoding=utf8-12.1\(flags)"])
        _ = try image.debugfs("sif /d flags 0x40080000", writing: true)
        #expect(try damage(image) == [])
        var bytes = try fileBytes(image.path)
        let name = Array("NAMED-AXXY".utf8)
        let place = try #require(
            (0..<bytes.count - name.count).first {
                bytes[$0] == name[0] && Array(bytes[$0..<$0 + name.count]) == name
            })
        bytes[place + 7] = 0xff
        try image.directory.write("image", bytes)
        #expect(try damage(image).map(\.code) == (isStrict ? ["directory-entry"] : []))
        #expect(try (image.defects() == "") == !isStrict)
    }

    /// What the kernel refuses to use and the installed e2fsck may pass over.
    @Test func valuesInInodesThatAreNotAsTheyShouldBe() throws {
        let image = try make(.checksums)
        _ = try image.debugfs("sif /d flags 0x281000", writing: true)
        let found = try findings(image)
        #expect(found.contains { $0.code == "inode-field" && $0.severity == .warning })
        #expect(found.contains { $0.code == "directory-entry" && $0.severity == .warning })
        #expect(try damage(image) == [])
    }

    // MARK: Encryption

    private static let policy: [UInt8] = [1, 1, 4, 0] + [UInt8](repeating: 0x42, count: 8)
    private static let context = policy + [UInt8](repeating: 0x17, count: 16)
    private static let flags = 0x800 as UInt32

    /// A directory that is encrypted, with a file in it; contexts as given, nil for none. debugfs knows no attribute of
    /// fscrypt's, so it sets others of the same shape, which get fscrypt's number.
    private func encrypted(
        name: String = "sixteen-letters.", directory: [UInt8]?, file: [UInt8]?, marksFile: Bool = true
    ) throws -> Image {
        let image = try Image(
            .crc16, blockSize: 1024, files: ["e/\(name)": []], byteCount: 8 << 20, more: ["-O", "encrypt"])
        for (path, value, isMarked) in [("/e", directory, true), ("/e/\(name)", file, marksFile)] {
            if let value {
                let source = try image.directory.write("value", value)
                _ = try image.debugfs("ea_set -f \(source) \(path) user.c", writing: true)
            }
            if isMarked { _ = try image.debugfs("sif \(path) flags 0x80800", writing: true) }
        }
        var bytes = try fileBytes(image.path)
        let raw = try RawExt4(MemoryDevice(bytes))
        for number in UInt32(12)..<16 {
            let entry = Int(try raw.inodeOffset(number)) + 128 + 32 + 4
            // One letter, of the prefix "user.".
            if bytes[entry] == 1, bytes[entry + 1] == 1, bytes[entry + 16] == UInt8(ascii: "c") {
                bytes[entry + 1] = 9
                bytes.storeLittle(UInt32(0), at: entry + 12)
            }
        }
        try image.directory.write("image", bytes)
        return image
    }

    @Test func encryptedTrees() throws {
        let sound = try encrypted(directory: Self.context, file: Self.context)
        #expect(try damage(sound) == [])
        #expect(try sound.defects() == "")
        var other = Self.context
        other[5] ^= 1
        let long = [UInt8](repeating: 2, count: 40)
        let future: [UInt8] = [99] + [UInt8](repeating: 0, count: 30)
        for (image, code) in [
            (try encrypted(directory: Self.context, file: nil), "bad-encryption"),
            (try encrypted(directory: Self.context, file: [1, 2, 3]), "bad-encryption"),
            (try encrypted(directory: long, file: Self.context), "directory-entry"),
            (try encrypted(directory: Self.context, file: other), "directory-entry"),
            (try encrypted(directory: Self.context, file: nil, marksFile: false), "directory-entry"),
            (
                try encrypted(name: "short", directory: Self.context, file: Self.context), "directory-entry"
            ),
        ] {
            let found = try damage(image)
            #expect(found.contains { $0.code == code }, "\(code): \(found.map(\.description))")
            #expect(try image.defects() != "", "\(code)")
        }
        // A version that is not known may be anything.
        let unknown = try encrypted(directory: Self.context, file: future)
        #expect(try damage(unknown) == [])
    }
}
