import Storage
import TestSupport
import Testing

@testable import XFS

/// What directories keep of themselves: where it is wrong, xfs_repair and the kernel refuse the directory, the check says so, and
/// nothing is written into it.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct DirectoryCheckTests {
    static let profiles = [Profile.rhel6, .tinyBlocks, .rhel9]

    private func image(_ profile: Profile) throws -> XFSImage {
        try XFSImage(
            profile,
            more: XFSImage.directory("short", 3) + XFSImage.directory("block", 40)
                + XFSImage.directory("leaf", 200) + XFSImage.directory("node", 2000))
    }

    /// Damages a structure at `position`, whose checksum is mended; what the check and a change say.
    private func judge(
        _ image: XFSImage, _ directory: String, _ bytes: [UInt8], at position: UInt64, _ comment: Comment,
        isRefused: Bool = true
    ) throws {
        let device = try image.device()
        let geometry = try #require(try Superblock.read(from: device)).geometry()
        var bytes = bytes
        if geometry.hasChecksums, let kind = BufferKind(bytes, geometry) {
            Checksum.update(&bytes, at: kind.checksum)
        }
        try device.write(bytes, at: position)
        #expect(try XFSImage(device.contents).defects() != "", comment)
        var codes: Set<String> = []
        try XFSDriver.check(device) { codes.insert($0.code) }
        #expect(!codes.isDisjoint(with: ["bad-directory", "directory-entry"]), comment)
        guard isRefused else { return }
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let refusal = code {
            _ = try transaction.createFile(
                Array("x".utf8), in: #require(try volume.find(directory)), contents: [],
                attributes: NewFileAttributes(permissions: 0o600))
        }
        #expect(refusal == "bad-directory", comment)
    }

    @Test(arguments: profiles) func blocksOfEntries(_ profile: Profile) throws {
        let image = try image(profile)
        let device = try image.device()
        let volume = try XFSFileSystem.open(device)
        var findings: [Finding] = []
        try XFSDriver.check(device) { findings.append($0) }
        try #require(findings == [])
        let layout = volume.directoryLayout
        let directory = try volume.inode(InodeNumber(#require(try volume.find("block")).rawValue))
        let (position, block) = try volume.dataBlock(0, of: directory)
        try #require(block.isSingle && block.longestGap > 0)
        func changed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var bytes = block.bytes
            change(&bytes)
            return bytes
        }
        let list = layout.gapListOffset
        let gap = Int(block.bytes.big(list, as: UInt16.self))
        let tag = layout.dataHeaderSize + layout.entrySize(1) - 1
        try judge(image, "block", changed { $0[tag] ^= 0x40 }, at: position, "an entry's tag")
        try judge(
            image, "block", changed { $0[gap + block.longestGap - 1] ^= 8 }, at: position, "a gap's tag")
        try judge(image, "block", changed { $0[list + 3] ^= 8 }, at: position, "the longest gap")
        try judge(
            image, "block", changed { $0.storeBig(UInt32(1), at: $0.count - 4) }, at: position,
            "hashes that are gone", isRefused: false)
    }

    @Test(arguments: profiles) func listsOfGapsAndHashes(_ profile: Profile) throws {
        let image = try image(profile)
        let volume = try XFSFileSystem.open(image.device())
        let leaf = try volume.inode(InodeNumber(#require(try volume.find("leaf")).rawValue))
        let root = try volume.rootBlock(leaf)
        try #require(root.kind == .singleLeaf)
        var bytes = root.bytes
        bytes[bytes.count - 5] ^= 8
        try judge(image, "leaf", bytes, at: root.position, "a leaf's gaps", isRefused: false)
        bytes = root.bytes
        bytes[(volume.geometry.hasChecksums ? 58 : 14) + 1] ^= 1
        try judge(image, "leaf", bytes, at: root.position, "a leaf's count", isRefused: false)
        bytes = root.bytes
        let hash = NameHash.of([UInt8(ascii: ".")])
        let dot = try #require((0..<root.count).first { root.hash($0) == hash })
        bytes[root.start + dot * 8 + 7] ^= 0x40
        try judge(image, "leaf", bytes, at: root.position, "the directory's own entry", isRefused: false)
        let node = try volume.inode(InodeNumber(#require(try volume.find("node")).rawValue))
        try #require(try volume.rootBlock(node).kind == .node)
        // The third leaf says that another one is at its left.
        var third = try volume.firstLeaf(of: node)
        for _ in 0..<2 {
            third = try #require(try volume.hashBlock(UInt64(third.next), ofDirectory: node))
        }
        bytes = third.bytes
        bytes[7] ^= 1
        try judge(image, "node", bytes, at: third.position, "a leaf's neighbour", isRefused: false)
        let (list, position) = try volume.gapBlock(0, of: node)
        bytes = list
        bytes[volume.directoryLayout.freeSpaceHeaderSize + 1] ^= 8
        try judge(image, "node", bytes, at: position, "a list of gaps", isRefused: false)
    }

    /// In the inode: the place that an entry will have in a block.
    @Test func placesInTheInode() throws {
        let image = try image(.rhel9)
        let device = try image.device()
        let volume = try XFSFileSystem.open(device)
        var inode = try volume.inode(InodeNumber(#require(try volume.find("short")).rawValue))
        inode.bytes[176 + 6 + 2] = 8
        Checksum.update(&inode.bytes, at: Inode.Offset.checksum)
        try device.write(inode.bytes, at: inode.position)
        var codes: Set<String> = []
        try XFSDriver.check(device) { codes.insert($0.code) }
        #expect(codes == ["bad-directory"])
    }
}
