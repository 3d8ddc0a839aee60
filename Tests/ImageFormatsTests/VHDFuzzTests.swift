import ImageFormats
import Storage
import TestSupport
import Testing

struct VHDFuzzTests {
    private func repair(_ bytes: inout [UInt8]) {
        guard bytes.count >= 4096 else { return }
        VHDFixture.sealHeader(&bytes)
        VHDFixture.changeFooters(&bytes) { _, _ in }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func dynamicDisks(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let bytes = try VHDFixture.dynamic(directory)
        let end = bytes.count
        try ImageFuzz.run(
            bytes, regions: [0..<512, 512..<1088, 1536..<1552, 4096..<4608, end - 512..<end - 424], count: 60,
            seed: seed, format: .vhd, name: "fuzz.vhd", directory, repair: repair)
    }

    @Test func differencingDisks() throws {
        let directory = try TemporaryDirectory()
        let parent = try directory.write("base.vhd", try VHDFixture.dynamic(directory))
        let path = directory.path("child.vhd")
        let child = try VHDDriver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent))
        try child.disk.write([UInt8](repeating: 1, count: 9000), at: 3000)
        try child.disk.flush()
        let bytes = try fileBytes(path)
        try ImageFuzz.run(
            bytes, regions: [512..<1088, 1088..<1280, 1536..<1552, 4096..<4120], count: 100, seed: 5,
            format: .vhd,
            references: ReferencePolicy(allowsSiblings: true), name: "child.vhd", directory, repair: repair)
    }
}
