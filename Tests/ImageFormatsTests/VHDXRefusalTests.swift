import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Bad input: every refusal by its code, and what is tolerated.
struct VHDXRefusalTests {
    private func refusal(_ bytes: [UInt8], _ directory: TemporaryDirectory) throws -> String? {
        let path = try directory.write("bad.vhdx", bytes)
        return #expect(throws: StorageError.self) { try ImageProbe.open(path, format: .vhdx) }?.code
    }

    @Test func headers() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDXFixture.dynamic(directory)
        #expect(try refusal([UInt8](repeating: 0, count: 4096), directory) == "not-vhdx")
        #expect(try refusal(Array(good[0..<600]), directory) == "no-valid-header")
        #expect(try refusal(Array(good[0..<(600 << 10)]), directory) == "file-truncated")
        var bytes = good
        for at in VHDXFixture.headers { bytes[at + 100] ^= 1 }
        #expect(try refusal(bytes, directory) == "no-valid-header")
        bytes = good
        VHDXFixture.changeHeaders(&bytes) { $0.storeLittle(UInt16(2), at: $1 + 66) }
        #expect(try refusal(bytes, directory) == "header-version")
        bytes = good
        VHDXFixture.changeHeaders(&bytes) { $0.storeLittle(UInt64(5), at: $1 + 8) }
        // The two differ in nothing else: as disk2vhd writes them.
        #expect(try open(try directory.write("same.vhdx", bytes)).disk.byteCount == 8 << 20)
        bytes[VHDXFixture.headers[0] + 20] ^= 1
        VHDXFixture.sealHeader(&bytes, at: VHDXFixture.headers[0])
        #expect(try refusal(bytes, directory) == "headers-contradict")
    }

    @Test func eitherHeaderAndRegionTableIsEnough() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDXFixture.dynamic(directory)
        let expected = try open(try directory.write("good.vhdx", good)).disk.bytes(at: 0, count: 8 << 20)
        for at in VHDXFixture.headers + VHDXFixture.regions {
            var bytes = good
            bytes[at + 8] ^= 0xff
            let path = try directory.write("half.vhdx", bytes)
            #expect(isSame(try open(path).disk.bytes(at: 0, count: 8 << 20), expected))
            let disk = try open(path, .write).disk
            try disk.write([1], at: 7 << 20)
            try disk.flush()
            #expect(try open(path).disk.bytes(at: 7 << 20, count: 1) == [1])
        }
    }

    @Test func regions() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDXFixture.dynamic(directory)
        // Entry 0 is the metadata region, entry 1 the table.
        let changes: [(String, (inout [UInt8], Int) -> Void)] = [
            ("no-valid-region-table", { $0.storeLittle(UInt32(2048), at: $1 + 8) }),
            ("unknown-required-region", { $0[$1 + 16] ^= 1 }),
            ("region-missing", { $0.storeLittle(UInt32(1), at: $1 + 8) }),
            ("region-duplicate", { $0.replaceSubrange($1 + 48..<$1 + 64, with: $0[$1 + 16..<$1 + 32]) }),
            ("region-place", { $0.storeLittle(UInt32(0), at: $1 + 48 + 24) }),
            ("region-place", { $0.storeLittle(UInt32(4096), at: $1 + 48 + 24) }),
            ("region-place", { $0.storeLittle(UInt64(4096), at: $1 + 48 + 16) }),
            ("region-place", { $0.storeLittle(UInt64.max << 20, at: $1 + 48 + 16) }),
            ("region-place", { $0.storeLittle(UInt64(1) << 40, at: $1 + 48 + 16) }),
            ("regions-overlap", { $0.storeLittle(UInt64(2 << 20), at: $1 + 48 + 16) }),
            ("regions-overlap", { $0.storeLittle(UInt64(1 << 20), at: $1 + 48 + 16) }),
            ("metadata-table", { $0.storeLittle(UInt64(4 << 20), at: $1 + 16 + 16) }),
        ]
        for (code, change) in changes {
            var bytes = good
            VHDXFixture.changeRegions(&bytes, change)
            #expect(try refusal(bytes, directory) == code)
        }
        // One that is not known and not required.
        var bytes = good
        VHDXFixture.changeRegions(&bytes) {
            $0.storeLittle(UInt32(3), at: $1 + 8)
            $0[$1 + 80] = 7
        }
        #expect(try open(try directory.write("optional.vhdx", bytes)).disk.byteCount == 8 << 20)
    }

    @Test func metadata() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDXFixture.dynamic(directory)
        let table = VHDXFixture.metadata
        let items = table + 65536
        // Entries: FileParameters, size, logical and physical sector size, identifier.
        let changes: [(String, (inout [UInt8]) -> Void)] = [
            ("metadata-table", { $0.storeLittle(UInt16(2048), at: table + 10) }),
            ("metadata-table", { $0[table] = 0 }),
            ("unknown-required-item", { $0[table + 32] ^= 1 }),
            ("item-missing", { $0.storeLittle(UInt16(4), at: table + 10) }),
            ("item-missing", { $0.storeLittle(UInt32(7), at: table + 32 + 20) }),
            (
                "item-duplicate",
                { $0.replaceSubrange(table + 64..<table + 80, with: $0[table + 32..<table + 48]) }
            ),
            ("item-place", { $0.storeLittle(UInt32(512), at: table + 32 + 16) }),
            ("item-place", { $0.storeLittle(UInt32.max, at: table + 32 + 16) }),
            ("item-place", { $0.storeLittle(UInt32(2 << 20), at: table + 32 + 20) }),
            ("unknown-required-item", { $0.storeLittle(UInt32(4), at: items + 4) }),
            ("block-size", { $0.storeLittle(UInt32(0), at: items) }),
            ("block-size", { $0.storeLittle(UInt32(512 << 10), at: items) }),
            ("block-size", { $0.storeLittle(UInt32(3 << 20), at: items) }),
            ("disk-size", { $0.storeLittle(UInt64(0), at: items + 8) }),
            ("disk-size", { $0.storeLittle(UInt64(1000), at: items + 8) }),
            ("disk-size", { $0.storeLittle(UInt64(65) << 40, at: items + 8) }),
            ("table-too-small", { $0.storeLittle(UInt64(64) << 40, at: items + 8) }),
            ("sector-size", { $0.storeLittle(UInt32(1024), at: items + 16) }),
            ("sector-size", { $0.storeLittle(UInt32(0), at: items + 16) }),
            ("sector-size", { $0.storeLittle(UInt32(3), at: items + 20) }),
            ("item-missing", { $0.storeLittle(UInt32(2), at: items + 4) }),
        ]
        for (code, change) in changes {
            var bytes = good
            change(&bytes)
            #expect(try refusal(bytes, directory) == code)
        }
    }

    @Test func parentLocators() throws {
        let directory = try TemporaryDirectory()
        try directory.write("base.vhdx", try VHDXFixture.dynamic(directory))
        let path = directory.path("child.vhdx")
        let options = ImageCreateOptions(parent: directory.path("base.vhdx"))
        try VHDXDriver.create(path, byteCount: 0, options: options).disk.flush()
        let good = try fileBytes(path)
        let locator = VHDXFixture.metadata + 65536 + 40
        for change in [
            { $0[locator] ^= 1 }, { $0.storeLittle(UInt16(9000), at: locator + 18) },
            { $0.storeLittle(UInt32.max, at: locator + 20) },
            { $0.storeLittle(UInt32(400), at: locator + 24) },
        ] as [(inout [UInt8]) -> Void] {
            var bytes = good
            change(&bytes)
            #expect(try refusal(bytes, directory) == "parent-locator")
        }
    }

    @Test func blocks() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDXFixture.dynamic(directory)
        let entry = VHDXFixture.table + 8
        for (code, value) in [
            ("block-state", 4), ("block-state", 7 << 20 | 7), ("block-outside-file", 6 << 20 | 6),
            ("block-outside-file", UInt64.max & ~7 | 6), ("block-in-metadata", 6),
            ("block-in-metadata", 1 << 20 | 6),
            ("block-in-metadata", 2 << 20 | 6), ("block-in-metadata", 3 << 20 | 6),
            ("blocks-overlap", 4 << 20 | 6),
        ] as [(String, UInt64)] {
            var bytes = good
            bytes.storeLittle(value, at: entry)
            #expect(try refusal(bytes, directory) == code)
        }
        // States that mean zeros, with places that mean nothing.
        for state in [1, 2, 3, 5] as [UInt64] {
            var bytes = good
            bytes.storeLittle(4 << 20 | state, at: entry)
            let disk = try open(try directory.write("zero.vhdx", bytes), .write).disk
            #expect(try disk.nextExtent(at: 1 << 20).kind == .zero)
            try disk.write([1], at: 1 << 20)
            #expect(try disk.bytes(at: 1 << 20, count: 2) == [1, 0])
        }
    }

    /// qemu up to 8.0 left garbage where a disk without a parent has no bitmap.
    @Test func garbageInBitmapEntriesIsIgnored() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vhdx")
        let image = try VHDXDriver.create(
            path, byteCount: 40 << 30, options: ImageCreateOptions(values: [("block_size", "256M")]))
        try image.disk.write([1, 2], at: 39 << 30)
        try image.disk.flush()
        var bytes = try fileBytes(path)
        // A chunk has 16 blocks here: entry 16 is a bitmap's.
        bytes.storeLittle(UInt64.max, at: VHDXFixture.table + 16 * 8)
        try directory.write("disk.vhdx", bytes)
        let disk = try open(path, .write).disk
        #expect(try disk.bytes(at: 39 << 30, count: 3) == [1, 2, 0])
        try disk.write([3], at: 4 << 30)
        try disk.flush()
        #expect(try fileBytes(path).little(VHDXFixture.table + 16 * 8, as: UInt64.self) == .max)
        try Tool.run("qemu-img", ["check", "-f", "vhdx", path], expect: 0...3)
    }

    @Test func writingNeedsRoomInTheSequenceAndALog() throws {
        let directory = try TemporaryDirectory()
        let good = try VHDXFixture.dynamic(directory)
        func code(_ change: (inout [UInt8], Int) -> Void) throws -> String? {
            var bytes = good
            VHDXFixture.changeHeaders(&bytes, change)
            let disk = try open(try directory.write("full.vhdx", bytes), .write).disk
            #expect(try disk.bytes(at: 0, count: 10).count == 10)
            let code = #expect(throws: StorageError.self) { try disk.write([1], at: 0) }?.code
            #expect(isSame(try fileBytes(directory.path("full.vhdx")), bytes))
            return code
        }
        #expect(try code { $0.storeLittle(UInt64.max, at: $1 + 8) } == "sequence-overflow")
        #expect(try code { $0.storeLittle(UInt32(0), at: $1 + 68) } == "log-place")
    }

    @Test func createRefusesWhatVHDXCannotHold() throws {
        let directory = try TemporaryDirectory()
        func code(_ size: UInt64, _ values: [(String, String)] = [], sector: UInt32 = 512) -> String? {
            #expect(throws: StorageError.self) {
                try VHDXDriver.create(
                    directory.path("x.vhdx"), byteCount: size,
                    options: ImageCreateOptions(
                        values: values.map { (key: $0.0, value: $0.1) }, sectorSize: sector))
            }?.code
        }
        #expect(code(0) == "disk-size")
        #expect(code((64 << 40) + 512) == "disk-size")
        #expect(code(1 << 20, sector: 1024) == "bad-option")
        #expect(code(1 << 20, [("subformat", "thick")]) == "bad-option")
        #expect(code(1 << 20, [("block_size", "512K")]) == "bad-option")
        #expect(code(1 << 20, [("log_size", "1000000")]) == "bad-option")
        #expect(code(1 << 20, [("logical_sector_size", "2048")]) == "bad-option")
        #expect(code(1 << 20, [("physical_sector_size", "512")], sector: 4096) == "bad-option")
        #expect(code(1 << 20, [("lazy", "on")]) == "unknown-option")
        #expect(!HostDirectory.exists(directory.path("x.vhdx")))
    }
}
