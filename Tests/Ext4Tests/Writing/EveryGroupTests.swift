import Ext4
import Storage
import TestSupport
import Testing

/// Small groups, all of them used up and given back: groups that were never written, short last groups, backups of
/// the superblock between them, every bit of every bitmap. Judged by e2fsck.
@Suite struct EveryGroupTests {
    struct Variant: Sendable, CustomTestStringConvertible {
        let profile: Profile
        let more: [String]
        var onGarbage = false
        var testDescription: String {
            "\(profile.name) \(more.joined(separator: " "))\(onGarbage ? " on garbage" : "")"
        }
    }

    private static let variants = [
        Variant(profile: .checksums, more: ["-g", "1024"]),
        Variant(profile: .checksums, more: ["-g", "1024", "-O", "^flex_bg"]),
        Variant(profile: .seeded, more: ["-g", "1024"], onGarbage: true),
        Variant(profile: .crc16, more: ["-g", "512", "-O", "^flex_bg,^resize_inode"]),
        Variant(profile: .seeded, more: ["-g", "1024", "-O", "^resize_inode,sparse_super2"]),
        // Groups enough for a backup in the 49th.
        Variant(profile: .crc16Wide, more: ["-g", "256", "-O", "^resize_inode", "-G", "4"]),
        Variant(profile: .ext2, more: ["-g", "512"]),
    ]

    /// False when the volume has no room for a change.
    private static func hasRoom(_ change: () throws -> Void) throws -> Bool {
        do {
            try change()
            return true
        } catch {
            guard let error = error as? StorageError, ["no-space", "no-inodes"].contains(error.code) else {
                throw error
            }
            return false
        }
    }

    @Test(arguments: variants)
    func filledAndEmptied(_ variant: Variant) throws {
        let journal = variant.profile.hasJournal ? ["-J", "size=1"] : []
        // 101 blocks more than whole groups: a short last one.
        let image = try Image(
            variant.profile, blockSize: 1024, byteCount: 14 << 20 | 101 << 10,
            more: variant.more + journal + ["-N", "1024"], garbage: variant.onGarbage)
        let before = try image.freeCounts().superblock
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let root = volume.rootDirectory
        let plain = NewFileAttributes(permissions: 0o600)
        var names: [[UInt8]] = []

        // Inodes first, a directory among eight; then blocks, into one file, down to the last.
        while try Self.hasRoom({
            let transaction = try volume.begin()
            for index in names.count..<names.count + 16 {
                let name = Array("n\(index)".utf8)
                if index % 8 == 0 {
                    _ = try transaction.createDirectory(name, in: root, attributes: plain)
                } else {
                    _ = try transaction.createFile(
                        name, in: root, contents: [UInt8](repeating: 1, count: 3000), attributes: plain)
                }
            }
            try transaction.prepare().commit()
        }) {
            names += (names.count..<names.count + 16).map { Array("n\($0)".utf8) }
        }
        let file = try volume.file("/n1")
        var count = 512
        while count > 0 {
            let wasWritten = try Self.hasRoom {
                let transaction = try volume.begin()
                try transaction.write(
                    [UInt8](repeating: 2, count: count << 10), to: file,
                    at: volume.attributes(of: file).size)
                try transaction.prepare().commit()
            }
            if !wasWritten { count /= 2 }
        }
        #expect(try image.defects() == "")
        let full = try image.freeCounts().superblock
        #expect(full[0] <= 1 && full[1] < 16, "\(full)")
        #expect(try !Tool.run("dumpe2fs", [image.path]).text.contains("UNINIT"))

        let again = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        for part in 0..<4 {
            let transaction = try again.begin()
            for name in names[part * names.count / 4..<(part + 1) * names.count / 4] {
                try transaction.remove(name, in: root)
            }
            try transaction.prepare().commit()
            #expect(try image.defects() == "")
        }
        // All is free again but the blocks that the root directory grew by.
        let grown = try Int(again.attributes(of: root).size / 1024) - 1
        let after = try image.freeCounts().superblock
        #expect(after[1] == before[1] && after[0] >= before[0] - grown - 2 && after[0] <= before[0])
    }
}
