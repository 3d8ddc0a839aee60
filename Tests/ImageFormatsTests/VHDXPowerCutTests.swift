import ImageFormats
import Storage
@_spi(Testing) import TestSupport
import Testing
@_spi(Testing) import Undo

struct VHDXPowerCutTests {
    /// qemu replays what is pending when it may write, and then reads the same.
    @Test(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
    func qemuReplaysWhatACutLeaves() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vhdx")
        do {
            let image = try VHDXDriver.create(path, byteCount: 6 << 20, options: ImageCreateOptions())
            try image.disk.write(SeededBytes.block(700_000, seed: 1), at: 900_000)
            try image.disk.flush()
        }
        let kind = ImageDriverCase("VHDX", VHDXDriver.self)
        try ImageDriverSuite.cut(kind, path, directory, seed: 1) { path, contents, cut in
            let copy = directory.path("judged")
            try Tool.run("cp", ["--sparse=always", path, copy])
            try Tool.run("qemu-img", ["check", "-q", "-f", "vhdx", "-r", "all", copy])
            let raw = directory.path("judged.raw")
            try Tool.run("qemu-img", ["convert", "-f", "vhdx", "-O", "raw", copy, raw])
            #expect(isSame(try fileBytes(raw), contents), "\(cut)")
        }
    }

    /// A log that was pending already: its replay on disk can be cut too.
    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func aPendingLog() throws {
        let directory = try TemporaryDirectory()
        let name = "formats/qemu-iotests/iotest-dirtylog-10G-4M.vhdx.bz2"
        let path = try SharedSamples.unpack(name, into: directory)
        let expected = [UInt8](repeating: 0xa5, count: 18 << 20)
        let operations: [HostTransaction.Operation]
        do {
            let disk = try open(path, .write).disk
            let transaction = try HostTransaction([disk.map.hostFiles[0]])
            try disk.write([UInt8](repeating: 0xa5, count: 100), at: 0)
            try disk.flush()
            operations = transaction.recordedOperations
            transaction.rollBack()
        }
        try PowerCut.replay(operations, onto: path, reorderings: 2, in: directory) { path, cut in
            let bytes = try open(path).disk.bytes(at: 0, count: 18 << 20)
            #expect(isSame(bytes, expected), "\(cut)")
        }
    }
}
