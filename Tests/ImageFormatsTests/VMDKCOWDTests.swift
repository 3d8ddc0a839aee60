import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// ESX's sparse extents, as whole disks: what is special about them beside the hosted ones.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct VMDKCOWDTests {
    private func disk(
        _ directory: TemporaryDirectory, byteCount: Int = 9 << 20, grainSectors: Int = 1, seed: UInt64 = 1,
        type: String = "VMFSSPARSE"
    ) throws -> (path: String, extent: String, contents: [UInt8]) {
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: byteCount, seed: seed)
        let grain = grainSectors * 512
        let extent = try directory.write(
            "cow-delta.vmdk",
            VMDKFixtures.vmfsSparse(raw.bytes, grainSectors: grainSectors) {
                raw.bytes[$0 * grain..<min(($0 + 1) * grain, byteCount)].contains { $0 != 0 }
            })
        let path = try directory.write(
            "cow.vmdk",
            VMDKFixtures.descriptor("vmfsSparse", "RW \(byteCount / 512) \(type) \"cow-delta.vmdk\""))
        return (path, extent, raw.bytes)
    }

    @Test(arguments: [1, 8, 128])
    func readsAndWritesAsOthersDo(grainSectors: Int) throws {
        let directory = try TemporaryDirectory()
        var (path, extent, contents) = try disk(
            directory, byteCount: 9 << 20 | 512, grainSectors: grainSectors, seed: UInt64(grainSectors))
        func expectSame() throws {
            try BlockDeviceSuite.reads(try VMDKFixtures.open(path).disk, contents)
            #expect(isSame(try VMDKFixtures.qemuContents(path, directory), contents))
            // dissect pads the last grain.
            if let theirs = try VMDKFixtures.dissectContents(path, directory) {
                #expect(isSame(Array(theirs.prefix(contents.count)), contents))
            }
            #expect(try VMDKFixtures.findings(extent) == [])
        }
        try expectSame()
        for session in 0..<3 {
            let disk = try VMDKFixtures.open(path, .write).disk
            try BlockDeviceSuite.writes(
                disk, &contents, count: 12, seed: UInt64(session), flushing: session == 1)
            try expectSame()
            let bytes = try fileBytes(extent)
            // The next free sector is the end of the file, and the disk was closed.
            #expect(Int(bytes.little(28, as: UInt32.self)) * 512 == bytes.count)
            #expect(bytes[1648..<1652].allSatisfy { $0 == 0 })
        }
    }

    /// Room that ESX has reserved behind the next free sector is no leak, and is left alone.
    @Test func reservedRoom() throws {
        let directory = try TemporaryDirectory()
        let (path, extent, contents) = try disk(directory)
        try Tool.run("truncate", ["-s", "+16M", extent])
        #expect(try VMDKFixtures.findings(extent) == [])
        let end = try fileBytes(extent).count
        let disk = try VMDKFixtures.open(path, .write).disk
        let free = try #require(
            stride(from: 0, to: UInt64(contents.count), by: 512).first {
                try disk.nextExtent(at: $0).kind == .zero
            })
        try disk.write([7], at: free)
        try disk.flush()
        let bytes = try fileBytes(extent)
        #expect(Int(bytes.little(28, as: UInt32.self)) * 512 == bytes.count && bytes.count > end)
        // A writer that has forgotten it: ESX would write over what lies behind.
        try VMDKFixtures.patch(extent, at: 28, VMDKFixtures.little(UInt32(64)))
        #expect(try VMDKFixtures.findings(extent).map(\.code).contains("free-sector"))
        let again = try VMDKFixtures.open(path, .write).disk
        try again.write([8], at: UInt64(contents.count) - 1)
        let other = try #require(
            stride(from: 0, to: UInt64(contents.count), by: 512).first {
                try again.nextExtent(at: $0).kind == .zero
            })
        try again.write([9], at: other)
        try again.flush()
        #expect(!(try VMDKFixtures.findings(extent).map(\.code).contains("free-sector")))
    }

    @Test func anExtentByItselfIsNoDisk() throws {
        let directory = try TemporaryDirectory()
        let (_, extent, contents) = try disk(directory)
        #expect(try ImageProbe.format(of: HostFile.open(extent)) == .vmdk)
        for access in [FileAccess.read, .write] {
            #expect(VMDKFixtures.openCode(extent, access: access, format: nil) == "bare-extent")
        }
        let info = try ImageProbe.describe(extent, locking: .ignore)
        #expect(info.variant == "vmfsSparse extent" && info.virtualSize == UInt64(contents.count))
        let salvaged = try ImageProbe.open(
            extent, options: ImageOpenOptions(access: .read, locking: .ignore, isSalvage: true))
        #expect(isSame(try VMDKFixtures.contents(salvaged.disk), contents))
        #expect(salvaged.info.warnings.count == 1)
    }

    @Test func hostileHeadersAndTables() throws {
        let directory = try TemporaryDirectory()
        let (path, extent, _) = try disk(directory)
        let original = try fileBytes(extent)
        let table = Int(original.little(2048, as: UInt32.self)) * 512
        for (offset, value, code) in [
            (4, 2, "header-version"), (12, 0, "capacity"), (16, 0, "grain-size"), (16, 3, "grain-size"),
            (16, 1 << 20, "grain-size"), (24, 1, "directory-too-large"), (12, 18431, "extent-size"),
            (12, 0xffff_ffff, "directory-too-large"), (20, 0xffff_ff00, "directory-place"),
            (20, 3, "directory-place"), (20, 0, "directory-place"),
        ] as [(Int, UInt32, String)] {
            var bytes = original
            bytes.storeLittle(value, at: offset)
            try directory.write("cow-delta.vmdk", bytes)
            for access in [FileAccess.read, .write] {
                #expect(VMDKFixtures.openCode(path, access: access) == code, "\(offset) \(value)")
            }
            if code != "extent-size" { #expect(VMDKFixtures.checkCodes(extent) == [code]) }
        }
        // Capacity, directory and all: 2 TiB in a few bytes.
        var huge = original
        huge.storeLittle(UInt32.max, at: 12)
        huge.storeLittle(UInt32(1 << 20), at: 24)
        try directory.write("cow-delta.vmdk", huge)
        try directory.write(
            "huge.vmdk", VMDKFixtures.descriptor("vmfsSparse", "RW 4294967295 VMFSSPARSE \"cow-delta.vmdk\""))
        #expect(VMDKFixtures.openCode(directory.path("huge.vmdk")) == "directory-place")
        // Grains in the header and behind the file's end; a table there.
        for (value, sector) in [(1, 0), (3, 0), (0xffff_fff0, 0), (UInt32(original.count / 512), 0)]
            as [(UInt32, Int)]
        {
            var bytes = original
            bytes.storeLittle(value, at: table + sector * 4)
            try directory.write("cow-delta.vmdk", bytes)
            let disk = try VMDKFixtures.open(path, .write).disk
            let read = #expect(throws: StorageError.self) { try disk.bytes(at: 0, count: 512) }
            let write = #expect(throws: StorageError.self) { try disk.write([1], at: 0) }
            #expect(read?.code == "grain-place" && write?.code == "grain-place")
            #expect(try VMDKFixtures.findings(extent).contains { $0.severity == .damage })
        }
        for value in [4, UInt32(table / 512)] {
            var bytes = original
            bytes.storeLittle(value, at: table)
            try directory.write("cow-delta.vmdk", bytes)
            let disk = try VMDKFixtures.open(path, .write).disk
            let write = #expect(throws: StorageError.self) { try disk.write([1], at: 0) }
            #expect(write?.code == "grain-in-metadata")
            #expect(try VMDKFixtures.findings(extent).map(\.code).contains("grain-in-metadata"))
        }
        var bytes = original
        bytes.storeLittle(UInt32(original.count / 512), at: 2048)
        try directory.write("cow-delta.vmdk", bytes)
        #expect(VMDKFixtures.openCode(path, access: .write) == "damaged-directory")
        let disk = try VMDKFixtures.open(path).disk
        #expect(#expect(throws: StorageError.self) { try disk.bytes(at: 0, count: 1) }?.code == "grain-table")
        // Cut off inside the header.
        try directory.write("cow-delta.vmdk", Array(original.prefix(1000)))
        #expect(VMDKFixtures.openCode(path) == "foreign-extent")
    }

    /// More tables change than are kept in memory: each is 16 KiB.
    @Test func manyTablesAreWrittenOnTheWay() throws {
        let directory = try TemporaryDirectory()
        let tables = 600
        let byteCount = tables * 2 << 20
        var file = VMDKFixtures.vmfsSparse([UInt8](repeating: 0, count: 512)) { _ in false }
        file = Array(file.prefix(2048)) + [UInt8](repeating: 0, count: tables * 4 / 512 * 512 + 512)
        for (offset, value) in [(12, byteCount / 512), (24, tables + 40), (28, file.count / 512)] {
            file.storeLittle(UInt32(value), at: offset)
        }
        let extent = try directory.write("many-delta.vmdk", file)
        let path = try directory.write(
            "many.vmdk",
            VMDKFixtures.descriptor("vmfsSparse", "RW \(byteCount / 512) VMFSSPARSE \"many-delta.vmdk\""))
        do {
            let disk = try VMDKFixtures.open(path, .write).disk
            for table in 0..<tables {
                try disk.write([UInt8(table & 255), 1], at: UInt64(table * 2 << 20 | 1023))
            }
            try disk.flush()
        }
        let disk = try VMDKFixtures.open(path).disk
        for table in 0..<tables {
            #expect(
                try disk.bytes(at: UInt64(table * 2 << 20 | 1022), count: 4) == [0, UInt8(table & 255), 1, 0])
        }
        #expect(try VMDKFixtures.findings(extent) == [])
    }
}
