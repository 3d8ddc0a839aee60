import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

struct VMDKCreateTests {
    private func create(
        _ path: String, _ byteCount: UInt64, _ values: [(key: String, value: String)] = []
    ) throws(StorageError) -> OpenedImage {
        try VMDKDriver.create(path, byteCount: byteCount, options: ImageCreateOptions(values: values))
    }

    private func text(_ path: String) throws -> String {
        let bytes = try fileBytes(path)
        let start = bytes.starts(with: Array("KDMV".utf8)) ? 512 : 0
        return String(decoding: bytes[start...].prefix { $0 != 0 }, as: UTF8.self)
    }

    @Test(
        arguments: [
            "monolithicSparse", "monolithicFlat", "vmfs", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        ],
        [512, 65536 + 512, (40 << 20) + 1024])
    func qemuReadsWhatIsMade(subformat: String, size: Int) throws {
        let directory = try TemporaryDirectory()
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: size, seed: UInt64(size), runs: 12)
        let path = directory.path("disk.vmdk")
        do {
            let image = try create(path, UInt64(size), [("subformat", subformat)])
            #expect(image.info.virtualSize == UInt64(size) && image.disk.isWritable)
            #expect(try image.disk.nextExtent(at: 0).kind == .zero)
            for start in stride(from: 0, to: size, by: 1 << 20) {
                let piece = Array(raw.bytes[start..<min(start + 1 << 20, size)])
                if !isSame(piece, [UInt8](repeating: 0, count: piece.count)) {
                    try image.disk.write(piece, at: UInt64(start))
                }
            }
            try image.disk.flush()
            #expect(isSame(try VMDKFixtures.contents(image.disk), raw.bytes))
        }
        try Tool.run("qemu-img", ["check", "-f", "vmdk", "-U", path])
        try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "vmdk", "-U", raw.path, path])
        let reopened = try VMDKFixtures.open(path, .write)
        // Whoever writes is told of children that may be there, and of nothing else.
        #expect(reopened.info.variant == subformat)
        #expect(reopened.info.warnings.allSatisfy { $0.contains("if this disk is the parent of") })
        let companions = VMDKDriver.companions(
            of: path, byteCount: UInt64(size), options: ImageCreateOptions(values: [("subformat", subformat)])
        )
        let names = [
            "monolithicSparse": [], "twoGbMaxExtentSparse": ["disk-s001.vmdk"],
            "twoGbMaxExtentFlat": ["disk-f001.vmdk"],
        ]
        #expect(companions == names[subformat] ?? ["disk-flat.vmdk"])
        #expect(reopened.disk.hostFiles.map { HostPath.name(of: $0.path) } == ["disk.vmdk"] + companions)
        // Both write on, by turns.
        try Tool.run("qemu-io", ["-f", "vmdk", "-c", "write -P 9 0 512", path])
        #expect(try VMDKFixtures.open(path).disk.bytes(at: 0, count: 512).allSatisfy { $0 == 9 })
    }

    @Test(
        arguments: [
            ("monolithicSparse", 1 << 40), ("vmfs", 1 << 40), ("twoGbMaxExtentSparse", 20 << 30),
            ("twoGbMaxExtentFlat", 20 << 30),
        ] as [(String, UInt64)])
    func anEmptyDiskIsCompleteAfterFlush(subformat: String, size: UInt64) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        try create(path, size, [("subformat", subformat)]).disk.flush()
        try Tool.run("qemu-img", ["check", "-f", "vmdk", "-U", path])
        let disk = try VMDKFixtures.open(path).disk
        #expect(disk.byteCount == size)
        // Nothing but the directories takes space.
        let allocated = disk.hostFiles.reduce(0) { $0 + ($1.allocatedByteCount ?? 0) }
        #expect(allocated < 1 << 20)
        _ = try disk.bytes(at: size - 4096, count: 4096)
    }

    @Test func theDescriptorIsWhatVMwareExpects() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("My disk.VMDK")
        try create(path, 20 << 30, [("subformat", "vmfs")]).disk.flush()
        let text = try text(path)
        for line in [
            "# Disk DescriptorFile", "version=1", "encoding=\"UTF-8\"", "parentCID=ffffffff",
            "createType=\"vmfs\"", "RW 41943040 VMFS \"My disk-flat.vmdk\"", "ddb.adapterType = \"lsilogic\"",
            "ddb.geometry.cylinders = \"2610\"", "ddb.geometry.heads = \"255\"",
            "ddb.geometry.sectors = \"63\"", "ddb.toolsInstallType = \"4\"",
            "ddb.toolsVersion = \"2147483647\"", "ddb.virtualHWVersion = \"4\"",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
        let id = try #require(text.firstMatch(of: /CID=([0-9a-f]{8})\n/)?.1)
        #expect(id != "ffffffff" && id != "fffffffe")
        #expect(text.contains(try Regex("ddb.longContentID = \"[0-9a-f]{24}\(id)\"\n")))
        for (size, adapter, geometry) in [
            (512, "lsilogic", ["1", "64", "32"]), (100 << 20, "buslogic", ["100", "64", "32"]),
            (1536 << 20, "legacyESX", ["768", "128", "32"]), (100 << 20, "ide", ["203", "16", "63"]),
            (100 << 30, "ide", ["16383", "16", "63"]),
        ] as [(UInt64, String, [String])] {
            let path = directory.path("\(adapter)-\(size).vmdk")
            try create(path, size, [("adapter_type", adapter), ("hwversion", "13"), ("toolsversion", "7")])
                .disk
                .flush()
            let text = try self.text(path)
            for (name, value) in zip(["cylinders", "heads", "sectors"], geometry) {
                #expect(text.contains("ddb.geometry.\(name) = \"\(value)\"\n"), "\(adapter) \(size) \(name)")
            }
            #expect(text.contains("ddb.adapterType = \"\(adapter)\"\n"))
            #expect(
                text.contains("ddb.virtualHWVersion = \"13\"\n") && text.contains("toolsVersion = \"7\"\n"))
            #expect(text.contains("RW \(size / 512) SPARSE \"\(adapter)-\(size).vmdk\"\n"))
        }
        let six = directory.path("six.vmdk")
        try create(six, 1 << 20, [("compat6", "on")]).disk.flush()
        #expect(try self.text(six).contains("ddb.virtualHWVersion = \"6\"\n"))
    }

    @Test func theLayoutIsVMwares() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        try create(path, 10 << 20).disk.flush()
        let bytes = try fileBytes(path)
        // As vmware-vdiskmanager lays out a disk of the same size: RGD at 21, GD at 26, grains at 128.
        let fields: [(Int, UInt64)] = [
            (12, 20480), (20, 128), (28, 1), (36, 20), (48, 21), (56, 26), (64, 128),
        ]
        for (offset, value) in fields { #expect(bytes.little(offset, as: UInt64.self) == value) }
        #expect(bytes.little(4, as: UInt32.self) == 1 && bytes.little(8, as: UInt32.self) == 3)
        #expect(bytes.count == 65536)
        if SharedSamples.present {
            let real = try fileBytes(try SharedSamples.path("formats/vmdk-rs/monolithicSparse.vmdk"))
            #expect(bytes[0..<512] == real[0..<512])
            #expect(bytes[21 * 512..<22 * 512] == real[21 * 512..<22 * 512])
            #expect(bytes[26 * 512..<27 * 512] == real[26 * 512..<27 * 512])
        }
    }

    @Test func sequentialWritesAreContiguousAndTablesGoInBigPieces() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        let image = try create(path, 200 << 20)
        let transaction = try HostTransaction(image.disk.hostFiles, memoryLimit: .max)
        let piece = [UInt8](repeating: 5, count: 1 << 20)
        for start in 0..<100 { try image.disk.write(piece, at: UInt64(start) << 20) }
        try image.disk.flush()
        let writes = transaction.recordedOperations.filter { if case .write = $0 { true } else { false } }
        // The data, the unclean mark twice, and each copy of four tables in one piece.
        #expect(writes.count <= 110)
        try transaction.commit()
        let extent = try image.disk.nextExtent(at: 0)
        #expect(extent.range == 0..<32 << 20 && extent.kind == .plain(file: 0, offset: 65536))
        try Tool.run("qemu-img", ["check", "-f", "vmdk", "-U", path])
    }

    @Test func badRequestsAreRefused() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("disk.vmdk")
        func code(_ size: UInt64, _ values: [(key: String, value: String)] = [], name: String? = nil)
            -> String?
        {
            do throws(StorageError) {
                _ = try create(name ?? path, size, values)
                return nil
            } catch {
                return error.code
            }
        }
        for (key, value, expected) in [
            ("subformat", "fullDevice", "option"), ("subformat", "", "option"),
            ("adapter_type", "nvme", "option"), ("hwversion", "new", "option"), ("hwversion", "", "option"),
            ("compat6", "perhaps", "bad-option"), ("toolsversion", "-1", "option"),
            ("zeroed_grain", "2", "bad-option"), ("uuid", "6000c29a", "bad-option"),
            ("compression_level", "9", "option"),
            ("zeroed", "on", "unknown-option"),
        ] {
            #expect(code(1 << 20, [(key, value)]) == expected)
        }
        #expect(code(1 << 20, [("compat6", "on"), ("hwversion", "7")]) == "option")
        #expect(code(1 << 20, [("zeroed_grain", "on"), ("subformat", "vmfs")]) == "option")
        for level in ["0", "10", "fast"] {
            let values = [("subformat", "streamOptimized"), ("compression_level", level)]
            #expect(code(1 << 20, values) == "bad-option")
        }
        #expect(code(1 << 46, [("subformat", "streamOptimized")]) == "directory-too-large")
        #expect(code(1 << 43, [("subformat", "twoGbMaxExtentFlat")]) == "extent-count")
        #expect(code(0) == "disk-size" && code(.max) == "disk-size")
        #expect(code(UInt64(Int64.max) - 511, [("subformat", "vmfs")]) != nil)
        #expect(code(1 << 41) == "file-full" && code(1 << 62) == "file-full")
        #expect(code(1 << 20, name: directory.path("a\"b.vmdk")) == "file-name")
        #expect(code(1 << 20, name: directory.path("a\nb.vmdk")) == "file-name")
        let odd = #expect(throws: StorageError.self) {
            try VMDKDriver.create(path, byteCount: 1 << 20, options: ImageCreateOptions(sectorSize: 4096))
        }
        #expect(odd?.code == "option" && odd?.kind == .unsupported)
        #expect(!FileManager.default.fileExists(atPath: path))
        // Neither file is replaced.
        try directory.write("disk-flat.vmdk", "precious")
        #expect(code(1 << 20, [("subformat", "vmfs")]) == "create")
        #expect(try fileBytes(directory.path("disk-flat.vmdk")) == Array("precious".utf8))
        #expect(!FileManager.default.fileExists(atPath: path))
        try directory.write("disk.vmdk", "precious")
        #expect(code(1 << 20) == "create")
        #expect(try create(directory.path("one.vmdk"), 700).disk.byteCount == 1024)
    }
}
