import ImageFormats
import Storage
import TestSupport
import Testing

/// Readers that go by the geometry and readers that go by the size see one disk after it grew.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct VHDResizeTests {
    private static func size(byQEMU path: String) throws -> UInt64? {
        let text = try Tool.run("qemu-img", ["info", "-f", "vpc", "--output=json", path]).text
        return text.split(separator: "\n").first { $0.contains("virtual-size") }
            .flatMap { UInt64($0.filter(\.isNumber)) }
    }

    @Test(
        arguments: ["d2v\0", "d2v ", "win ", "vpc ", "qemu", "vbox"], [true, false])
    func allReadersSeeOneSize(_ creator: String, hasLargestGeometry: Bool) throws {
        let directory = try TemporaryDirectory()
        var bytes = try VHDFixture.dynamic(directory)
        VHDFixture.changeFooters(&bytes) { bytes, offset in
            bytes.replaceSubrange(offset + 28..<offset + 32, with: Array(creator.utf8))
            if hasLargestGeometry {
                bytes.replaceSubrange(offset + 56..<offset + 60, with: [0xff, 0xff, 16, 255])
            }
        }
        let path = try directory.write("disk.vhd", bytes)
        let old = try ImageProbe.open(path).disk.byteCount
        for target in [old + 10 << 20, old + 1 << 30] {
            try ImageProbe.grow(
                try ImageProbe.open(path, options: ImageOpenOptions(access: .write)), to: target)
            #expect(try ImageProbe.open(path).disk.byteCount == target)
            #expect(
                try ImageProbe.open(path, options: ImageOpenOptions(vhdSize: .currentSize)).disk.byteCount
                    == target)
            #expect(try Self.size(byQEMU: path) == target)
        }
    }
}
