import ImageFormats
import Storage
import TestSupport
import Testing

struct VHDXFuzzTests {
    private func repair(_ bytes: inout [UInt8]) {
        guard bytes.count >= 1 << 20 else { return }
        VHDXFixture.changeHeaders(&bytes) { _, _ in }
        VHDXFixture.changeRegions(&bytes) { _, _ in }
    }

    private var regions: [Range<Int>] {
        VHDXFixture.headers.map { $0..<$0 + 80 } + VHDXFixture.regions.map { $0..<$0 + 112 } + [
            VHDXFixture.metadata..<VHDXFixture.metadata + 224,
            VHDXFixture.metadata + 65536..<VHDXFixture.metadata + 65576,
            VHDXFixture.table..<VHDXFixture.table + 64,
        ]
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func dynamicDisks(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let bytes = try VHDXFixture.dynamic(directory)
        try ImageFuzz.run(
            bytes, regions: regions, count: 60, seed: seed, format: .vhdx, name: "fuzz.vhdx", directory,
            repair: repair)
    }

    @Test func differencingDisks() throws {
        let directory = try TemporaryDirectory()
        let parent = try directory.write("base.vhdx", try VHDXFixture.dynamic(directory))
        let path = directory.path("child.vhdx")
        let child = try VHDXDriver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent))
        try child.disk.write([UInt8](repeating: 1, count: 9000), at: 3000)
        try child.disk.flush()
        let locator = VHDXFixture.metadata + 65536 + 40
        let bitmap = VHDXFixture.table + 4096 * 8
        try ImageFuzz.run(
            try fileBytes(path), regions: regions + [locator..<locator + 60, bitmap..<bitmap + 8], count: 100,
            seed: 5,
            format: .vhdx, references: ReferencePolicy(allowsSiblings: true), name: "child.vhdx", directory,
            repair: repair)
    }

    @Test func pendingLogs() throws {
        let directory = try TemporaryDirectory()
        var bytes = try VHDXFixture.dynamic(directory)
        let guid = [UInt8](1...16)
        let log = VHDXFixture.log
        let page = [UInt8](repeating: 7, count: 4096)
        let entry = VHDXFixture.entry(
            guid: guid, sequence: 4, tail: 0, fileSize: 6 << 20,
            pages: [(offset: UInt64(VHDXFixture.data), bytes: page)], zeros: [(offset: 5 << 20, count: 8192)])
        bytes.replaceSubrange(log..<log + entry.count, with: entry)
        VHDXFixture.changeHeaders(&bytes) { $0.replaceSubrange($1 + 48..<$1 + 64, with: guid) }
        try ImageFuzz.run(
            bytes, regions: [log..<log + 128, log..<log + 128, log + 4096..<log + 4104], count: 150, seed: 6,
            format: .vhdx, name: "log.vhdx", directory
        ) { bytes in
            guard bytes.count >= log + entry.count else { return }
            VHDXFixture.sealEntry(&bytes, at: log, count: entry.count)
        }
    }
}
