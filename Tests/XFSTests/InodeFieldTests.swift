import Storage
import TestSupport
import Testing

@testable import XFS

/// Fields of inodes that no reader needs: what xfs_repair finds wrong, the check does too.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct InodeFieldTests {
    /// A byte of an inode, and where it counts.
    private static let fields: [(path: String, byte: Int, value: UInt8, code: String)] = [
        ("pipe", 62, 1, "inode-fields"), ("pipe", 79, 1, "inode-extents"), ("pipe", 6, 1, "inode-fields"),
        ("pipe", 90, 0x80, "inode-fields"), ("file", 90, 1, "inode-fields"), ("short", 90, 8, "inode-fields"),
        ("file", 75, 1, "inode-fields"), ("file", 96, 0x7f, "inode-fields"),
        ("pipe", 83, 3, "inode-fields"),
    ]
    private static let plainTimes = [("pipe", 44, UInt8(0x80), "inode-fields")]
    private static let newFields: [(path: String, byte: Int, value: UInt8, code: String)] = [
        ("file", 120, 1, "inode-fields"), ("pipe", 127, 2, "inode-fields"), ("file", 31, 1, "inode-fields"),
    ]

    @Test(arguments: [Profile.rhel6, .tinyBlocks, .rhel7, .rhel9]) func fieldsAreChecked(_ profile: Profile)
        throws
    {
        let image = try XFSImage(
            profile, files: ["file": TreeModel.contents(9000)],
            more: XFSImage.directory("short", 3) + ["pipe p--644 0 0"])
        let volume = try XFSFileSystem.open(image.device())
        var fields = Self.fields
        if volume.geometry.hasChecksums { fields += Self.newFields }
        if !volume.geometry.incompatible.contains(.bigTimes) { fields += Self.plainTimes }
        for (path, byte, value, code) in fields {
            var inode = try volume.inode(InodeNumber(#require(try volume.find(path)).rawValue))
            inode.bytes[byte] ^= value
            if volume.geometry.hasChecksums { Checksum.update(&inode.bytes, at: Inode.Offset.checksum) }
            let changed = try XFSImage(
                image.path, with: [OrderedWrites.Write(offset: inode.position, bytes: inode.bytes)])
            #expect(try changed.defects() != "", "byte \(byte) of \(path)")
            var codes: Set<String> = []
            try XFSDriver.check(changed.device()) { codes.insert($0.code) }
            #expect(codes.contains(code), "byte \(byte) of \(path): \(codes)")
        }
    }

    /// An attribute whose hash is another name's.
    @Test(arguments: [Profile.rhel6, .rhel9]) func hashesOfAttributes(_ profile: Profile) throws {
        let image = try FuzzTests.image(profile)
        let volume = try XFSFileSystem.open(image.device())
        let file = try volume.inode(InodeNumber(#require(try volume.find("many")).rawValue))
        var leaves: [HashBlock] = []
        try volume.forEachAttributeLeaf(of: file) { (leaf) throws(StorageError) in
            leaves.append(leaf)
            return true
        }
        let leaf = try #require(leaves.last)
        var bytes = leaf.bytes
        let place = leaf.start + (leaf.count - 1) * 8
        bytes.storeBig(leaf.hash(leaf.count - 1) &- 1, at: place)
        if volume.geometry.hasChecksums { Checksum.update(&bytes, at: BlockStamp.hashTree.checksum) }
        let changed = try XFSImage(
            image.path, with: [OrderedWrites.Write(offset: leaf.position, bytes: bytes)])
        #expect(try changed.defects() != "")
        var codes: Set<String> = []
        try XFSDriver.check(changed.device()) { codes.insert($0.code) }
        #expect(codes == ["bad-attributes"])
    }
}
