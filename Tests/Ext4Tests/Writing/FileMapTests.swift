import Ext4
import Storage
import TestSupport
import Testing

/// Maps of files: deep, long, with holes and with blocks allocated in advance; judged by e2fsck and debugfs.
@Suite struct FileMapTests {
    /// A volume with one file that holds `contents`.
    private static func image(_ profile: Profile, _ contents: [UInt8] = []) throws -> Image {
        try Image(profile, blockSize: 1024, files: ["file": contents])
    }

    /// The number of a file's inode and its record, by debugfs and by the image's bytes.
    private static func record(_ number: UInt32, _ image: Image) throws -> [UInt8] {
        let device = try FileDevice(image.path)
        return try device.bytes(at: RawExt4(device).inodeOffset(number), count: 128)
    }

    /// More runs than two levels of an extent tree hold, and blocks in every level of a block map.
    @Test(arguments: [Profile.ext2, .ext3, .crc16, .seeded])
    func deepMaps(_ profile: Profile) throws {
        let image = try Self.image(profile)
        let free = try image.freeCounts().superblock
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let file = try volume.file("/file")
        // Four index entries in the inode, of 84 extents each: 337 runs need another level.
        var offsets = (0..<360).map { UInt64($0) * 2048 + 5 }
        let pointers: UInt64 = 256
        offsets += [12 + pointers + 700, 12 + pointers + pointers * pointers + 5].map { $0 * 1024 + 1020 }
        var expected = [UInt8](repeating: 0, count: Int(offsets[offsets.count - 1]) + 3)
        var transaction = try volume.begin()
        for (index, offset) in offsets.enumerated() {
            let bytes = [UInt8(index % 251 + 1), 7, 9]
            try transaction.write(bytes, to: file, at: offset)
            expected.replaceSubrange(Int(offset)..<Int(offset) + 3, with: bytes)
        }
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        var isEqual = try image.contents("/file") == expected
        #expect(isEqual)

        transaction = try volume.begin()
        try transaction.truncate(file, to: 300 * 1024)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        isEqual = try image.contents("/file") == Array(expected.prefix(300 * 1024))
        #expect(isEqual, "cut")

        let number = UInt32(file.rawValue)
        transaction = try volume.begin()
        try transaction.remove(Array("file".utf8), in: volume.rootDirectory)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(try image.freeCounts().superblock == [free[0], free[1] + 1])
        // Nothing is left in the inode that a later reader could take for blocks in use.
        let record = try Self.record(number, image)
        #expect(record[0x28..<0x64].allSatisfy { $0 == 0 } && record[0x1a..<0x20].allSatisfy { $0 == 0 })
        #expect(record.little(0x14, as: UInt32.self) != 0)
    }

    /// Runs longer than an extent can say: 32768 blocks, or 32767 that were not written yet.
    @Test func longRuns() throws {
        let image = try Image(
            .unjournaled, blockSize: 1024, byteCount: 80 << 20,
            // All of the volume's own structures in its first group.
            more: ["-O", "^resize_inode,^sparse_super,sparse_super2", "-G", "16", "-E", "num_backup_sb=0"])
        let blocks = 33_000
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let contents = ReplaceContentsTests.contents(blocks * 1024)
        var transaction = try volume.begin()
        _ = try transaction.createFile(
            Array("long".utf8), in: volume.rootDirectory, contents: contents,
            attributes: .init(permissions: 0o600))
        _ = try transaction.createFile(
            Array("pre".utf8), in: volume.rootDirectory, contents: [], attributes: .init(permissions: 0o600))
        try transaction.prepare().commit()
        #expect(try image.debugfs("stat /long").contains("(0-32767)"))
        #expect(try image.defects() == "")
        var isEqual = try image.contents("/long") == contents
        #expect(isEqual)

        _ = try image.debugfs("fallocate /pre 0 \(blocks)", writing: true)
        let again = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let file = try again.file("/pre")
        transaction = try again.begin()
        try transaction.write([1, 2, 3], to: file, at: 100 * 1024 + 1)
        try transaction.write([4], to: file, at: UInt64(blocks) * 1024 - 1)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        var expected = [UInt8](repeating: 0, count: blocks * 1024)
        expected.replaceSubrange(100 * 1024 + 1..<100 * 1024 + 4, with: [1, 2, 3])
        expected[expected.count - 1] = 4
        isEqual = try image.contents("/pre") == expected
        #expect(isEqual)
    }

    /// What nobody wrote takes no blocks.
    @Test(arguments: [Profile.ext2, .crc16Wide, .seeded])
    func holesStay(_ profile: Profile) throws {
        let old = ReplaceContentsTests.contents(10 * 1024 - 100)
        let image = try Self.image(profile, old)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let file = try volume.file("/file")
        var expected = old
        func expect(blocks: UInt64, _ operation: (any EveryChange) throws -> Void) throws {
            let transaction = try volume.begin()
            try operation(transaction)
            try transaction.prepare().commit()
            #expect(try image.defects() == "")
            #expect(try volume.attributes(of: file).allocatedByteCount == blocks * 1024)
            let isEqual = try image.contents("/file") == expected
            #expect(isEqual, "\(expected.count) bytes")
        }
        expected += [UInt8](repeating: 0, count: 200_000 - expected.count)
        try expect(blocks: 10) { try $0.truncate(file, to: 200_000) }
        // One more, and on ext2 the block of pointers to it.
        let pointers: UInt64 = profile.name == Profile.ext2.name ? 1 : 0
        expected[150_000] = 8
        try expect(blocks: 11 + pointers) { try $0.write([8], to: file, at: 150_000) }
        expected += [UInt8](repeating: 0, count: 50_000) + [9]
        try expect(blocks: 12 + pointers) { try $0.write([9], to: file, at: 250_000) }
        for index in 1000..<9300 { expected[index] = 0 }
        try expect(blocks: 4 + pointers) { try $0.punchHole(in: file, 1000..<9300) }
    }

    /// Blocks that were preallocated behind the end go with a rewrite, and the flag that says so.
    @Test func blocksBehindTheEndGo() throws {
        let image = try Self.image(.crc16, ReplaceContentsTests.contents(10 * 1024))
        _ = try image.debugfs("fallocate /file 10 60", writing: true)
        _ = try image.debugfs("sif /file size 10240", writing: true)
        _ = try image.debugfs("sif /file flags 0x480000", writing: true)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let file = try volume.file("/file")
        #expect(try volume.attributes(of: file).allocatedByteCount > 40 * 1024)
        let transaction = try volume.begin()
        try transaction.replaceContents(of: file, with: [1, 2, 3])
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(try volume.attributes(of: file).allocatedByteCount == 1024)
        #expect(try Self.record(UInt32(file.rawValue), image).little(0x20, as: UInt32.self) == 0x80000)
    }
}
