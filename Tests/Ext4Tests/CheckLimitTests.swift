import Ext4
import Storage
import TestSupport
import Testing

/// What is more than a check holds in memory is said, and is no damage.
@Suite(.enabled(if: Tool.has("mke2fs", "e2fsck"), "mke2fs or e2fsck is missing")) struct CheckLimitTests {
    @Test func whatIsMoreThanIsHeldIsNoDamage() throws {
        let directory = try TemporaryDirectory()
        for index in 0..<200 { try directory.write("tree/many/name-\(index)", "\(index)") }
        let path = try directory.sparse("image", byteCount: 8 << 20)
        try Tool.run(
            "mke2fs",
            [
                "-q", "-F", "-b", "1024", "-N", "1024", "-O", "quota,^has_journal", "-d",
                directory.path("tree"), path,
            ])
        // What mke2fs counts of the files that it makes is wrong.
        try Tool.run("e2fsck", ["-fy", path], expect: 0...1)
        let device = MemoryDevice(try fileBytes(path))
        func findings(_ change: (inout Ext4FileSystem.CheckLimits) -> Void) throws -> [String] {
            var limits = Ext4FileSystem.CheckLimits()
            change(&limits)
            return try Ext4FileSystem.check(device, limits: limits).findings
                .map { "\($0.severity.rawValue) \($0.code)" }
        }
        #expect(try findings { (_) in } == [])
        #expect(try findings { $0.inodePages = 1 } == ["warning memory-bound"])
        #expect(try findings { $0.claims = 50 } == ["warning memory-bound"])
        // The rest is checked.
        #expect(try findings { $0.names = 100 } == ["note memory-bound"])
        #expect(try findings { $0.accounts = 1 } == ["note memory-bound", "note memory-bound"])
    }
}
