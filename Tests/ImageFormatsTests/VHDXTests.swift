import ImageFormats
import Storage
import TestSupport
import Testing

struct VHDXTests {
    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func samplesReadAsKnown() throws {
        let directory = try TemporaryDirectory()
        for (name, variant, hash) in [
            ("dynamic.vhdx", "dynamic", "8e2b5e9265d694b42b81819e3bff29770eff4ed0f4f9f311693ff3dbdc93efac"),
            ("fixed.vhdx", "fixed", "bc0be4623b15aa84216fb31ba24e3b621ec7f1c72d198c990ac0eced222d9f62"),
        ] {
            let image = try open(try SharedSamples.unpack("formats/dissect/\(name).gz", into: directory))
            #expect(image.info.format == .vhdx && image.info.variant == variant)
            #expect(image.info.warnings == [])
            #expect(image.info.creator == "Microsoft Windows 10.0.18363.0")
            #expect(image.disk.byteCount == 10 << 20)
            #expect(try guestHash(image.disk, directory) == hash)
        }
        let path = try SharedSamples.unpack(
            "formats/qemu-iotests/iotest-dynamic-1G.vhdx.bz2", into: directory)
        let hash = "d3d112d8dab7fd360609f7d5a7b769904b7a2a7d7b6b8c535f65a23293c05478"
        #expect(try guestHash(try open(path).disk, directory) == hash)
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func aPendingLogIsReplayedInMemoryAndThenOnDisk() throws {
        let directory = try TemporaryDirectory()
        let name = "formats/qemu-iotests/iotest-dirtylog-10G-4M.vhdx.bz2"
        let path = try SharedSamples.unpack(name, into: directory)
        let before = try fileBytes(path)
        let expected = [UInt8](repeating: 0xa5, count: 18 << 20)
        let image = try open(path)
        #expect(image.info.warnings.contains { $0.contains("log is pending") })
        #expect(isSame(try image.disk.bytes(at: 0, count: 18 << 20), expected))
        #expect(isSame(try fileBytes(path), before))
        // Opening for writing does nothing either; the first write does.
        let disk = try open(path, .write).disk
        #expect(isSame(try disk.bytes(at: 0, count: 18 << 20), expected))
        #expect(isSame(try fileBytes(path), before))
        try disk.write([1, 2, 3], at: 5 << 20)
        try disk.flush()
        let after = try open(path)
        #expect(after.info.warnings == [])
        var changed = expected
        changed.replaceSubrange(5 << 20..<(5 << 20) + 3, with: [1, 2, 3])
        #expect(isSame(try after.disk.bytes(at: 0, count: 18 << 20), changed))
        try Tool.run("qemu-img", ["check", "-f", "vhdx", path])
        // qemu's own replay comes to the same.
        let other = try SharedSamples.unpack(name, into: directory)
        try Tool.run("qemu-img", ["check", "-f", "vhdx", "-r", "all", other])
        #expect(isSame(try open(other).disk.bytes(at: 0, count: 18 << 20), expected))
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func aDifferencingDiskNamesItsParent() throws {
        let directory = try TemporaryDirectory()
        let path = try SharedSamples.unpack("formats/dissect/differencing.avhdx.gz", into: directory)
        let info = try ImageProbe.describe(path)
        #expect(info.variant == "differencing" && info.virtualSize == 8 << 30)
        #expect(info.references.first?.name.hasPrefix(".\\Generation 1_") == true)
        #expect(info.details.contains { $0.value == "ff34003b-11ed-4cf8-a166-b2be05e20b80" })
        #expect(#expect(throws: StorageError.self) { try open(path) }?.code == "reference-refused")
        let siblings = ReferencePolicy(allowsSiblings: true)
        #expect(
            #expect(throws: StorageError.self) { try open(path, .read, siblings) }?.code == "parent-not-found"
        )
    }

    @Test(arguments: [
        [("subformat", "dynamic")], [("subformat", "fixed")], [("block_size", "32M"), ("log_size", "2M")],
    ])
    func madeDisksAreReadByOthers(options: [(String, String)]) throws {
        let directory = try TemporaryDirectory()
        let size: UInt64 = 23 << 20 | 512
        let raw = try scatteredDisk(directory, "raw", byteCount: size, seed: 32)
        let path = directory.path("disk.vhdx")
        let image = try VHDXDriver.create(
            path, byteCount: size,
            options: ImageCreateOptions(values: options.map { (key: $0.0, value: $0.1) }))
        try copyIn(raw, image.disk)
        try Tool.run("qemu-img", ["check", "-f", "vhdx", path])
        try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "vhdx", raw, path])
        if Tool.has("vhdiinfo") {
            #expect(try Tool.run("vhdiinfo", [path]).text.contains("(\(size) bytes)"))
        }
        let again = try open(path)
        #expect(again.info.warnings == [])
        let back = directory.path("back")
        try copyOut(again.disk, to: back)
        try Tool.run("cmp", [raw, back])
    }

    @Test func overwritingChangesTheHeadersAndNothingElse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vhdx")
        let made = try VHDXDriver.create(path, byteCount: 4 << 20, options: ImageCreateOptions())
        try made.disk.write([UInt8](repeating: 1, count: 4 << 20), at: 0)
        try made.disk.flush()
        let before = try fileBytes(path)
        let disk = try open(path, .write).disk
        try disk.write([2], at: 1000)
        try disk.flush()
        let after = try fileBytes(path)
        #expect(after.count == before.count)
        var places: Set<Int> = []
        for page in stride(from: 0, to: after.count, by: 4096)
        where !isSame(Array(before[page..<page + 4096]), Array(after[page..<page + 4096])) {
            places.insert(page)
        }
        #expect(places == [64 << 10, 128 << 10, 4 << 20])
        for header in [64 << 10, 128 << 10] {
            // FileWriteGuid and DataWriteGuid are new, the log is empty.
            #expect(before[header + 16..<header + 32] != after[header + 16..<header + 32])
            #expect(before[header + 32..<header + 48] != after[header + 32..<header + 48])
            #expect(after[header + 48..<header + 64].allSatisfy { $0 == 0 })
        }
    }
}
