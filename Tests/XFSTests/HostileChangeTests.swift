import Foundation
import Storage
import TestSupport
import Testing
import XFS

/// Numbers that lie, with checksums mended, on the way of a change: it is refused, and nothing is written.
@Suite(.enabled(if: XFSImage.tools, Comment(rawValue: XFSImage.skipMessage)))
struct HostileChangeTests {
    /// A list of gaps that claims to be longer than its block.
    @Test func aListOfGapsThatIsTooLong() throws {
        let image = try XFSImage(.rhel9, more: XFSImage.directory("d", 200))
        let volume = try XFSFileSystem.open(image.device())
        let directory = try #require(try volume.find("d"))
        try image.edit(["inode \(directory.rawValue)", "dblock 8388608", "write -d ltail.bestcount 2048"])
        let device = try image.device()
        let before = try image.bytes()
        let transaction = try XFSFileSystem.open(device).begin()
        let refusal = code { try transaction.remove(Array("entry-7".utf8), in: directory) }
        #expect(refusal == "bad-directory")
        #expect(try device.bytes(at: 0, count: before.count) == before)
    }

    /// Chunks of inodes behind the end of the group, at the end of what a number can say.
    @Test(arguments: ["4294967280", "1048576"])
    func aChunkBehindItsGroup(_ first: String) throws {
        let image = try XFSImage(.rhel9)
        try image.edit(["agi 0", "addr free_root", "write -d recs[1].startino \(first)"])
        try image.edit(["agi 0", "addr root", "write -d recs[1].startino \(first)"])
        let device = try image.device()
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let refusal = code {
            _ = try transaction.createFile(
                Array("new".utf8), in: transaction.rootDirectory, contents: [1],
                attributes: NewFileAttributes(permissions: 0o644))
        }
        #expect(refusal == "bad-tree")
    }

    /// A superblock that counts as many inodes as a number can.
    @Test func aCountOfInodesAtItsEnd() throws {
        let image = try XFSImage(.rhel9)
        try image.edit(["sb 0", "write -d icount 18446744073709551615"])
        try image.edit(["agi 0", "write -d freecount 0"])
        let volume = try? XFSFileSystem.open(image.device())
        let transaction = try volume?.begin()
        let refusal = code {
            guard let transaction else { return }
            _ = try transaction.createFile(
                Array("new".utf8), in: transaction.rootDirectory, contents: [1],
                attributes: NewFileAttributes(permissions: 0o644))
        }
        #expect(volume == nil || refusal != "none")
    }
}
