import Foundation
import TestSupport
import Testing

/// Holes of a file of the host stay holes in the guest.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck"), "judges are missing"))
struct PutHolesTests {
    private static let block: UInt64 = 64 << 10

    /// A file of `size` bytes with data at these offsets, holes elsewhere.
    private static func source(
        _ size: UInt64, data offsets: [UInt64], in directory: TemporaryDirectory
    ) throws -> String {
        let path = try directory.sparse("source", byteCount: size)
        var random = SeededRandom(size)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        for offset in offsets {
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: random.bytes(Int(block)))
        }
        try handle.close()
        return path
    }

    @Test(
        arguments: [
            EditCommandTests.ext2, EditCommandTests.ext4, EditCommandTests.ext4 + ["-O", "inline_data"],
        ],
        [
            (UInt64(3) << 20, [UInt64(1) << 20]), (UInt64(40) << 20, [0, UInt64(9) << 20, UInt64(20) << 20]),
            (UInt64(5000), []), (UInt64(1) << 30, [UInt64(512) << 20]),
        ])
    func holesStayHoles(_ features: [String], _ shape: (size: UInt64, data: [UInt64])) throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 32 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + features + [image])
        let source = try Self.source(shape.size, data: shape.data, in: directory)
        let expected = try Tool.run("cksum", [source]).text.prefix { $0 != " " }
        let old = try directory.write("old", "old\n")
        for name in ["/there", "/linked"] {
            try Fixture.diskgraft("put", "--volume", "disk", image, old, name)
        }
        try Fixture.diskgraft("ln", "--volume", "disk", image, "/linked", "/other")
        try Fixture.diskgraft("chmod", "--volume", "disk", image, "640", "/there")
        for name in ["/new", "/there", "/linked"] {
            try Fixture.diskgraft("put", "--volume", "disk", image, source, name)
            try Debugfs(image).check()
            let sum = try Tool.run(
                "sh", ["-c", "\"$0\" cat --volume disk \"$1\" \"$2\" | cksum", Fixture.command, image, name]
            ).text.prefix { $0 != " " }
            #expect(sum == expected, "\(name)")
            let stat = try Fixture.diskgraft("stat", "--volume", "disk", image, name).text
            let allocated = try #require(
                stat.split(separator: "\n").first { $0.hasPrefix("size:") }?.split(separator: " ")
                    .dropLast(2).last.flatMap { UInt64($0) })
            // Data, and the blocks of a map.
            #expect(allocated <= UInt64(shape.data.count) * (Self.block + 16384), "\(name): \(stat)")
        }
        #expect(try Fixture.diskgraft("stat", "--volume", "disk", image, "/there").text.contains("640"))
        #expect(try Fixture.diskgraft("stat", "--volume", "disk", image, "/other").text.contains("size: "))
        let found = try Fixture.diskgraft("find", "--volume", "disk", image).text
        #expect(found == "/\n/linked\n/lost+found\n/new\n/other\n/there\n")
    }
}
