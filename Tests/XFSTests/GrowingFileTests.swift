import Storage
import TestSupport
import Testing

@testable import XFS

/// A file that grows shows zeros behind its old end, whatever lies in the blocks that it has there.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct GrowingFileTests {
    /// Blocks behind the end that are marked as written, as older kernels leave them.
    @Test(arguments: [Profile.rhel9, .rhel10, .rhel7, .tinyBlocks])
    func oldBlocksDoNotShow(_ profile: Profile) throws {
        let secret = [UInt8](repeating: 0x55, count: 40_000)
        let image = try XFSImage(profile, files: ["a": secret, "b": secret, "c": secret, "d": secret])
        let first = try XFSFileSystem.open(image.device())
        for name in ["a", "b", "c", "d"] {
            try image.edit(["inode \(#require(try first.find(name)))", "write -d core.size 100"])
        }
        try #require(try image.defects() == "")
        let device = try image.device()
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        func file(_ name: String) throws -> FileID { try #require(try volume.find(name)) }
        try transaction.truncate(file("a"), to: 40_000)
        try transaction.write([1], to: file("b"), at: 39_999)
        try transaction.write([UInt8](repeating: 1, count: 10_000), to: file("c"), at: 50)
        try transaction.truncate(file("c"), to: 40_000)
        try transaction.write([1], to: file("d"), at: 100)
        try transaction.truncate(file("d"), to: 40_000)
        let start = [UInt8](repeating: 0x55, count: 100)
        func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
        let expected: [String: [UInt8]] = [
            "a": start + zeros(39_900), "b": start + zeros(39_899) + [1],
            "c": Array(start[..<50]) + [UInt8](repeating: 1, count: 10_000) + zeros(29_950),
            "d": start + [1] + zeros(39_899),
        ]
        for (name, contents) in expected { #expect(try transaction.contents(of: file(name)) == contents) }
        try transaction.prepare().commit()
        let after = try XFSFileSystem.open(device)
        for (name, contents) in expected {
            #expect(try after.contents(of: #require(try after.find(name))) == contents, "\(name)")
        }
        #expect(try XFSImage(device.contents).defects() == "")
    }
}
