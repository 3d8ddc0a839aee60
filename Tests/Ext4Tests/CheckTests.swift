import Ext4
import Storage
import TestSupport
import Testing

/// Damage done by debugfs or by hand to a sound image: found by name, and gone when e2fsck has repaired it.
@Suite struct CheckTests {
    /// A small volume with a few files, its checksums by `features`.
    private static func image(_ features: String) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        try directory.write("tree/etc/fstab", "UUID=x / ext4 defaults 0 1\n")
        try directory.write("tree/boot/vmlinuz", [UInt8](repeating: 7, count: 40_000))
        for index in 0..<60 { try directory.write("tree/many/name-\(index)", "\(index)") }
        try Tool.run("ln", ["-s", "/etc/fstab", directory.path("tree/link")])
        let path = try directory.sparse("image", byteCount: 8 << 20)
        try Tool.run(
            "mke2fs",
            [
                "-q", "-F", "-b", "1024", "-O", features, "-J", "size=1", "-U",
                "0fc63daf-8483-4772-8e79-3d69d8477de4", "-d", directory.path("tree"),
            ] + (features.contains("inline_data") ? ["-I", "256"] : []) + [path])
        return try fileBytes(path)
    }

    private static let plain = "has_journal,ext_attr,dir_index,filetype,sparse_super,large_file,resize_inode"
    private static let checksums = plain + ",extent,flex_bg,64bit,huge_file,metadata_csum"

    private func change(_ image: [UInt8], _ commands: [String]) throws -> [UInt8] {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", image)
        for command in commands { try Tool.run("debugfs", ["-w", "-R", command, path]) }
        return try fileBytes(path)
    }

    private func check(_ image: [UInt8]) throws -> CheckReport {
        try Ext4FileSystem.check(MemoryDevice(image))
    }

    @Test(arguments: [
        plain, checksums, plain + ",extent,flex_bg,uninit_bg", plain + ",extent,meta_bg,^resize_inode",
        checksums + ",inline_data",
    ])
    func whatMke2fsMakesIsSound(_ features: String) throws {
        let report = try check(Self.image(features))
        #expect(report.findings.filter { $0.severity == .damage } == [])
        #expect(report.directoryCount == 5 && report.inodeCount > 65)
    }

    @Test(arguments: [
        ("link-count", ["set_inode_field /etc/fstab links_count 3"]),
        ("unattached", ["unlink /etc/fstab"]),
        ("unconnected", ["unlink /many"]),
        ("directory-entry", ["clri /etc/fstab"]),
        ("inode-blocks", ["set_inode_field /boot/vmlinuz blocks 8"]),
        ("inode-size", ["set_inode_field /many size 5000"]),
        ("inode-size", ["set_inode_field /boot/vmlinuz size 3"]),
        ("inode-field", ["set_inode_field /etc/fstab dtime 20200101"]),
        ("bad-symbolic-link", ["set_inode_field /link size 3"]),
        ("block-bitmap", ["freeb 300 5"]),
        ("inode-bitmap", ["freei <14>"]),
        ("wrong-parent", ["ln /etc /many/moved", "unlink /etc"]),
        ("free-counts", ["set_super_value free_blocks_count 5"]),
        ("group-counts", ["set_block_group 0 free_inodes_count 5"]),
        ("bad-pointer", ["set_inode_field /etc/fstab block[0] 900000"]),
        ("no-root", ["clri <2>"]),
        ("orphans", ["set_super_value last_orphan 14"]),
        ("error-state", ["set_super_value state 2"]),
    ])
    func damageIsNamed(_ code: String, _ commands: [String]) throws {
        let damaged = try change(Self.image(Self.plain), commands)
        let report = try check(damaged)
        #expect(report.findings.contains { $0.code == code }, "\(report.findings.map(\.description))")
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", damaged)
        try Tool.run("e2fsck", ["-fy", path], expect: 0...1)
        let repaired = try check(fileBytes(path))
        #expect(repaired.isSound, "\(repaired.findings.map(\.description))")
    }

    /// One byte of a structure with a checksum.
    @Test func wrongChecksumsAreNamed() throws {
        let image = try Self.image(Self.checksums)
        let raw = try RawExt4(MemoryDevice(image))
        let inode = Int(try raw.inodeOffset(13))
        let places = [
            ("superblock-checksum", 1024 + 0x30), ("descriptor-checksum", 2048 + 0x0c),
            ("inode-checksum", inode + 0x64),
        ]
        for (code, place) in places {
            var damaged = image
            damaged[place] ^= 1
            let report = try check(damaged)
            #expect(report.findings.contains { $0.code == code && $0.offset != nil }, "\(code)")
        }
    }

    @Test func randomDamageNeitherTrapsNorHangs() throws {
        let images = [try Self.image(Self.plain), try Self.image(Self.checksums)]
        var random = SeededRandom(17)
        for round in 0..<120 {
            var image = images[round % 2]
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                // Mostly where metadata lies.
                let limit = Bool.random(using: &random) ? 400 << 10 : image.count
                let place = Int.random(in: 1024..<limit, using: &random)
                image[place] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                _ = try check(image)
            } catch let error as StorageError {
                #expect(error.kind == .unsupported)
            }
        }
    }

    @Test func whatIsNoVolume() throws {
        let report = try check([UInt8](repeating: 0, count: 1 << 20))
        #expect(report.findings.map(\.code) == ["bad-magic"])
        let cut = try check(Array(Self.image(Self.plain).prefix(3 << 20)))
        #expect(cut.findings.map(\.code) == ["truncated-device"])
    }
}
