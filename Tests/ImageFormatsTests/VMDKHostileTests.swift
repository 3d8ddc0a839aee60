import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

struct VMDKHostileTests {
    /// A small sparse disk of qemu's, whose header starts at 0: RGD at sector 21, GD at 26 (8 MiB: one table).
    private func sample(
        _ directory: TemporaryDirectory, subformat: String = "monolithicSparse"
    ) throws -> (path: String, bytes: [UInt8], guest: [UInt8]) {
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 8 << 20, seed: 5, runs: 8)
        let path = try VMDKFixtures.convert(raw.path, in: directory, subformat: subformat)
        return (path, try fileBytes(path), raw.bytes)
    }

    private static let headerCases: [(offset: Int, bytes: [UInt8], code: String)] = [
        (4, [0], "header-version"), (4, [4], "header-version"), (10, [4], "incompatible-flags"),
        (73, [13], "line-ends"), (12, [0, 0, 0, 0, 0, 0, 0, 0], "capacity"),
        (12, [255, 255, 255, 255, 255, 255, 255, 255], "capacity"),
        (12, [0, 0, 0, 0, 0, 0, 1, 0], "directory-too-large"), (20, [0], "grain-size"),
        (20, [127], "grain-size"), (20, [0, 0, 0, 1], "grain-size"), (44, [0, 0], "table-entries"),
        (44, [1, 2], "table-entries"), (44, [255, 255, 255, 255], "table-entries"),
        (28, [255, 255, 255, 255, 255, 255, 255, 255], "directory-place"),
        (28, [0, 0, 0, 255], "descriptor-too-large"), (36, [1, 8], "descriptor-too-large"),
        (56, [255, 255, 255, 255, 255, 255, 255, 255], "footer"),
        (56, [255, 255, 255, 255, 255, 255, 255, 127], "directory-place"),
        (77, [2], "compression"), (10, [1], "compression"),
    ]

    @Test func badHeadersAreRefused() throws {
        let directory = try TemporaryDirectory()
        let sample = try sample(directory)
        for (offset, patch, code) in Self.headerCases {
            var bytes = sample.bytes
            bytes.replaceSubrange(offset..<offset + patch.count, with: patch)
            let path = try directory.write("bad.vmdk", bytes)
            #expect(VMDKFixtures.openCode(path, format: nil) == code, "\(offset): \(patch)")
        }
        for length in [4, 511, 512, 9000, 13000] {
            let path = try directory.write("bad.vmdk", Array(sample.bytes.prefix(length)))
            #expect(VMDKFixtures.openCode(path, format: nil) != nil, "\(length)")
        }
        // Unknown bits that are not called incompatible are no reason to refuse.
        var bytes = sample.bytes
        bytes[9] = 0x80
        #expect(VMDKFixtures.openCode(try directory.write("good.vmdk", bytes)) == nil)
    }

    @Test func theRedundantTablesStandIn() throws {
        let directory = try TemporaryDirectory()
        let sample = try sample(directory)
        let directoryOffset = Int(sample.bytes.little(56, as: UInt64.self)) * 512
        let table = Int(sample.bytes.little(directoryOffset, as: UInt32.self)) * 512
        // The directory's place, its entry, an entry of the table.
        for (offset, patch, code) in [
            (59, [127], "damaged-directory"), (directoryOffset, [255, 255, 255, 255], "damaged-directory"),
            (table, [255, 255, 255, 255], nil),
        ] as [(Int, [UInt8], String?)] {
            var bytes = sample.bytes
            bytes.replaceSubrange(offset..<offset + patch.count, with: patch)
            let path = try directory.write("bad.vmdk", bytes)
            do {
                let image = try VMDKFixtures.open(path)
                #expect(image.info.warnings.count == 1)
                let contents = try VMDKFixtures.contents(image.disk)
                #expect(isSame(contents, sample.guest))
            }
            #expect(VMDKFixtures.openCode(path, access: .write) == code)
        }
        // Neither is left.
        let redundant = Int(sample.bytes.little(48, as: UInt64.self)) * 512
        var bytes = sample.bytes
        for offset in [directoryOffset, redundant] {
            bytes.replaceSubrange(offset..<offset + 4, with: [255, 255, 255, 255])
        }
        let lost = try VMDKFixtures.open(try directory.write("lost.vmdk", bytes))
        #expect(lost.info.warnings.count == 2)
        let error = #expect(throws: StorageError.self) { try lost.disk.bytes(at: 0, count: 1) }
        #expect(error?.code == "grain-table")
        bytes[59] = 127
        bytes[51] = 127
        #expect(VMDKFixtures.openCode(try directory.write("gone.vmdk", bytes)) == "directory-place")
    }

    @Test func truncatedGrainsAreRefused() throws {
        let directory = try TemporaryDirectory()
        for subformat in ["monolithicSparse", "streamOptimized"] {
            let sample = try sample(directory, subformat: subformat)
            let path = try directory.write(
                "cut.vmdk", Array(sample.bytes.prefix(sample.bytes.count - 70_000)))
            let error = #expect(throws: StorageError.self) {
                try VMDKFixtures.contents(try VMDKFixtures.open(path).disk)
            }
            #expect(["grain-place", "grain-header"].contains(error?.code))
            try FileManager.default.removeItem(atPath: sample.path)
        }
    }

    @Test func compressedGrainsAreWhatTheySay() throws {
        let directory = try TemporaryDirectory()
        let sample = try sample(directory, subformat: "streamOptimized")
        let directoryOffset = Int(sample.bytes.little(56, as: UInt64.self)) * 512
        let table = Int(sample.bytes.little(directoryOffset, as: UInt32.self)) * 512
        let slot = try #require((0..<128).first { sample.bytes.little(table + $0 * 4, as: UInt32.self) > 1 })
        let grain = Int(sample.bytes.little(table + slot * 4, as: UInt32.self)) * 512
        for (offset, patch, code) in [
            (grain, [99], "grain-header"), (grain + 8, [0, 0, 0, 0], "grain-header"),
            (grain + 8, [255, 255, 255, 255], "grain-header"), (grain + 11, [1], "grain-header"),
            (grain + 12, [0, 0], "compressed-unit"),
            (grain + 40, [UInt8](repeating: 7, count: 60), "compressed-unit"),
        ] as [(Int, [UInt8], String)] {
            var bytes = sample.bytes
            bytes.replaceSubrange(offset..<offset + patch.count, with: patch)
            let image = try VMDKFixtures.open(try directory.write("bad.vmdk", bytes))
            let error = #expect(throws: StorageError.self) {
                try image.disk.bytes(at: UInt64(slot) << 16, count: 65536)
            }
            #expect(error?.code == code, "\(offset)")
        }
    }

    @Test func grainsWithoutMarkersHaveAShortHeader() throws {
        let directory = try TemporaryDirectory()
        let sample = try sample(directory, subformat: "streamOptimized")
        var bytes = sample.bytes
        bytes[10] = 1
        let directoryOffset = Int(bytes.little(56, as: UInt64.self)) * 512
        let table = Int(bytes.little(directoryOffset, as: UInt32.self)) * 512
        for slot in 0..<128 {
            let grain = Int(bytes.little(table + slot * 4, as: UInt32.self)) * 512
            guard grain > 512 else { continue }
            let size = Int(bytes.little(grain + 8, as: UInt32.self))
            let record = Array(bytes[grain + 8..<grain + 12 + size])
            bytes.replaceSubrange(grain..<grain + record.count, with: record)
        }
        let image = try VMDKFixtures.open(try directory.write("short.vmdk", bytes))
        let contents = try VMDKFixtures.contents(image.disk)
        #expect(isSame(contents, sample.guest))
    }

    @Test func extentsAndDescriptorsMustAgree() throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 8 << 20, seed: 9)
        let path = try VMDKFixtures.convert(raw.path, in: directory, subformat: "twoGbMaxExtentSparse")
        let text = String(decoding: try fileBytes(path), as: UTF8.self)
        for (sectors, code) in [("16385", "extent-size"), ("100", "extent-size"), ("16257", nil)] {
            try directory.write("disk.vmdk", text.replacingOccurrences(of: "RW 16384", with: "RW \(sectors)"))
            #expect(VMDKFixtures.openCode(path) == code)
        }
        // The header decides about a single file, and says so.
        let single = try VMDKFixtures.convert(
            raw.path, in: directory, subformat: "monolithicSparse", name: "s.vmdk")
        var bytes = try fileBytes(single)
        let place = try #require(String(decoding: bytes[512..<2048], as: UTF8.self).range(of: "RW 16384"))
        let offset = 512 + String(decoding: bytes[512..<2048], as: UTF8.self)[..<place.lowerBound].utf8.count
        bytes[offset + 7] = UInt8(ascii: "5")
        let image = try VMDKFixtures.open(try directory.write("s2.vmdk", bytes))
        #expect(image.disk.byteCount == 8 << 20 && image.info.warnings.count == 1)
    }

    /// One file as two extents: each would choose space without the other.
    @Test func extentsThatShareAFileAreNotWritten() throws {
        let directory = try TemporaryDirectory()
        try directory.write("cow", VMDKFixtures.vmfsSparse([UInt8](repeating: 1, count: 8192)) { $0 < 4 })
        try directory.write("flat", [UInt8](repeating: 1, count: 8192))
        for (lines, code) in [
            ("RW 16 VMFSSPARSE \"cow\"\nRW 16 VMFSSPARSE \"cow\"", "extent-overlap"),
            ("RW 16 VMFSSPARSE \"cow\"\nRW 1 FLAT \"cow\" 4", "extent-overlap"),
            ("RW 16 VMFSSPARSE \"cow\"\nRDONLY 16 VMFSSPARSE \"cow\"", "extent-overlap"),
            ("RW 16 VMFSSPARSE \"cow\"\nRW 16 FLAT \"flat\" 0", nil),
        ] as [(String, String?)] {
            let path = try directory.write("d.vmdk", VMDKFixtures.descriptor("custom", lines))
            #expect(VMDKFixtures.openCode(path) == nil)
            #expect(VMDKFixtures.openCode(path, access: .write) == code, "\(lines)")
        }
    }

    /// Names of devices, and of files that lead elsewhere, as extents of every kind that has a file.
    @Test func extentsOfEveryKindAreFilesBesideTheDescriptor() throws {
        let directory = try TemporaryDirectory()
        try directory.write("cow", VMDKFixtures.vmfsSparse([UInt8](repeating: 1, count: 8192)) { $0 < 4 })
        try Tool.run("ln", ["-s", directory.path("cow"), directory.path("link")])
        try Tool.run("mkfifo", [directory.path("fifo")])
        for kind in ["SPARSE", "VMFSSPARSE", "SESPARSE", "VMFS", "FLAT"] {
            for (name, code) in [
                ("/etc/shadow", "not-a-plain-name"), ("../x", "not-a-plain-name"),
                ("link", "not-a-regular-file"),
                ("fifo", "not-a-regular-file"), ("/dev/sda", "raw-device"), ("d.vmdk", "extent-name"),
            ] {
                let path = try directory.write(
                    "d.vmdk", VMDKFixtures.descriptor("custom", "RW 16 \(kind) \"\(name)\""))
                for access in [FileAccess.read, .write] {
                    #expect(VMDKFixtures.openCode(path, access: access) == code, "\(kind) \(name)")
                }
            }
        }
    }

    @Test func damagedTablesAreReadByTheirCopiesWithAWarning() throws {
        let directory = try TemporaryDirectory()
        let sample = try sample(directory, subformat: "monolithicSparse")
        let main = Int(sample.bytes.little(56, as: UInt64.self)) * 512
        let table = Int(sample.bytes.little(main, as: UInt32.self)) * 512
        let redundant =
            Int(sample.bytes.little(Int(sample.bytes.little(48, as: UInt64.self)) * 512, as: UInt32.self))
            * 512
        let slots = (0..<128).filter { sample.bytes.little(table + $0 * 4, as: UInt32.self) > 1 }
        var bytes = sample.bytes
        for slot in slots { bytes.storeLittle(UInt32(0xffff_0000), at: table + slot * 4) }
        let path = try directory.write("copies.vmdk", bytes)
        let image = try VMDKFixtures.open(path)
        #expect(image.info.warnings.count == 1 && image.info.warnings[0].hasPrefix("\(slots.count) entries"))
        #expect(isSame(try VMDKFixtures.contents(image.disk), sample.guest))
        #expect(try VMDKFixtures.findings(path).map(\.code).contains("tables-differ"))
        bytes.storeLittle(UInt32(0xffff_0000), at: redundant + slots[0] * 4)
        try directory.write("copies.vmdk", bytes)
        #expect(try VMDKFixtures.open(path).info.warnings.count == 2)
    }

    /// Random damage: whatever happens is a typed error or an answer, never a trap.
    @Test(arguments: 0..<4)
    func damageIsATypedErrorAtWorst(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(seed)
        for subformat in ["monolithicSparse", "streamOptimized", "twoGbMaxExtentSparse"] {
            let raw = try VMDKFixtures.rawDisk(directory, byteCount: 1 << 20, seed: seed, runs: 4)
            let path = try VMDKFixtures.convert(raw.path, in: directory, subformat: subformat, name: "f.vmdk")
            let original = try fileBytes(path)
            for turn in 0..<50 {
                var bytes = original
                let area = Bool.random(using: &random) ? min(512, bytes.count) : min(30_000, bytes.count)
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    let offset = Int.random(in: 0..<area, using: &random)
                    let interesting: [UInt8] = [0, 1, 127, 128, 255]
                    bytes[offset] =
                        Bool.random(using: &random)
                        ? UInt8.random(in: 0...255, using: &random)
                        : interesting[Int.random(in: 0..<5, using: &random)]
                }
                if Int.random(in: 0..<8, using: &random) == 0 {
                    bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                }
                try directory.write("f.vmdk", bytes)
                exercise(path, commits: turn % 3 == 0)
            }
        }
    }

    private func exercise(_ path: String, commits: Bool) {
        do {
            _ = try VMDKDriver.describe(try HostFile.open(path))
        } catch {}
        for access in [FileAccess.read, .write] {
            do throws(StorageError) {
                let disk = try ImageProbe.open(
                    path, format: .vmdk, options: ImageOpenOptions(access: access)
                ).disk
                for offset in stride(from: 0, to: min(disk.byteCount, 1 << 20), by: 60_000) {
                    do throws(StorageError) {
                        _ = try disk.nextExtent(at: offset)
                        _ = try disk.bytes(at: offset, count: Int(min(5000, disk.byteCount - offset)))
                        if access == .write { try disk.write([1, 2, 3], at: offset) }
                    } catch {}
                }
                if access == .write, commits { try disk.flush() }
            } catch {}
        }
    }
}
