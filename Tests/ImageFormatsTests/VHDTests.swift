import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// SHA-256 of a whole guest disk, read through this project.
func guestHash(_ disk: any BlockDevice, _ directory: TemporaryDirectory) throws -> String {
    let flat = directory.path("flat-\(UInt64.random(in: 0...UInt64.max)).raw")
    try copyOut(disk, to: flat)
    return String(try Tool.run("sha256sum", [flat]).text.prefix(64))
}

/// Without locks: tests read what they are still writing.
func open(_ path: String, _ access: FileAccess = .read, _ references: ReferencePolicy = .refuse) throws
    -> OpenedImage
{
    try ImageProbe.open(
        path, options: ImageOpenOptions(access: access, locking: .ignore, references: references))
}

struct VHDTests {
    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func samplesReadAsKnown() throws {
        let directory = try TemporaryDirectory()
        for (name, hash) in [
            ("dynamic.vhd", "ecff2ef6615a3cddc6a6885f1c6d9cf13a232697e1dc6575f2c2f01f57247784"),
            ("fixed.vhd", "459325ab1fcd1d5ec9854cba790ee26378317cda177ffc1072008a1df88e6463"),
        ] {
            let image = try open(try SharedSamples.unpack("formats/dissect/\(name).gz", into: directory))
            #expect(image.info.format == .vhd)
            #expect(image.disk.byteCount == 10_485_760)
            #expect(image.info.creator == "win ")
            #expect(image.info.warnings == [])
            #expect(try guestHash(image.disk, directory) == hash)
        }
        for (name, size, creator) in [
            ("hyperv2012r2-dynamic.vhd", 136_365_211_648 as UInt64, "win "),
            ("virtualpc-dynamic.vhd", 136_363_130_880, "vpc "),
        ] {
            let image = try open(
                try SharedSamples.unpack("formats/qemu-iotests/\(name).bz2", into: directory))
            #expect(image.disk.byteCount == size)
            #expect(image.info.creator == creator)
            let extent = try image.disk.nextExtent(at: 512)
            #expect(extent == Extent(range: 512..<size, kind: .zero))
        }
        let hostile = try SharedSamples.unpack("formats/qemu-iotests/afl5.img.bz2", into: directory)
        #expect(throws: StorageError.self) { try open(hostile) }
    }

    @Test(arguments: ["dynamic", "fixed"])
    func madeDisksAreReadByOthers(subformat: String) throws {
        let directory = try TemporaryDirectory()
        // A size that no geometry of cylinders, heads and sectors expresses.
        let size: UInt64 = 23 << 20 | 512
        let raw = try scatteredDisk(directory, "raw", byteCount: size, seed: 2)
        let path = directory.path("disk.vhd")
        let image = try VHDDriver.create(
            path, byteCount: size, options: ImageCreateOptions(values: [("subformat", subformat)]))
        try copyIn(raw, image.disk)
        try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "vpc", raw, path])
        #expect(try Tool.run("qemu-img", ["info", path, "-f", "vpc"]).text.contains("(\(size) bytes)"))
        if Tool.has("vhdiinfo") {
            let text = try Tool.run("vhdiinfo", [path]).text
            #expect(text.contains("(\(size) bytes)"))
            #expect(text.lowercased().contains(subformat))
        }
        let again = try open(path)
        #expect(again.info.warnings == [])
        let back = directory.path("back")
        try copyOut(again.disk, to: back)
        try Tool.run("cmp", [raw, back])
        if subformat == "dynamic" {
            // Data at 4 KiB, as Windows lays it; the footer right behind.
            #expect(try fileBytes(path).count % 4096 == 512)
            guard case .plain(_, let host) = try again.disk.nextExtent(at: try firstData(again.disk)).kind
            else {
                Issue.record("no data")
                return
            }
            #expect(host % 512 == 0)
        }
    }

    private func firstData(_ disk: any BlockDevice) throws -> UInt64 {
        var position: UInt64 = 0
        while position < disk.byteCount {
            let extent = try disk.nextExtent(at: position)
            if case .plain = extent.kind { return position }
            position = extent.range.upperBound
        }
        return 0
    }

    @Test func azureProfileIsFixedAndRounded() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("a.vhd")
        let image = try VHDDriver.create(
            path, byteCount: 25_000_000, options: ImageCreateOptions(values: [("profile", "azure")]))
        try image.disk.flush()
        #expect(image.disk.byteCount == 24 << 20)
        #expect(try fileBytes(path).count == 24 << 20 + 512)
        #expect(try open(path).info.variant == "fixed")
        let small = #expect(throws: StorageError.self) {
            try VHDDriver.create(
                directory.path("b.vhd"), byteCount: 5_000_000,
                options: ImageCreateOptions(values: [("profile", "azure")]))
        }
        #expect(small?.code == "size-too-small")
    }
}
