import Ext4
import Storage
import TestSupport
import Testing

/// Replacing contents, judged by e2fsck and debugfs.
@Suite struct ReplaceContentsTests {
    static let blockSizes = [1024, 2048, 4096, 65536]

    /// A volume with a file that has everything to keep: mode, owner, attributes in the inode and in a block.
    static func image(_ profile: Profile, _ blockSize: Int) throws -> Image {
        let image = try Image(
            profile, blockSize: blockSize,
            files: [
                "etc/fstab": Array("/dev/sda1 / ext4 defaults 0 1\n".utf8),
                "big": contents(40 * blockSize + 17),
            ]
        ) { tree in
            try Tool.run("sh", ["-c", "cd \"$0\" && chmod 640 etc/fstab && truncate -s 300000 sparse", tree])
        }
        for command in [
            "sif /etc/fstab uid 70000", "sif /etc/fstab gid 80000",
            "ea_set /etc/fstab security.selinux system_u:object_r:etc_t:s0",
            "ea_set /etc/fstab user.long \(String(repeating: "v", count: 300))",
        ] {
            _ = try image.debugfs(command, writing: true)
        }
        return image
    }

    /// Bytes that differ from block to block and with the count; 251 is no divisor of a block.
    static func contents(_ count: Int) -> [UInt8] {
        let piece = (0..<251).map { UInt8(truncatingIfNeeded: $0 + count) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + piece.count)
        while bytes.count < count { bytes += piece }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    @Test(arguments: Profile.all + [.inline], blockSizes)
    func growsAndShrinks(_ profile: Profile, blockSize: Int) throws {
        let image = try Self.image(profile, blockSize)
        #expect(try image.defects() == "")
        let statBefore = try Self.kept(image)
        let attributesBefore = try Self.attributes(image)
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let pointers = blockSize / 4
        var sizes = [
            5, 0, blockSize, blockSize + 1, 12 * blockSize, 12 * blockSize + 1, 70 * blockSize, 61, 59, 200,
            13 * blockSize,
        ]
        if blockSize <= 2048 { sizes.append((12 + pointers + 5) * blockSize - 3) }
        sizes += [30 * blockSize + 1, 31]
        for path in ["/big", "/sparse"] {
            let file = try volume.file(path)
            for size in sizes {
                let contents = Self.contents(size)
                let transaction = try volume.begin()
                try transaction.replaceContents(of: file, with: contents)
                #expect(try transaction.contents(of: file) == contents)
                try transaction.prepare().commit()
                #expect(try volume.contents(of: file) == contents)
            }
            #expect(try image.defects() == "", "\(path)")
        }
        for size in sizes {
            let transaction = try volume.begin()
            try transaction.replaceContents(of: volume.file("/etc/fstab"), with: Self.contents(size))
            try transaction.prepare().commit()
            #expect(try image.defects() == "", "\(size) bytes")
            // debugfs shows all 60 bytes of i_block, however short an inline file is.
            let dumped = try image.contents("/etc/fstab")
            let shown = profile.name == Profile.inline.name && size < 60 ? Array(dumped.prefix(size)) : dumped
            #expect(shown == Self.contents(size))
        }
        #expect(try Self.kept(image) == statBefore)
        #expect(try Self.attributes(image) == attributesBefore)
    }

    /// The extended attributes of /etc/fstab by debugfs, without the one that holds inline data.
    static func attributes(_ image: Image) throws -> [Substring] {
        try image.debugfs("ea_list /etc/fstab").split(separator: "\n").filter { !$0.contains("system.data") }
    }

    /// What a replacement must keep, by debugfs.
    static func kept(_ image: Image) throws -> [Substring] {
        try image.debugfs("stat /etc/fstab").split(separator: "\n").filter {
            $0.hasPrefix("Inode:") || $0.hasPrefix("User:") || $0.hasPrefix("Links:")
                || $0.hasPrefix("File ACL")
                || $0.contains("crtime")
        }.map {
            $0.split(separator: "Flags:")[0].split(separator: "Size:")[0].split(separator: "Blockcount")[0]
        }
    }

    @Test(arguments: Profile.all)
    func timesAndLabel(_ profile: Profile) throws {
        let image = try Self.image(profile, 1024)
        let now = Timestamp(seconds: 2_000_000_000, nanoseconds: 7)
        let volume = try Ext4FileSystem.open(
            FileDevice(image.path, access: .write), options: .init(now: now))
        let file = try volume.file("/etc/fstab")
        let before = try volume.attributes(of: file)
        let transaction = try volume.begin()
        try transaction.replaceContents(of: file, with: Array("x".utf8))
        try transaction.setLabel(Array("sixteen bytes  1".utf8))
        let prepared = try transaction.prepare()
        #expect(prepared.blockWriteCount < 40)
        try prepared.commit()
        #expect(try image.defects() == "")
        var expected = before
        expected.size = 1
        expected.modificationTime = now
        expected.changeTime = now
        if profile.options.contains("128") {
            expected.modificationTime.nanoseconds = 0
            expected.changeTime.nanoseconds = 0
        }
        let after = try Ext4FileSystem.open(FileDevice(image.path)).attributes(of: file)
        #expect(after == expected)
        #expect(volume.identity.label == Array("sixteen bytes  1".utf8))
        #expect(
            try Tool.run("blkid", ["-p", "-o", "value", "-s", "LABEL", image.path]).text
                == "sixteen bytes  1\n")
        let again = try volume.begin()
        try again.replaceContents(of: file, with: Array("x".utf8))
        #expect(try again.prepare().isEmpty)
    }
}

extension FileSystem {
    /// The file that a path names.
    func file(_ path: String) throws -> FileID {
        var file = rootDirectory
        for name in path.split(separator: "/") {
            guard let next = try lookUp(Array(name.utf8), in: file) else {
                throw Failure(description: "\(path) is not there")
            }
            file = next
        }
        return file
    }
}
