import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing
import Undo

struct VMDKWriteTests {
    private func write(
        _ path: String, _ expected: inout [UInt8], seed: UInt64, count: Int, flushEvery: Int = 5
    ) throws {
        let disk = try VMDKFixtures.open(path, .write).disk
        var random = SeededRandom(seed)
        for step in 0..<count {
            let length =
                [1, 511, 512, 4096, 65536, 65537, 300_000, 1 << 20].randomElement(using: &random) ?? 1
            let start = Int.random(in: 0...expected.count - length, using: &random)
            let data = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: length)
            if Int.random(in: 0..<8, using: &random) == 0 {
                try disk.writeZeroes(at: UInt64(start), count: UInt64(length))
                expected.replaceSubrange(start..<start + length, with: [UInt8](repeating: 0, count: length))
            } else {
                try disk.write(data, at: UInt64(start))
                expected.replaceSubrange(start..<start + length, with: data)
            }
            if step % flushEvery == flushEvery - 1 { try disk.flush() }
        }
        #expect(isSame(try VMDKFixtures.contents(disk), expected))
        try disk.flush()
    }

    private func identifiers(_ path: String) throws -> (contentID: String, text: String) {
        let bytes = try fileBytes(path)
        let start = bytes.starts(with: Array("KDMV".utf8)) ? 512 : 0
        let text = String(decoding: bytes[start...].prefix { $0 != 0 }, as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("CID=") } ?? ""
        return (String(line.dropFirst(4)), text)
    }

    /// Both copies of the tables say the same, and the disk was closed.
    private func expectSound(_ path: String, isWhole: Bool = true) throws {
        // qemu does not open an extent by itself.
        if isWhole { try Tool.run("qemu-img", ["check", "-f", "vmdk", path]) }
        let bytes = try fileBytes(path)
        guard bytes.starts(with: Array("KDMV".utf8)) else { return }
        #expect(bytes[72] == 0)
        let tables = (bytes.little(12, as: UInt64.self) + 65535) / 65536
        let redundant = Int(bytes.little(48, as: UInt64.self)) * 512
        let directory = Int(bytes.little(56, as: UInt64.self)) * 512
        for index in 0..<Int(tables) {
            let one = Int(bytes.little(redundant + index * 4, as: UInt32.self)) * 512
            let other = Int(bytes.little(directory + index * 4, as: UInt32.self)) * 512
            #expect((one == 0) == (other == 0))
            #expect(bytes[one..<one + 2048] == bytes[other..<other + 2048] || one == 0)
        }
        #expect(bytes.count % 65536 == 0)
    }

    @Test(
        arguments: [
            ("monolithicSparse", 0), ("monolithicSparse", 1), ("monolithicFlat", 2),
            ("twoGbMaxExtentSparse", 3), ("twoGbMaxExtentFlat", 4),
        ] as [(String, UInt64)])
    func writesInPlace(subformat: String, seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 34 << 20, seed: seed)
        let path = try VMDKFixtures.convert(raw.path, in: directory, subformat: subformat)
        var expected = raw.bytes
        let before = try identifiers(path)
        try write(path, &expected, seed: seed, count: 30)
        let after = try identifiers(path)
        #expect(before.contentID != after.contentID && before.contentID.count == after.contentID.count)
        #expect(
            before.text.replacingOccurrences(of: before.contentID, with: "")
                == after.text.replacingOccurrences(of: after.contentID, with: ""))
        #expect(isSame(try VMDKFixtures.qemuContents(path, directory), expected))
        try expectSound(path)
        if subformat == "twoGbMaxExtentSparse" {
            try expectSound(directory.path("disk-s001.vmdk"), isWhole: false)
        }
        // What was written by another since is not lost.
        try Tool.run("qemu-io", ["-f", "vmdk", "-c", "write -P 77 20M 1M", path])
        expected.replaceSubrange(20 << 20..<21 << 20, with: [UInt8](repeating: 77, count: 1 << 20))
        try write(path, &expected, seed: seed + 100, count: 10, flushEvery: 1)
        #expect(isSame(try VMDKFixtures.qemuContents(path, directory), expected))
        try expectSound(path)
    }

    @Test func writesZeroedGrainsAndTheLastGrain() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("z.vmdk")
        try Tool.run("qemu-img", ["create", "-f", "vmdk", "-o", "zeroed_grain=on", path, "1049088"])
        try Tool.run("qemu-io", ["-f", "vmdk", "-c", "write -P 3 0 1M", "-c", "write -z 128k 256k", path])
        var expected = try VMDKFixtures.qemuContents(path, directory)
        #expect(expected.count == 1_049_088)
        let disk = try VMDKFixtures.open(path, .write).disk
        for (offset, length) in [(200_000, 100), (1_048_576, 512), (1_048_000, 900), (131_072, 65536)] {
            try disk.write([UInt8](repeating: 8, count: length), at: UInt64(offset))
            expected.replaceSubrange(offset..<offset + length, with: [UInt8](repeating: 8, count: length))
        }
        try disk.flush()
        #expect(isSame(try VMDKFixtures.contents(disk), expected))
        #expect(isSame(try VMDKFixtures.qemuContents(path, directory), expected))
        try expectSound(path)
    }

    @Test func missingTablesAreMade() throws {
        let directory = try TemporaryDirectory()
        let path = try VMDKFixtures.withoutTables(directory, byteCount: 160 << 20, tables: [1, 2, 4])
        var expected = [UInt8](repeating: 0, count: 160 << 20)
        do {
            let disk = try VMDKFixtures.open(path, .write).disk
            // Over the border of tables 0 and 1, in 4, and a second time in 1 after a flush.
            for (offset, value) in [((32 << 20) - 70000, 5), ((140 << 20) + 3, 6)] {
                let data = [UInt8](repeating: UInt8(value), count: 140_000)
                try disk.write(data, at: UInt64(offset))
                expected.replaceSubrange(offset..<offset + data.count, with: data)
            }
            try disk.flush()
            try disk.write([9], at: 50 << 20)
            expected[50 << 20] = 9
            try disk.flush()
            #expect(isSame(try VMDKFixtures.contents(disk), expected))
        }
        #expect(isSame(try VMDKFixtures.qemuContents(path, directory), expected))
        try expectSound(path)
        let bytes = try fileBytes(path)
        let main = Int(bytes.little(56, as: UInt64.self)) * 512
        #expect((0..<5).map { bytes.little(main + $0 * 4, as: UInt32.self) == 0 }[2] == true)
    }

    @Test func theContentIdentifierChangesOnceASessionAndOnlyThen() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("d.vmdk")
        try Tool.run("qemu-img", ["create", "-f", "vmdk", "-o", "subformat=monolithicFlat", path, "1M"])
        var text = String(decoding: try fileBytes(path), as: UTF8.self)
        let long = "0123456789abcdef0123456789abcdef"
        for digits in ["abc", "0", "ABCDEF01"] {
            let old = try identifiers(path).contentID
            text = text.replacingOccurrences(of: "CID=\(old)\n", with: "CID=\(digits)\n")
            if !text.contains("longContentID") { text += "ddb.longContentID = \"\(long)\"\n" }
            try directory.write("d.vmdk", text)
            _ = try VMDKFixtures.open(path, .write).disk.flush()
            #expect(try identifiers(path).text == text)
            let disk = try VMDKFixtures.open(path, .write).disk
            try disk.write([1], at: 0)
            let now = try identifiers(path)
            #expect(now.contentID != digits && now.contentID.count == digits.count)
            #expect(now.text.utf8.count == text.utf8.count)
            let padded = String(repeating: "0", count: 8 - now.contentID.count) + now.contentID
            #expect(!now.text.contains(long) && now.text.contains(padded + "\"\n"))
            try disk.write([2], at: 1000)
            try disk.flush()
            try disk.write([3], at: 2000)
            try disk.flush()
            #expect(try identifiers(path).contentID == now.contentID)
            text = now.text
        }
        try Tool.run("qemu-img", ["info", path])
    }

    @Test func whatMustNotBeWrittenIsRefusedWithTheWayOut() throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 8 << 20, seed: 5)
        let stream = try VMDKFixtures.convert(
            raw.path, in: directory, subformat: "streamOptimized", name: "stream.vmdk")
        let error = #expect(throws: StorageError.self) {
            try VMDKFixtures.open(stream, .write)
        }
        #expect(error?.kind == .refused && error?.code == "stream-optimized")
        #expect(error?.remedies == [.convert(options: []), .migrate])

        let sparse = try VMDKFixtures.convert(
            raw.path, in: directory, subformat: "monolithicSparse", name: "sparse.vmdk")
        let original = try fileBytes(sparse)
        var bytes = original
        bytes[4] = 3
        try directory.write("sparse.vmdk", bytes)
        #expect(VMDKFixtures.openCode(sparse) == nil)
        #expect(VMDKFixtures.openCode(sparse, access: .write) == "change-tracking")

        // A table that lets guest data lie in the header, the descriptor, the tables.
        let main = Int(original.little(56, as: UInt64.self)) * 512
        let table = Int(original.little(main, as: UInt32.self)) * 512
        let redundant = Int(original.little(48, as: UInt64.self)) * 512
        for sector in [2, 15, main / 512, table / 512, redundant / 512] {
            bytes = original
            bytes.replaceSubrange(table..<table + 4, with: VMDKFixtures.little(UInt32(sector)))
            try directory.write("sparse.vmdk", bytes)
            let disk = try VMDKFixtures.open(sparse, .write).disk
            let error = #expect(throws: StorageError.self) { try disk.write([1], at: 100) }
            #expect(error?.code == "grain-in-metadata")
            try disk.write([1], at: 200_000)
        }
        // A grain that the file does not have.
        bytes = original
        bytes.replaceSubrange(table..<table + 4, with: VMDKFixtures.little(UInt32(0xffff_ff00)))
        try directory.write("sparse.vmdk", bytes)
        do {
            let disk = try VMDKFixtures.open(sparse, .write).disk
            let error = #expect(throws: StorageError.self) { try disk.write([1], at: 100) }
            #expect(error?.code == "grain-place")
        }
        // No sector number is left.
        try directory.write("sparse.vmdk", original)
        try Tool.run("truncate", ["-s", "2199023255040", sparse])
        do {
            let disk = try VMDKFixtures.open(sparse, .write).disk
            let free = try #require(
                stride(from: 0, to: UInt64(8 << 20), by: 65536).first {
                    try disk.nextExtent(at: $0).kind == .zero
                })
            let error = #expect(throws: StorageError.self) { try disk.write([1], at: free) }
            #expect(error?.code == "file-full")
        }
    }

    @Test func extentsThatBreakGrainsAreNotWritten() throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 8 << 20, seed: 5)
        _ = try VMDKFixtures.convert(raw.path, in: directory, subformat: "twoGbMaxExtentSparse")
        try directory.write("flat", [UInt8](repeating: 4, count: 512))
        let path = try directory.write(
            "odd.vmdk",
            """
            # Disk DescriptorFile
            version=1
            CID=12345678
            parentCID=ffffffff
            createType="twoGbMaxExtentSparse"
            RW 1 FLAT "flat" 0
            RW 16384 SPARSE "disk-s001.vmdk"
            """)
        do {
            let image = try VMDKFixtures.open(path)
            #expect(try VMDKFixtures.contents(image.disk) == [UInt8](repeating: 4, count: 512) + raw.bytes)
        }
        #expect(VMDKFixtures.openCode(path, access: .write) == "unaligned-extent")
    }

    @Test func anUncleanMarkOfAnotherStays() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("u.vmdk")
        try Tool.run("qemu-img", ["create", "-f", "vmdk", path, "1M"])
        try VMDKFixtures.patch(path, at: 72, [1])
        let disk = try VMDKFixtures.open(path, .write).disk
        try disk.write([1], at: 0)
        try disk.flush()
        #expect(try fileBytes(path)[72] == 1)
    }

    /// The smallest grains and tables there can be: more tables change than are kept in memory.
    @Test func manyTablesAreWrittenOnTheWay() throws {
        let directory = try TemporaryDirectory()
        let sectors = 6000
        var header = [UInt8](repeating: 0, count: 512)
        header.replaceSubrange(0..<4, with: Array("KDMV".utf8))
        let fields: [(Int, [UInt8])] = [
            (4, [1]), (8, [1]), (12, VMDKFixtures.little(UInt64(sectors))), (20, [1]), (28, [1]), (36, [4]),
            (44, [1]), (56, [8]), (64, [64]), (73, Array("\n \r\n".utf8)),
        ]
        for (offset, bytes) in fields { header.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
        let descriptor = Array(
            """
            # Disk DescriptorFile
            version=1
            CID=12345678
            parentCID=ffffffff
            createType="monolithicSparse"
            RW \(sectors) SPARSE "small.vmdk"

            """.utf8)
        let path = try directory.write(
            "small.vmdk",
            header + descriptor + [UInt8](repeating: 0, count: 64 * 512 - 512 - descriptor.count))
        var expected = [UInt8](repeating: 0, count: sectors * 512)
        do {
            let disk = try VMDKFixtures.open(path, .write).disk
            for sector in stride(from: 0, to: sectors, by: 1) where sector % 7 != 3 {
                try disk.write([1, UInt8(sector & 255), 3], at: UInt64(sector * 512 + 100))
                expected.replaceSubrange(
                    sector * 512 + 100..<sector * 512 + 103, with: [1, UInt8(sector & 255), 3])
            }
            try disk.flush()
            #expect(isSame(try VMDKFixtures.contents(disk), expected))
        }
        #expect(isSame(try VMDKFixtures.contents(try VMDKFixtures.open(path).disk), expected))
        #expect(isSame(try VMDKFixtures.qemuContents(path, directory), expected))
        try Tool.run("qemu-img", ["check", "-f", "vmdk", path])
    }

    @Test(arguments: ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse"])
    func undoBringsBackEveryByte(subformat: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 4 << 20, seed: 8)
        let path = try VMDKFixtures.convert(raw.path, in: directory, subformat: subformat)
        let disk = try VMDKFixtures.open(path, .write).disk
        let files = disk.hostFiles
        let before = try files.map { try fileBytes($0.path) }
        let transaction = try HostTransaction(files)
        for offset in stride(from: UInt64(1000), to: 4 << 20, by: 500_000) {
            try disk.write([UInt8](repeating: 1, count: 3000), at: offset)
        }
        try disk.flush()
        try transaction.commit()
        let after = try files.map { try fileBytes($0.path) }
        #expect(zip(before, after).allSatisfy { !isSame($0, $1) })
        // The descriptor of a split image does not change, so it has no record.
        let undone = try UndoRecord.undo(files)
        #expect(!undone.isEmpty && undone.allSatisfy { file in files.contains { $0.path == file.path } })
        for (file, bytes) in zip(files, before) { #expect(isSame(try fileBytes(file.path), bytes)) }
    }
}
