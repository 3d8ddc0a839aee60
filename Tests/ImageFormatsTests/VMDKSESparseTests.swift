import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// seSparse extents are read; see `VMDKChainTests` for snapshots.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct VMDKSESparseTests {
    private func disk(
        _ directory: TemporaryDirectory, byteCount: Int = 17 << 20 | 512
    ) throws -> (path: String, extent: String, contents: [UInt8]) {
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: byteCount, seed: 4)
        let extent = try directory.write(
            "se-sesparse.vmdk",
            VMDKFixtures.seSparse(raw.bytes) {
                let isZero = raw.bytes[$0 * 4096..<min(($0 + 1) * 4096, byteCount)].allSatisfy { $0 == 0 }
                return isZero ? [.absent, .zero, .unmapped][$0 % 3] : .data
            })
        let path = try directory.write(
            "se.vmdk",
            VMDKFixtures.descriptor("seSparse", "RW \(byteCount / 512) SESPARSE \"se-sesparse.vmdk\""))
        return (path, extent, raw.bytes)
    }

    @Test func readsAsOthersDo() throws {
        let directory = try TemporaryDirectory()
        let (path, extent, contents) = try disk(directory)
        let image = try VMDKFixtures.open(path)
        #expect(image.info.unitSize == 4096)
        try BlockDeviceSuite.reads(image.disk, contents)
        #expect(isSame(try VMDKFixtures.qemuContents(path, directory), contents))
        if let theirs = try VMDKFixtures.dissectContents(path, directory) {
            #expect(isSame(Array(theirs.prefix(contents.count)), contents))
        }
        #expect(try VMDKFixtures.findings(extent) == [])
        // Not by itself, and never for writing.
        #expect(VMDKFixtures.openCode(extent, format: nil) == "bare-extent")
        for path in [path, extent] {
            let error = #expect(throws: StorageError.self) { try VMDKFixtures.open(path, .write) }
            #expect(error?.code == "se-sparse" && error?.remedies == [.convert(options: []), .migrate])
        }
        let info = try ImageProbe.describe(extent, locking: .ignore)
        #expect(info.variant == "seSparse extent" && info.virtualSize == UInt64(contents.count))
    }

    @Test func ajournalThatWasNotPlayedBackIsRefused() throws {
        let directory = try TemporaryDirectory()
        let (path, extent, _) = try disk(directory, byteCount: 1 << 20)
        let original = try fileBytes(extent)
        for (offset, code) in [(512 + 24, "journal"), (512, "volatile-header")] {
            var bytes = original
            bytes[offset] = 1
            try directory.write("se-sesparse.vmdk", bytes)
            #expect(VMDKFixtures.openCode(path) == code)
            #expect(throws: (any Error).self) { try VMDKFixtures.qemuContents(path, directory) }
            if code == "volatile-header" { #expect(try VMDKFixtures.findings(extent).map(\.code) == [code]) }
        }
    }

    @Test func hostileHeadersAndTables() throws {
        let directory = try TemporaryDirectory()
        let (path, extent, contents) = try disk(directory)
        let original = try fileBytes(extent)
        let far = UInt64.max / 1024
        for (offset, value, code) in [
            (8, 1, "header-version"), (16, 0, "capacity"), (16, far, "capacity"), (16, 8, "extent-size"),
            (24, 16, "grain-size"), (32, 128, "table-entries"), (40, 1, "incompatible-flags"),
            (48, 1, "incompatible-flags"), (80, far, "volatile-header"), (80, .max, "directory-place"),
            (128, far, "directory-place"), (128, .max, "directory-place"), (136, 0, "directory-too-large"),
            (144, .max, "directory-place"), (192, 0, "directory-place"), (192, .max, "directory-place"),
        ] as [(Int, UInt64, String)] {
            var bytes = original
            bytes.storeLittle(value, at: offset)
            try directory.write("se-sesparse.vmdk", bytes)
            #expect(VMDKFixtures.openCode(path) == code, "\(offset)")
            if code != "extent-size" {
                #expect(VMDKFixtures.checkCodes(extent) == [code], "\(offset)")
            }
        }
        let directoryPlace = Int(original.little(128, as: UInt64.self)) * 512
        for value in [1, 0x1000_0001_0000_0000, 0x1000_0000_ffff_ffff, 0x2000_0000_0000_0000] as [UInt64] {
            var bytes = original
            bytes.storeLittle(value, at: directoryPlace)
            try directory.write("se-sesparse.vmdk", bytes)
            let disk = try VMDKFixtures.open(path).disk
            #expect(
                #expect(throws: StorageError.self) { try disk.bytes(at: 0, count: 1) }?.code == "grain-table")
            #expect(try VMDKFixtures.findings(extent).map(\.code).contains("grain-table"))
        }
        let slot = try #require(
            (0..<4096).first { contents[$0 * 4096..<($0 + 1) * 4096].contains { $0 != 0 } })
        let number = Int(original.little(directoryPlace, as: UInt64.self) & 0xffff_ffff)
        let entry = Int(original.little(144, as: UInt64.self)) * 512 + number * 32768 + slot * 8
        for (value, code) in [
            (1, "grain-entry"), (0x4000_0000_0000_0000, "grain-entry"), (.max, "grain-entry"),
            (0x3fff_ffff_ffff_ffff, "grain-place"), (0x3000_0000_ffff_0000, "grain-place"),
        ] as [(UInt64, String)] {
            var bytes = original
            bytes.storeLittle(value, at: entry)
            try directory.write("se-sesparse.vmdk", bytes)
            let disk = try VMDKFixtures.open(path).disk
            let error = #expect(throws: StorageError.self) {
                try disk.bytes(at: UInt64(slot) * 4096, count: 1)
            }
            #expect(error?.code == code)
            #expect(try VMDKFixtures.findings(extent).map(\.code) == [code])
        }
        // Two entries for one grain, two directory entries for one table.
        var bytes = original
        bytes.replaceSubrange(entry..<entry + 8, with: original[entry + 8..<entry + 16])
        let twin: UInt64 = original.little(entry + 8)
        if twin >> 60 == 3 {
            try directory.write("se-sesparse.vmdk", bytes)
            #expect(try VMDKFixtures.findings(extent).map(\.code) == ["grains-overlap"])
        }
        bytes = original
        bytes.replaceSubrange(
            directoryPlace + 8..<directoryPlace + 16, with: original[directoryPlace..<directoryPlace + 8])
        try directory.write("se-sesparse.vmdk", bytes)
        #expect(try VMDKFixtures.findings(extent).map(\.code) == ["grains-overlap"])
    }
}
