import Ext4
import Storage
import TestSupport
import Testing

/// Seeded series of operations, applied here and to a model; e2fsck and debugfs judge the volume.
@Suite struct RandomSeriesTests {
    struct Variant: Sendable, CustomTestStringConvertible {
        let profile: Profile
        let blockSize: Int
        var more: [String] = []
        var testDescription: String { "\(profile.name), \(blockSize) \(more.joined(separator: " "))" }
    }

    static let variants: [Variant] =
        (Profile.all + [.inline, .unjournaled]).flatMap { profile in
            [1024, 4096].map { Variant(profile: profile, blockSize: $0) }
        } + [
            Variant(profile: .checksums, blockSize: 2048), Variant(profile: .checksums, blockSize: 65536),
            Variant(profile: .ext3, blockSize: 65536), Variant(profile: .seeded, blockSize: 16384),
            Variant(profile: .ext2, blockSize: 16384), Variant(profile: .crc16Wide, blockSize: 65536),
            Variant(profile: .checksums, blockSize: 1024, more: ["-O", "^resize_inode,meta_bg"]),
            Variant(profile: .checksums, blockSize: 1024, more: ["-O", "^flex_bg,^dir_index"]),
            Variant(profile: .crc16Wide, blockSize: 1024, more: ["-E", "desc_size=128"]),
            Variant(profile: .seeded, blockSize: 4096, more: ["-I", "1024", "-g", "1024"]),
            Variant(profile: .ext2, blockSize: 1024, more: ["-O", "^filetype", "-g", "512"]),
            Variant(
                profile: .seeded, blockSize: 1024, more: ["-O", "sparse_super2,^resize_inode", "-g", "2048"]),
            Variant(
                profile: .checksums, blockSize: 4096, more: ["-O", "encrypt,mmp,large_dir,stable_inodes"]),
        ]

    @Test(arguments: variants)
    func seriesKeepVolumeAndModelEqual(_ variant: Variant) throws {
        let image = try Image(variant.profile, blockSize: variant.blockSize, more: variant.more)
        #expect(try image.defects() == "")
        var model = TreeModel(seed: 42, blockSize: variant.blockSize)
        for round in 0..<4 {
            let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
            let transaction = try volume.begin()
            for _ in 0..<60 { try model.step(transaction, volume.rootDirectory) }
            try transaction.prepare().commit()
            let defects = try image.defects()
            #expect(defects == "", "round \(round)")
            guard defects.isEmpty else { return }
            try model.check(volume)
            try model.check(Ext4FileSystem.open(FileDevice(image.path)))
        }
        try model.check(dumpedBy: image)
    }
}
