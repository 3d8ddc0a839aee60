import ImageFormats
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct QCOW2RefusalTests {
    /// A field of the header, what is put there, and the refusal.
    struct Case: Sendable, CustomStringConvertible {
        let code: String
        let offset: Int
        let bytes: [UInt8]
        var description: String { "\(code) at \(offset)" }
        init(_ code: String, _ offset: Int, _ bytes: [UInt8]) {
            self.code = code
            self.offset = offset
            self.bytes = bytes
        }
    }

    static let headerCases = [
        Case("bad-magic", 0, [0x51, 0x46, 0x49, 0xfa]),
        Case("version", 4, [0, 0, 0, 4]),
        Case("cluster-size", 20, [0, 0, 0, 8]),
        Case("cluster-size", 20, [0, 0, 0, 22]),
        Case("cluster-size", 20, [0xff, 0xff, 0xff, 0xff]),
        Case("header-length", 100, [0, 0, 0, 72]),
        Case("header-length", 100, [0, 1, 0, 1]),
        Case("refcount-order", 96, [0, 0, 0, 7]),
        Case("compression-type", 104, [1]),
        Case("compression-type", 104, [2]),
        Case("compression-type", 79, [8]),
        Case("unknown-feature", 72, [0x80]),
        Case("unknown-feature", 79, [0x20]),
        Case("virtual-size", 24, [0x80, 0, 0, 0, 0, 0, 0, 0]),
        Case("backing-name", 8, [0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 9]),
        Case("backing-name", 8, [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4, 0]),
        Case("backing-name", 8, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]),
        Case("header-extension", 116, [0xff, 0xff, 0xff, 0xff]),
        Case("l1-too-large", 36, [0x00, 0x40, 0x00, 0x01]),
        Case("l1-too-small", 24, [0, 1, 0, 0, 0, 0, 0, 0]),
        Case("l1-offset", 40, [0, 0, 0, 0, 0, 0, 2, 0]),
        Case("l1-offset", 40, [0, 0, 0, 0, 0, 0, 0, 0]),
        Case("l1-offset", 40, [0, 0, 0, 0x10, 0, 0, 0, 0]),
        Case("l1-offset", 40, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
        Case("refcount-table-too-large", 56, [0, 0, 0, 129]),
        Case("refcount-table-offset", 48, [0, 0, 0, 0, 0, 1, 0, 1]),
        Case("snapshot-table", 60, [0, 1, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0]),
        Case("snapshot-table", 60, [0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0, 1]),
        Case("encryption-method", 32, [0, 0, 0, 3]),
        Case("encrypted", 32, [0, 0, 0, 1]),
        Case("encrypted", 32, [0, 0, 0, 2]),
        Case("data-file", 79, [4]),
        Case("extended-l2", 79, [16]),
    ]

    @Test(arguments: headerCases)
    func badHeadersAreRefusedByName(_ example: Case) throws {
        let fixture = try QCOW2Fixture("1M")
        try fixture.patch {
            $0.replaceSubrange(example.offset..<example.offset + example.bytes.count, with: example.bytes)
        }
        let before = try fixture.fileContents
        #expect(throwsCode(example.code) { try fixture.open() })
        #expect(throwsCode(example.code) { try fixture.open(.write) })
        #expect(try fixture.fileContents == before)
    }

    @Test func aTruncatedHeaderIsRefused() throws {
        let fixture = try QCOW2Fixture("1M")
        for length in [8, 71, 72, 103] {
            let cut = try fixture.directory.write("cut", Array(fixture.fileContents.prefix(length)))
            #expect(throwsCode("truncated-header") { try ImageProbe.open(cut) })
        }
    }

    @Test func unknownFeaturesAreNamedAsTheImageNamesThem() throws {
        let fixture = try QCOW2Fixture("1M")
        // Renames the dirty bit's entry in the feature table to bit 5.
        try fixture.patch { bytes in
            bytes[79] = 0x20
            let table = 112 + 8
            bytes.replaceSubrange(table..<table + 13, with: [0, 5] + Array("shiny thing".utf8))
        }
        let error = #expect(throws: StorageError.self) { try fixture.open() }
        #expect(error?.message.contains("shiny thing") == true)
    }

    @Test func describesWhatItDoesNotOpen() throws {
        let directory = try TemporaryDirectory()
        let base = directory.path("base.raw")
        try Tool.run("qemu-img", ["create", "-q", "-f", "raw", base, "1M"])
        let overlay = directory.path("overlay.qcow2")
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", "base.raw", overlay])
        let error = #expect(throws: StorageError.self) { try ImageProbe.open(overlay) }
        #expect(error?.code == "reference-refused")
        let info = try ImageProbe.describe(overlay)
        #expect(info.references == [.init(role: "backing file", name: "base.raw")])
        #expect(info.details.contains(.init("backing format", "raw")))
        #expect(info.virtualSize == 1 << 20)

        let split = directory.path("split.qcow2")
        try Tool.run(
            "qemu-img",
            ["create", "-q", "-f", "qcow2", "-o", "data_file=\(directory.path("data"))", split, "1M"])
        #expect(throwsCode("data-file") { try ImageProbe.open(split) })
        #expect(
            try ImageProbe.describe(split).references
                == [.init(role: "data file", name: directory.path("data"))])

        let extended = directory.path("extended.qcow2")
        try Tool.run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "extended_l2=on", extended, "1M"])
        #expect(throwsCode("extended-l2") { try ImageProbe.open(extended) })
        #expect(try ImageProbe.describe(extended).details.contains(.init("extended L2", "true")))
    }

    @Test func badTablesAreRefusedWhereTheyAreRead() throws {
        let fixture = try QCOW2Fixture("1M", commands: ["write -P 1 0 128k"])
        let bytes = try fixture.fileContents
        let l1 = Int(bytes.big(40, as: UInt64.self))
        let l2 = Int(bytes.big(l1, as: UInt64.self) & 0x00ff_ffff_ffff_fe00)
        func refused(_ code: String, _ offset: Int, _ value: UInt64) throws -> Bool {
            try fixture.patch { $0.storeBig(value, at: offset) }
            defer { _ = try? fixture.directory.write("disk.qcow2", bytes) }
            return throwsCode(code) { try fixture.open().disk.bytes(at: 0, count: 512) }
        }
        #expect(try refused("l2-table-offset", l1, 0x200))
        #expect(try refused("l2-table-offset", l1, 0x00ff_ffff_ffff_0000))
        #expect(try refused("l2-table-offset", l1, UInt64(bytes.count)))
        #expect(try refused("cluster-offset", l2, 0x200))
        #expect(try refused("cluster-beyond-end", l2, 1 << 40))
        #expect(try refused("cluster-beyond-end", l2, 0x4000_ffff_ffff_0000))
        // Both flags and all offset bits: compressed, and past the end.
        #expect(try refused("cluster-beyond-end", l2, .max))
    }

    @Test func theZeroFlagIsRefusedInVersion2() throws {
        let fixture = try QCOW2Fixture("1M", options: ["compat=0.10"], commands: ["write -P 1 0 128k"])
        let bytes = try fixture.fileContents
        let l1 = Int(bytes.big(40, as: UInt64.self))
        let l2 = Int(bytes.big(l1, as: UInt64.self) & 0x00ff_ffff_ffff_fe00)
        try fixture.patch { $0[l2 + 7] |= 1 }
        #expect(throwsCode("zero-cluster-in-version-2") { try fixture.open().disk.bytes(at: 0, count: 1) })
    }

    @Test func damagedCompressedClustersAreErrors() throws {
        for type in ["zlib", "zstd"] {
            let fixture = try QCOW2Fixture(
                of: patternedBytes(1 << 20, seed: 5), arguments: ["-c", "-o", "compression_type=\(type)"])
            let bytes = try fixture.fileContents
            let l1 = Int(bytes.big(40, as: UInt64.self))
            let l2 = Int(bytes.big(l1, as: UInt64.self) & 0x00ff_ffff_ffff_fe00)
            let start = Int(bytes.big(l2, as: UInt64.self) & ((1 << 54) - 1))
            try fixture.patch {
                $0.replaceSubrange(start..<start + 64, with: [UInt8](repeating: 0xff, count: 64))
            }
            let error = #expect(throws: StorageError.self) {
                try fixture.open().disk.bytes(at: 0, count: 512)
            }
            #expect(error?.code == "compressed-unit")
        }
    }

    @Test func aTruncatedFileIsAnErrorNotZeros() throws {
        let bytes = [UInt8](repeating: 5, count: 1 << 20)
        let fixture = try QCOW2Fixture(of: bytes, arguments: [])
        let whole = try fixture.fileContents
        let cut = try fixture.directory.write("cut.qcow2", Array(whole.prefix(whole.count / 2)))
        #expect(throws: StorageError.self) { try ImageProbe.open(cut).disk.bytes(at: 0, count: 1 << 20) }
        // But some writers do not pad the last cluster, which then goes on with zeros.
        let unpadded = try fixture.directory.write("unpadded.qcow2", Array(whole.dropLast(1000)))
        let disk = try ImageProbe.open(unpadded).disk
        #expect(try disk.bytes(at: (1 << 20) - 1001, count: 1001) == [5] + [UInt8](repeating: 0, count: 1000))
    }

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func hostileSamplesAreRefused() throws {
        // Version 1, 152 TiB in 516 bytes.
        let huge = try SharedSamples.path("formats/cdi/invalid-qcow-large-size.img")
        #expect(throws: StorageError.self) { try ImageProbe.open(huge) }
        #expect(throwsCode("version") { try ImageProbe.open(huge, format: .qcow2) })
        for name in ["cirros-snapshot1.qcow2", "cirros-snapshot2.qcow2"] {
            let path = try SharedSamples.path("formats/cdi/\(name)")
            let error = #expect(throws: StorageError.self) { try ImageProbe.open(path) }
            #expect(error?.code == "reference-refused")
            #expect(try ImageProbe.describe(path).references.count == 1)
        }
    }
}
