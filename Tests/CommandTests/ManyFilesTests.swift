import Foundation
import TestSupport
import Testing

/// What is asked of the host for an image of many files.
@Suite(.enabled(if: Tool.has("strace", "qemu-img"), "strace or qemu-img is missing"))
struct ManyFilesTests {
    /// How often the host's block devices are listed.
    private func looks(_ gibibytes: Int) throws -> Int {
        let directory = try TemporaryDirectory()
        try Tool.run(
            "qemu-img",
            [
                "create", "-q", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse",
                directory.path("s.vmdk"),
                "\(gibibytes)G",
            ])
        let trace = directory.path("trace")
        let result = try Tool.run(
            "strace",
            [
                "-f", "-e", "trace=open,openat", "-o", trace, Fixture.command, "info",
                directory.path("s.vmdk"),
            ],
            expect: nil)
        // Where tracing is forbidden there is nothing to count.
        guard result.status == 0 else { return 0 }
        let text = String(decoding: try fileBytes(trace), as: UTF8.self)
        return text.split(separator: "\n").count { $0.contains("\"/sys/block\"") }
    }

    @Test func theHostsDevicesAreLookedThroughOnce() throws {
        #expect(try looks(80) == looks(4))
    }
}
