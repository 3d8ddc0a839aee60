import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Bad input: every refusal by its code, and what is tolerated.
struct VHDRefusalTests {
    private func refusal(_ bytes: [UInt8], _ directory: TemporaryDirectory, format: ImageFormat? = .vhd)
        throws
        -> StorageError?
    {
        let path = try directory.write("bad.vhd", bytes)
        return #expect(throws: StorageError.self) { try ImageProbe.open(path, format: format) }
    }

    @Test func footers() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDFixture.dynamic(directory)
        #expect(try refusal([UInt8](repeating: 0, count: 4096), directory)?.code == "no-footer")
        #expect(try refusal([], directory)?.code == "no-footer")
        let changes: [(String, (inout [UInt8], Int) -> Void)] = [
            ("footer-version", { $0.storeBig(UInt32(0x0002_0000), at: $1 + 12) }),
            ("unknown-features", { $0.storeBig(UInt32(6), at: $1 + 8) }),
            ("unknown-type", { $0.storeBig(UInt32(5), at: $1 + 60) }),
            ("size-zero", { $0.storeBig(UInt64(511), at: $1 + 48) }),
            ("size-too-large", { $0.storeBig(UInt64(3) << 40, at: $1 + 48) }),
            ("no-header", { $0.storeBig(UInt64.max - 5, at: $1 + 16) }),
            ("no-header", { $0.storeBig(UInt64(4096), at: $1 + 16) }),
            ("table-too-small", { $0.storeBig(UInt64(1) << 40, at: $1 + 48) }),
            (
                "size-past-file",
                {
                    $0.storeBig(UInt32(2), at: $1 + 60)
                    $0.storeBig(UInt64(1) << 40, at: $1 + 48)
                }
            ),
        ]
        for (code, change) in changes {
            var bytes = good
            VHDFixture.changeFooters(&bytes, change)
            #expect(try refusal(bytes, directory)?.code == code)
        }
    }

    @Test func headers() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDFixture.dynamic(directory)
        let changes: [(String, (inout [UInt8]) -> Void)] = [
            ("header-version", { $0.storeBig(UInt32(0x0003_0000), at: 512 + 24) }),
            ("block-size", { $0.storeBig(UInt32(0), at: 512 + 32) }),
            ("block-size", { $0.storeBig(UInt32(3 << 20), at: 512 + 32) }),
            ("block-size", { $0.storeBig(UInt32(1 << 31), at: 512 + 32) }),
            ("table-too-small", { $0.storeBig(UInt32(3), at: 512 + 28) }),
            ("table-too-large", { $0.storeBig(UInt32.max, at: 512 + 28) }),
            ("table-outside-file", { $0.storeBig(UInt64.max - 8, at: 512 + 16) }),
            ("table-outside-file", { $0.storeBig(UInt64(64 << 20), at: 512 + 16) }),
        ]
        for (code, change) in changes {
            var bytes = good
            change(&bytes)
            VHDFixture.sealHeader(&bytes)
            #expect(try refusal(bytes, directory)?.code == code)
        }
    }

    @Test func blocks() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDFixture.dynamic(directory)
        let first: UInt32 = good.big(1536 + 8)
        for (code, entry) in [
            ("block-outside-file", 0x7fff_ffff as UInt32), ("block-outside-file", UInt32(good.count / 512)),
            ("block-in-metadata", 0), ("block-in-metadata", 3), ("blocks-overlap", first),
            ("blocks-overlap", first + 7),
        ] {
            var bytes = good
            bytes.storeBig(entry, at: 1536 + 4)
            // Long enough that only the overlap is wrong.
            if code == "blocks-overlap" { bytes += [UInt8](repeating: 0, count: 3 << 20) + good.suffix(512) }
            #expect(try refusal(bytes, directory)?.code == code)
        }
    }

    @Test func writingNeedsSoundChecksums() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDFixture.dynamic(directory)
        var bytes = good
        bytes[64] ^= 1
        let head = try directory.write("head.vhd", bytes)
        #expect(try open(head, .write).info.warnings.contains { $0.contains("copy at the start") })
        try open(head, .write).disk.write([1], at: 9000)

        bytes = good
        bytes[bytes.count - 512 + 64] ^= 1
        let tail = try directory.write("tail.vhd", bytes)
        #expect(try open(tail).info.warnings.contains { $0.contains("going by the copy") })
        try open(tail, .write).disk.write([1], at: 9000)

        bytes[64] ^= 1
        let both = try directory.write("both.vhd", bytes)
        let image = try open(both, .write)
        #expect(image.info.warnings.contains("the footer's checksum is wrong"))
        #expect(try image.disk.bytes(at: 5000, count: 9) == open(tail).disk.bytes(at: 5000, count: 9))
        #expect(
            #expect(throws: StorageError.self) { try image.disk.write([1], at: 0) }?.code == "bad-checksum")

        bytes = good
        bytes[512 + 37] ^= 1
        let header = try directory.write("header.vhd", bytes)
        #expect(
            #expect(throws: StorageError.self) { try open(header, .write).disk.write([1], at: 0) }?.code
                == "bad-checksum")
        #expect(try fileBytes(header) == bytes)
    }

    @Test func eitherFooterIsEnough() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDFixture.dynamic(directory)
        let expected = try open(try directory.write("good.vhd", good)).disk.bytes(at: 0, count: 1 << 20)
        let cut = try directory.write("cut.vhd", Array(good.dropLast(512)))
        #expect(try open(cut).disk.bytes(at: 0, count: 1 << 20) == expected)
        let headless = try directory.write(
            "headless.vhd", [UInt8](repeating: 0, count: 512) + good.dropFirst(512))
        #expect(try open(headless).disk.bytes(at: 0, count: 1 << 20) == expected)
        // A block is added behind what is there, and the footer comes back.
        let image = try open(cut, .write)
        try image.disk.write([1, 2, 3], at: 7 << 20)
        try image.disk.flush()
        #expect(try open(cut).info.warnings == [])
        #expect(try open(cut).disk.bytes(at: 7 << 20, count: 4) == [1, 2, 3, 0])
    }

    @Test func footersOf511Bytes() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("fixed.vhd")
        try VHDDriver.create(
            path, byteCount: 1 << 20, options: ImageCreateOptions(values: [("subformat", "fixed")])
        )
        .disk.flush()
        let short = try directory.write("short.vhd", Array(try fileBytes(path).dropLast()))
        let image = try open(short, .write)
        #expect(image.info.format == .vhd && image.info.variant == "fixed")
        #expect(image.disk.byteCount == 1 << 20)
        try image.disk.write([5], at: (1 << 20) - 1)
        #expect(try fileBytes(short).count == (1 << 20) + 511)

        let dynamic = try VHDFixture.dynamic(directory)
        let shortDynamic = try directory.write("dynamic.vhd", Array(dynamic.dropLast()))
        let disk = try open(shortDynamic, .write).disk
        try disk.write([7], at: 7 << 20)
        try disk.flush()
        #expect(try fileBytes(shortDynamic).count % 512 == 0)
        #expect(try open(shortDynamic).disk.bytes(at: 7 << 20, count: 2) == [7, 0])
        try Tool.run("qemu-img", ["map", "-f", "vpc", shortDynamic])
    }

    @Test func sizesByCreator() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDFixture.dynamic(directory)
        func size(_ creator: String, _ chs: (UInt16, UInt8, UInt8), _ current: UInt64 = 8 << 20) throws
            -> UInt64
        {
            var bytes = good
            VHDFixture.changeFooters(&bytes) { bytes, at in
                bytes.replaceSubrange(at + 28..<at + 32, with: Array(creator.utf8))
                bytes.storeBig(current, at: at + 48)
                bytes.storeBig(chs.0, at: at + 56)
                bytes[at + 58] = chs.1
                bytes[at + 59] = chs.2
            }
            let path = try directory.write("sized.vhd", bytes)
            return try open(path).disk.byteCount
        }
        let chs: (UInt16, UInt8, UInt8) = (240, 4, 17)
        let rounded: UInt64 = 240 * 4 * 17 * 512
        for creator in ["win ", "qem2", "CTXS", "tap\0", "d2v\0", "d2v ", "vs  ", "vbox", "xo  "] {
            #expect(try size(creator, chs) == 8 << 20)
        }
        for creator in ["vpc ", "qemu"] { #expect(try size(creator, chs) == rounded) }
        #expect(try size("vpc ", (65535, 16, 255)) == 8 << 20)
        #expect(try size("qemu", (1000, 16, 63)) == 8 << 20)
        #expect(try size("d2v\0", (65535, 16, 254)) == 8 << 20)
        // The caller's word counts more.
        let path = directory.path("sized.vhd")
        #expect(
            try ImageProbe.open(path, options: ImageOpenOptions(vhdSize: .currentSize)).disk.byteCount == 8
                << 20)
        #expect(throws: StorageError.self) {
            try ImageProbe.open(path, options: ImageOpenOptions(vhdSize: .geometry))
        }
    }

    @Test func clearBitsReadAsZeros() throws {
        let directory = try TemporaryDirectory()
        var bytes = try VHDFixture.dynamic(directory)
        let bitmap = Int(bytes.big(1536, as: UInt32.self)) * 512
        // Sectors 10 to 12 of block 0 are not there, whatever lies under them.
        bytes[bitmap + 1] = 0b1100_0111
        let path = try directory.write("holes.vhd", bytes)
        let disk = try open(path, .write).disk
        #expect(try disk.bytes(at: 5120, count: 1536) == [UInt8](repeating: 0, count: 1536))
        #expect(try disk.nextExtent(at: 5120) == Extent(range: 5120..<6656, kind: .zero))
        #expect(try disk.bytes(at: 6656, count: 512) != [UInt8](repeating: 0, count: 512))
        // One of them is written: it alone comes into being.
        try disk.write([1, 2], at: 5632 + 100)
        try disk.flush()
        let after = try fileBytes(path)
        #expect(after[bitmap + 1] == 0b1101_0111)
        let again = try open(path).disk
        var expected = [UInt8](repeating: 0, count: 1536)
        expected[612] = 1
        expected[613] = 2
        #expect(try again.bytes(at: 5120, count: 1536) == expected)
    }

    @Test func createRefusesWhatVHDCannotHold() throws {
        let directory = try TemporaryDirectory()
        func code(_ size: UInt64, _ values: [(String, String)] = [], sector: UInt32 = 512) -> String? {
            #expect(throws: StorageError.self) {
                try VHDDriver.create(
                    directory.path("x.vhd"), byteCount: size,
                    options: ImageCreateOptions(
                        values: values.map { (key: $0.0, value: $0.1) }, sectorSize: sector))
            }?.code
        }
        #expect(code(0) == "size-too-large")
        #expect(code((2040 << 30) + 512) == "size-too-large")
        #expect(code(1 << 20, sector: 4096) == "bad-option")
        #expect(code(1 << 20, [("subformat", "thick")]) == "bad-option")
        #expect(code(1 << 20, [("block_size", "3M")]) == "bad-option")
        #expect(code(1 << 20, [("profile", "azure"), ("subformat", "dynamic")]) == "bad-option")
        #expect(code(1 << 20, [("lazy", "on")]) == "unknown-option")
        #expect(!HostDirectory.exists(directory.path("x.vhd")))
    }
}
