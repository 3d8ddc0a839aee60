import Ext4
import Storage
import TestSupport
import Testing

/// Volumes whose bytes were made to hurt: typed errors and an end, never a trap.
@Suite struct HostileVolumeTests {
    static let profiles = [Profile.ext2, .ext3, .crc16Wide, .seeded, .inline]

    /// A small volume with a piece of everything.
    static func sample(_ profile: Profile) throws -> [UInt8] {
        let image = try Image(
            profile, blockSize: 1024,
            files: [
                "etc/fstab": Array("/dev/sda1 / ext4 defaults 0 1\n".utf8),
                "big": Array(repeating: 7, count: 400_000),
            ],
            byteCount: 4 << 20
        ) { tree in
            try Tool.run(
                "sh",
                [
                    "-c",
                    "cd \"$0\" && mkdir d && for i in $(seq 120); do : > d/a_file_with_a_long_name_$i; done; ln -s target short; ln -s \"$(printf '%0300d' 1)\" long; mkfifo pipe; truncate -s 3000000 sparse; printf x | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none",
                    tree,
                ])
        }
        for command in [
            "ea_set /etc/fstab security.selinux system_u:object_r:etc_t:s0",
            "ea_set /big user.long \(String(repeating: "v", count: 700))",
        ] {
            _ = try image.debugfs(command, writing: true)
        }
        return try fileBytes(image.path)
    }

    /// A copy of such a file would never end: 16 EiB of zeros behind one damaged field.
    @Test(arguments: [Profile.ext2, .crc16Wide, .inline])
    func sizesBeyondEveryMapAreDamage(_ profile: Profile) throws {
        let image = try Image(
            profile, blockSize: 1024, files: ["small": Array("x".utf8), "sound": []], byteCount: 4 << 20)
        _ = try image.debugfs("set_inode_field /small size 0xffffffff00000004", writing: true)
        let volume = try Ext4FileSystem.open(MemoryDevice(try fileBytes(image.path)))
        let small = try #require(try volume.lookUp(Array("small".utf8), in: volume.rootDirectory))
        let error = #expect(throws: StorageError.self) { try volume.attributes(of: small) }
        #expect(error?.kind == .corrupt && error?.field == "i_size")
        let sound = try #require(try volume.lookUp(Array("sound".utf8), in: volume.rootDirectory))
        #expect(try volume.attributes(of: sound).size == 0)
    }

    @Test(arguments: profiles)
    func flippedBytes(_ profile: Profile) throws {
        let bytes = try Self.sample(profile)
        let intact = Walk(try Ext4FileSystem.open(MemoryDevice(bytes)))
        #expect(intact.errors == [])
        #expect(intact.fileCount > 120)
        // Where metadata lies: most of the file is zeros or data.
        let used = stride(from: 0, to: bytes.count, by: 1024).filter { start in
            let block = Array(bytes[start..<start + 1024])
            let isEmpty = block.span8.isAllZero
            return !isEmpty && block.contains { $0 != 7 }
        }
        var random = SeededRandom(0x6578_7434)
        for _ in 0..<30 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                guard let start = used.randomElement(using: &random) else { break }
                let offset = start + Int.random(in: 0..<1024, using: &random)
                damaged[offset] = Bool.random(using: &random) ? .random(in: 0...255, using: &random) : 0xff
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                damaged.removeLast(Int.random(in: 1..<damaged.count, using: &random))
            }
            walk(damaged)
        }
    }

    @Test(arguments: profiles)
    func damagedSuperblock(_ profile: Profile) throws {
        let bytes = try Self.sample(profile)
        var random = SeededRandom(7)
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let offset = 1024 + Int.random(in: 0..<0x180, using: &random)
                damaged[offset] = .random(in: 0...255, using: &random)
            }
            walk(damaged)
        }
    }

    /// Counts and lengths that reach past their block, in a shape that every other check lets through.
    @Test func countsPastTheBlock() throws {
        let image = try Image(
            .crc16, blockSize: 1024, files: ["d/file": Array(repeating: 7, count: 5000)], byteCount: 4 << 20)
        let bytes = try fileBytes(image.path)
        let intact = try Ext4FileSystem.open(MemoryDevice(bytes))
        let file = try intact.file("/d/file")
        let directory = try intact.file("/d")
        let raw = try RawExt4(MemoryDevice(bytes))

        // Four sound extents, and a fifth behind the inode's 60 bytes.
        var damaged = bytes
        let map = Int(try raw.inodeOffset(UInt32(file.rawValue))) + 0x28
        let start = UInt32(try raw.blocks(ofInode: UInt32(file.rawValue))[0])
        for (offset, value) in [(2, 5), (4, 5)] { damaged.storeLittle(UInt16(value), at: map + offset) }
        for index in 0..<4 {
            damaged.storeLittle(UInt32(index), at: map + 12 + index * 12)
            damaged.storeLittle(UInt16(1), at: map + 16 + index * 12)
            damaged.storeLittle(start + UInt32(index), at: map + 20 + index * 12)
        }
        let extent = try Ext4FileSystem.open(MemoryDevice(damaged))
        let error = #expect(throws: StorageError.self) { try extent.contents(of: file) }
        #expect(error?.code == "bad-extent-node")

        // A last record whose name goes on behind the block.
        damaged = bytes
        let block = Int(try raw.blocks(ofInode: UInt32(directory.rawValue))[0]) * 1024
        // "." and ".." take 12 bytes each; the file's record reached to the end.
        damaged.storeLittle(UInt16(1000 - 24), at: block + 24 + 4)
        damaged.storeLittle(UInt32(file.rawValue), at: block + 1000)
        damaged.storeLittle(UInt16(264), at: block + 1004)
        damaged[block + 1006] = 250
        let names = try Ext4FileSystem.open(MemoryDevice(damaged))
        let record = #expect(throws: StorageError.self) { try names.entries(of: directory) }
        #expect(record?.code == "bad-directory")
    }

    /// Opens with checksums ignored: else they would stop most damage before the code that must stand it.
    private func walk(_ bytes: [UInt8]) {
        guard
            let volume = try? Ext4FileSystem.open(MemoryDevice(bytes), options: .init(ignoresChecksums: true))
        else { return }
        _ = Walk(volume, fileLimit: 2000)
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func imagesThatE2fsckRepairs() throws {
        let root = try SharedSamples.path("ext4/e2fsprogs-tests")
        let found = try Tool.run("sh", ["-c", "ls -d \"$0\"/*/image.gz", root]).text
        let images = found.split(separator: "\n").map { $0.dropFirst(root.count + 1) }
        #expect(images.count > 100)
        for name in images {
            let directory = try TemporaryDirectory()
            let image = try SharedSamples.unpack("ext4/e2fsprogs-tests/\(name)", into: directory)
            for ignore in [false, true] {
                guard
                    let volume = try? Ext4FileSystem.open(
                        FileDevice(image), options: .init(ignoresChecksums: ignore))
                else { continue }
                _ = Walk(volume, fileLimit: 1500, byteLimit: 1 << 16)
            }
        }
    }
}
