import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing

/// libvmdk, a reader that shares nothing with qemu, sees the same guest bytes.
struct VMDKSecondReaderTests {
    private static let script = """
        import hashlib, pyvmdk, sys
        handle = pyvmdk.handle()
        handle.open(sys.argv[1])
        handle.open_extent_data_files()
        size, done, digest = handle.get_media_size(), 0, hashlib.sha256()
        while done < size:
            data = handle.read_buffer_at_offset(min(1 << 20, size - done), done)
            digest.update(data)
            done += len(data)
        print(digest.hexdigest())
        """

    private static let isPresent =
        (try? Tool.run("/usr/bin/python3", ["-c", "import pyvmdk"], expect: nil).status) == 0

    @Test(
        .enabled(if: isPresent, "python3-libvmdk is not installed"),
        arguments: [
            "monolithicSparse", "monolithicFlat", "vmfs", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        ])
    func readsWhatIsMadeAndChanged(subformat: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        var expected = [UInt8](repeating: 0, count: 35 << 20)
        let options = ImageCreateOptions(values: [("subformat", subformat)])
        var disk = try VMDKDriver.create(path, byteCount: UInt64(expected.count), options: options).disk
        for (turn, offset) in [0, 5_000_000, (32 << 20) - 100_000, (35 << 20) - 200_000].enumerated() {
            let data = [UInt8](repeating: UInt8(turn + 1), count: 200_000)
            try disk.write(data, at: UInt64(offset))
            try disk.flush()
            expected.replaceSubrange(offset..<offset + data.count, with: data)
            // The first is written while the disk is made, the others into what was made.
            disk = try VMDKFixtures.open(path, .write).disk
        }
        let hash = try VMDKFixtures.sha256(expected)
        #expect(try Tool.run("/usr/bin/python3", ["-c", Self.script, path]).text.prefix(64) == hash)
    }
}
