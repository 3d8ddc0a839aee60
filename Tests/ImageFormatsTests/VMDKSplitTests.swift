import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing

/// Disks of several files, and what else `create` has options for.
struct VMDKSplitTests {
    private func text(_ path: String) throws -> String {
        let bytes = try fileBytes(path)
        let start = bytes.starts(with: Array("KDMV".utf8)) ? 512 : 0
        return String(decoding: bytes[start...].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Pieces of 2047 MiB, as VMware cuts them: data around each seam, seen by qemu and by libvmdk's own reader of extents.
    @Test(arguments: ["twoGbMaxExtentSparse", "twoGbMaxExtentFlat"])
    func piecesMeetAtTheirSeams(subformat: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("My disk.vmdk")
        let piece: UInt64 = 2047 << 20
        let size = 2 * piece + (3 << 20) + 512
        let options = ImageCreateOptions(values: [("subformat", subformat)])
        let letter = subformat.hasSuffix("Sparse") ? "s" : "f"
        let names = (1...3).map { "My disk-\(letter)00\($0).vmdk" }
        #expect(VMDKDriver.companions(of: path, byteCount: size, options: options) == names)
        let raw = try directory.sparse("disk.raw", byteCount: size)
        let handle = try #require(FileHandle(forWritingAtPath: raw))
        do {
            let disk = try VMDKDriver.create(path, byteCount: size, options: options).disk
            var random = SeededRandom(5)
            for start in [0, piece - 70_000, piece - 512, 2 * piece - 1, 2 * piece + 65_536, size - 100] {
                let data = random.bytes(Int(min(100_001, size - start)))
                try disk.write(data, at: start)
                try handle.seek(toOffset: start)
                try handle.write(contentsOf: Data(data))
            }
            try disk.flush()
        }
        try Tool.run("qemu-img", ["check", "-f", "vmdk", "-U", path])
        try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "vmdk", "-U", raw, path])
        let sectors = [4_192_256, 4_192_256, 6145]
        let text = try text(path)
        for (name, count) in zip(names, sectors) {
            let line =
                letter == "s" ? "RW \(count) SPARSE \"\(name)\"\n" : "RW \(count) FLAT \"\(name)\" 0\n"
            #expect(text.contains(line))
        }
        #expect(text.contains("createType=\"\(subformat)\"\n"))
        let disk = try VMDKFixtures.open(path).disk
        #expect(disk.byteCount == size && disk.hostFiles.count == 4)
        // A full sparse piece stays below 2 GiB with its tables.
        guard letter == "s" else { return }
        let measured = try VMDKDriver.measure(nil, byteCount: piece, options: options)
        #expect(measured.fullyAllocated < 2 << 30)
        // As VMware lays a piece out: no descriptor, the tables from sector 1 on.
        let head = try fileBytes(directory.path(names[0]))[0..<512]
        for (offset, value) in [(28, 0), (36, 0), (48, 1)] as [(Int, UInt64)] {
            #expect(Array(head).little(offset, as: UInt64.self) == value)
        }
        guard SharedSamples.present else { return }
        let real = try fileBytes(try SharedSamples.path("formats/vmdk-rs/twoGbMaxExtentSparse-s001.vmdk"))
        let small = directory.path("small.vmdk")
        try VMDKDriver.create(small, byteCount: 10 << 20, options: options).disk.flush()
        #expect(try fileBytes(directory.path("small-s001.vmdk"))[0..<512] == real[0..<512])
    }

    /// What cannot be made leaves nothing, and what is there stays.
    @Test func aTakenNameOfAnyPieceEndsIt() throws {
        let directory = try TemporaryDirectory()
        try directory.write("disk-s002.vmdk", "precious")
        let error = #expect(throws: StorageError.self) {
            try VMDKDriver.create(
                directory.path("disk.vmdk"), byteCount: 5 << 30,
                options: ImageCreateOptions(values: [("subformat", "twoGbMaxExtentSparse")]))
        }
        #expect(error?.code == "create")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["disk-s002.vmdk"])
        #expect(try fileBytes(directory.path("disk-s002.vmdk")) == Array("precious".utf8))
    }

    @Test func zeroedGrainsAndTheIdentifierAreStored() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        let uuid = "6000C29a-c9ec-2da9-3d15-2fea25fbe41f"
        try VMDKDriver.create(
            path, byteCount: 10 << 20,
            options: ImageCreateOptions(values: [("zeroed_grain", "on"), ("uuid", uuid)])
        ).disk.flush()
        #expect(try text(path).contains("ddb.uuid = \"60 00 c2 9a c9 ec 2d a9-3d 15 2f ea 25 fb e4 1f\"\n"))
        let own = try fileBytes(path)
        let theirs = directory.path("theirs.vmdk")
        try Tool.run("qemu-img", ["create", "-q", "-f", "vmdk", "-o", "zeroed_grain=on", theirs, "10M"])
        #expect(own[0..<20] == (try fileBytes(theirs))[0..<20])
        // qemu writes zeros into the tables then.
        try Tool.run("qemu-io", ["-f", "vmdk", "-c", "write -P 7 0 64k", "-c", "write -z 0 64k", path])
        #expect(try VMDKFixtures.open(path).disk.nextExtent(at: 0).kind == .zero)
    }

    @Test func sizesAreMeasured() throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: 40 << 20, seed: 3)
        let source = try ImageProbe.open(raw.path, format: .raw).disk
        for subformat in [
            "monolithicSparse", "monolithicFlat", "vmfs", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        ] {
            let options = ImageCreateOptions(values: [("subformat", subformat)])
            let measured = try VMDKDriver.measure(source, byteCount: 0, options: options)
            let path = directory.path("disk.vmdk")
            do {
                let disk = try VMDKDriver.create(path, byteCount: source.byteCount, options: options).disk
                var position: UInt64 = 0
                while position < source.byteCount {
                    let extent = try source.nextExtent(at: position)
                    if extent.kind != .zero {
                        let count = Int(extent.range.upperBound - position)
                        try disk.write(try source.bytes(at: position, count: count), at: position)
                    }
                    position = extent.range.upperBound
                }
                try disk.flush()
            }
            let disk = try VMDKFixtures.open(path).disk
            #expect(disk.hostFiles.reduce(0) { $0 + $1.byteCount } == measured.required, "\(subformat)")
            #expect(measured.fullyAllocated >= measured.required)
            for file in disk.hostFiles { try FileManager.default.removeItem(atPath: file.path) }
        }
    }
}
