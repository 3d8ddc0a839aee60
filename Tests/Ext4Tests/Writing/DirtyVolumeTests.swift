import Ext4
import Storage
import TestSupport
import Testing

/// Volumes with changes in their journal, written to: the replay comes first.
@Suite(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
struct DirtyVolumeTests {
    static let names = [
        "j_csum3_64bit", "j_debian13", "j_ext3_nocsum_1k", "j_rhel6_nocsum", "j_v1csum", "j_wrap_1k",
    ]

    @Test(arguments: names)
    func replaysThenChanges(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let path = try SharedSamples.unpack("ext4/kernel-made/journal/\(name).img.zst", into: directory)
        let image = Image(directory: directory, path: path)
        let volume = try Ext4FileSystem.open(FileDevice(path, access: .write))
        let before = try Listing.lines(of: volume)
        let file = try volume.file("/boot/grub2/grub.cfg")
        for text in ["set root=(hd0,1)\n", "again\n"] {
            let transaction = try volume.begin()
            try transaction.replaceContents(of: file, with: Array(text.utf8))
            try transaction.prepare().commit()
            #expect(try image.defects() == "")
            #expect(try image.contents("/boot/grub2/grub.cfg") == Array(text.utf8))
        }
        let after = try Listing.lines(of: Ext4FileSystem.open(FileDevice(path)))
        #expect(after.subtracting(before).count == 1)
        #expect(before.subtracting(after).count == 1)
    }
}
