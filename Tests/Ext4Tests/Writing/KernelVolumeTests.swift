import Ext4
import Storage
import TestSupport
import Testing

/// Volumes that a kernel made, with everything that it puts there, changed here and judged by e2fsck; what was not
/// touched must list as before.
@Suite(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
struct KernelVolumeTests {
    static let names = [
        "profiles/prof_boot_1k", "profiles/prof_debian13_ext4", "profiles/prof_ext2_1k",
        "profiles/prof_rhel5_ext3",
        "profiles/prof_rhel6_ext4_1k", "profiles/prof_rhel6_ext4_5groups", "profiles/prof_rhel7_ext4",
        "features/feat_inode512", "features/feat_no_dirindex", "features/feat_no_extents",
        "features/feat_no_flexbg",
        "features/feat_rev0", "features/feat_large_dir", "features/feat_ea_inode", "features/feat_encrypt",
        "features/feat_stable_inodes",
    ]

    @Test(arguments: names)
    func changesKeepTheRest(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let path = try SharedSamples.unpack("ext4/kernel-made/\(name).img.zst", into: directory)
        let image = Image(directory: directory, path: path)
        let volume = try Ext4FileSystem.open(FileDevice(path, access: .write))
        let before = try Listing.lines(of: volume)
        let root = volume.rootDirectory
        let transaction = try volume.begin()
        let plain = NewFileAttributes(permissions: 0o644)
        for file in ["/sparse", "/prealloc", "/keep_size", "/frag", "/boot/grub2/grub.cfg", "/empty"] {
            guard let file = try? volume.file(file) else { continue }
            try transaction.replaceContents(of: file, with: ReplaceContentsTests.contents(30_000))
        }
        // One of three files that share an attribute block: the others keep theirs.
        if let shared = try? volume.file("/ea_share_1") {
            try transaction.setExtendedAttribute(Array("user.own".utf8), of: shared, to: [1, 2, 3])
        }
        if (try? volume.file("/ea_share_2")) != nil {
            try transaction.remove(Array("ea_share_2".utf8), in: root)
        }
        if let htree = try? volume.file("/htree1") {
            for index in 0..<200 {
                _ = try transaction.createFile(
                    Array("new_name_\(index)".utf8), in: htree, contents: [], attributes: plain)
                let old = Array("file_with_a_longish_name_\(String(1_000_000 + index * 3).dropFirst())".utf8)
                try transaction.remove(old, in: htree)
            }
        }
        for gone in ["sym_long", "sym_60", "fifo", "chr_big"] where (try? volume.file("/" + gone)) != nil {
            try transaction.remove(Array(gone.utf8), in: root)
        }
        let made = try transaction.createDirectory(
            Array("made".utf8), in: root, attributes: .init(permissions: 0o755))
        try transaction.rename(Array("etc".utf8), in: root, to: Array("etc".utf8), in: made)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")

        let after = try Listing.lines(of: Ext4FileSystem.open(FileDevice(path)))
        let touched = [
            "/sparse\t", "/prealloc\t", "/keep_size\t", "/frag\t", "/boot/grub2/grub.cfg\t", "/empty\t",
            "/ea_share_1\t",
            "/ea_share_2\t", "/htree1", "/sym_long\t", "/sym_60\t", "/fifo\t", "/chr_big\t", "/etc",
        ]
        let lost = before.subtracting(after).filter { line in
            !touched.contains { line.starts(with: Array($0.utf8)) }
        }
        #expect(lost.map(\.displayText) == [])
    }
}
