import Ext4
import Storage
import TestSupport
import Testing

/// Directories that grow past one block, past one level of index, and shrink.
@Suite struct DirectoryTests {
    @Test(arguments: [
        (Profile.checksums, 1024, 4000), (.ext3, 1024, 4000), (.crc16, 2048, 3000), (.ext2, 1024, 2500),
        (.checksums, 4096, 2500), (.seeded, 65536, 3000),
    ])
    func manyNames(_ profile: Profile, blockSize: Int, count: Int) throws {
        let image = try Image(
            profile, blockSize: blockSize, byteCount: blockSize == 65536 ? 192 << 20 : 48 << 20,
            more: ["-N", "8192"])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        func name(_ index: Int) -> [UInt8] {
            Array(
                "a_file_with_a_rather_long_name_that_fills_blocks_\(index &* 2_654_435_761 % 1_000_003)_\(index)"
                    .utf8)
        }
        var transaction = try volume.begin()
        let directory = try transaction.createDirectory(
            Array("big".utf8), in: volume.rootDirectory, attributes: .init(permissions: 0o755))
        for index in 0..<count {
            _ = try transaction.createFile(
                name(index), in: directory, contents: [], attributes: .init(permissions: 0o644))
            if index % 1000 == 999 {
                try transaction.prepare().commit()
                transaction = try volume.begin()
            }
        }
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(try volume.entries(of: directory).count == count)
        #expect(try image.debugfs("stat /big").contains("Flags: 0x") == true)
        for index in stride(from: 0, to: count, by: 97) {
            #expect(try volume.lookUp(name(index), in: directory) != nil)
        }
        #expect(try volume.lookUp(Array("not there".utf8), in: directory) == nil)

        transaction = try volume.begin()
        for index in 0..<count where index % 3 != 0 { try transaction.remove(name(index), in: directory) }
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(try volume.entries(of: directory).count == (count + 2) / 3)

        transaction = try volume.begin()
        for index in stride(from: 0, to: count, by: 3) { try transaction.remove(name(index), in: directory) }
        try transaction.remove(Array("big".utf8), in: volume.rootDirectory)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
    }

    /// Hashes as debugfs computes them, for each kind and names with high bytes.
    @Test(arguments: ["legacy", "half_md4", "tea"])
    func hashesAreE2fsprogs(_ kind: String) throws {
        var names: [String] = []
        for length in [1, 3, 4, 15, 16, 17, 31, 32, 33, 64, 100, 255] {
            for letter in ["a", "é", "中"] {
                var text = ""
                while text.utf8.count + letter.utf8.count + 3 <= length { text += letter }
                names.append("\(text)\(names.count)")
            }
        }
        let files = Dictionary(uniqueKeysWithValues: names.map { ("d/\($0)", [UInt8]()) })
        let image = try Image(.checksums, blockSize: 1024, files: files)
        _ = try image.debugfs("ssv hash_seed 0123cafe-0001-4002-8003-abcdef012345", writing: true)
        _ = try image.debugfs("ssv def_hash_version \(kind)", writing: true)
        // Lookups by the index find every name that e2fsck placed in it.
        try Tool.run("e2fsck", ["-fyD", image.path], expect: 0...1)
        let volume = try Ext4FileSystem.open(FileDevice(image.path))
        let directory = try volume.file("/d")
        #expect(try image.debugfs("stat /d").contains("Flags: 0x81000"))
        for name in names { #expect(try volume.lookUp(Array(name.utf8), in: directory) != nil, "\(name)") }
    }
}
