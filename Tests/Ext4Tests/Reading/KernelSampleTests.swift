import Ext4
import Storage
import TestSupport
import Testing

/// Images that a kernel made, listed as the kernel lists them.
@Suite(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
struct KernelSampleTests {
    static let clean = [
        "profiles/prof_boot_1k", "profiles/prof_debian13_ext4", "profiles/prof_ext2_1k",
        "profiles/prof_rhel5_ext3", "profiles/prof_rhel6_ext4_1k", "profiles/prof_rhel6_ext4_5groups",
        "profiles/prof_rhel7_ext4", "profiles/prof_rhel7_ext4_5groups", "profiles/prof_rhel8_ext4",
        "features/feat_bigalloc", "features/feat_ea_inode", "features/feat_encrypt",
        "features/feat_inode512", "features/feat_large_dir", "features/feat_no_dirindex",
        "features/feat_no_extents", "features/feat_no_flexbg", "features/feat_rev0",
        "features/feat_stable_inodes",
    ]

    @Test(arguments: clean)
    func listsAsTheKernel(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let image = try SharedSamples.unpack("ext4/kernel-made/\(name).img.zst", into: directory)
        let volume = try Ext4FileSystem.open(FileDevice(image))
        let listed = try Listing.lines(of: volume)
        let expected = try Listing.expected(SharedSamples.path("ext4/kernel-made/\(name).expect.tsv"))
        #expect(expected.subtracting(listed).map(\.displayText) == [])
        #expect(listed.subtracting(expected).map(\.displayText) == [])
        #expect(volume.warnings == [])
    }
}
