import ImageFormats
import Storage
import TestSupport
import Testing

struct VHDPowerCutTests {
    /// qemu lays the footer right behind the last block, where the next bitmap goes; and finds the disk usable after
    /// every cut.
    @Test(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
    func disksMadeByQemu() throws {
        let directory = try TemporaryDirectory()
        let raw = try scatteredDisk(directory, "raw", byteCount: 6 << 20, seed: 5)
        let path = directory.path("disk.vhd")
        try Tool.run("qemu-img", ["convert", "-O", "vpc", "-o", "force_size", "-f", "raw", raw, path])
        let kind = ImageDriverCase("VHD by qemu", VHDDriver.self)
        try ImageDriverSuite.cut(kind, path, directory, seed: 5) { path, _, _ in
            try Tool.run("qemu-img", ["map", "-f", "vpc", path])
        }
    }
}
