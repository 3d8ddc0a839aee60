import ImageFormats
import Storage
import TestSupport
import Testing

/// Reads of an image beside the one that writes it: space that was allocated and is not filled is never shown.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-img is missing"))
struct ReadersBesideAWriterTests {
    @Test(arguments: ["raw", "qcow2", "vhdx", "vpc", "vmdk"])
    func oldBytesOrNewOnes(_ format: String) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = directory.path("disk.\(format)")
        try Tool.run("qemu-img", ["create", "-q", "-f", format, path, "64M"])
        let disk = try ImageProbe.open(path, options: .init(access: .write)).disk
        // Whole units and parts, many of them: each is allocated while others read. Zeros are there before.
        let places = (0..<24).map { ($0 * (2 << 20) + $0 % 3 * 4096, $0 % 2 == 0 ? 65536 : 5000) }
        try ReadersBesideAWriter(device: disk, places: places, base: 0, isAtomic: false).run()
        try disk.flush()
    }
}
