import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing

struct VMDKDescriptorTests {
    /// A descriptor with the given extent lines and further lines.
    private func text(_ extents: String, type: String = "monolithicFlat", more: String = "") -> String {
        """
        # Disk DescriptorFile
        version=1
        CID=00abcdef
        parentCID=ffffffff
        createType="\(type)"
        \(more)
        # Extent description
        \(extents)
        """
    }

    private func code(
        _ extents: String, type: String = "monolithicFlat", more: String = "", access: FileAccess = .read
    ) throws -> String? {
        let directory = try TemporaryDirectory()
        try directory.write("a", [UInt8](repeating: 1, count: 8192))
        let path = try directory.write("d.vmdk", text(extents, type: type, more: more))
        return VMDKFixtures.openCode(path, access: access)
    }

    @Test func everyExtentTakesItsPlace() throws {
        let directory = try TemporaryDirectory()
        try directory.write("one \"quoted\" name", [UInt8](repeating: 1, count: 2048))
        try directory.write("two", [UInt8](repeating: 2, count: 1024) + [UInt8](repeating: 3, count: 1024))
        let path = try directory.write(
            "d.vmdk",
            text(
                """
                RW 4 FLAT "one "quoted" name" 0
                RW 3 ZERO
                rdonly 1 flat "two" 3
                NOACCESS 2 FLAT "missing" 0
                RW 2 FLAT "two" 0
                """
            ).replacingOccurrences(of: "\n", with: " \r\n"))
        let image = try VMDKFixtures.open(path, .write)
        let disk = image.disk
        #expect(disk.byteCount == 12 * 512)
        #expect(image.info.references.map(\.name) == ["one \"quoted\" name", "two", "missing"])
        #expect(disk.hostFiles.count == 3)
        for (sector, value) in [(0, 1), (3, 1), (4, 0), (6, 0), (7, 3), (10, 2), (11, 2)] {
            #expect(try disk.bytes(at: UInt64(sector * 512), count: 512).allSatisfy { $0 == value })
        }
        let closed = #expect(throws: StorageError.self) { try disk.bytes(at: 8 * 512, count: 1) }
        #expect(closed?.code == "no-access")
        for (sector, code) in [(4, "zero-extent"), (7, "read-only-extent"), (9, "no-access")] {
            let error = #expect(throws: StorageError.self) { try disk.write([1], at: UInt64(sector * 512)) }
            #expect(error?.code == code)
        }
        try disk.write([9], at: 10 * 512)
        try disk.flush()
        #expect(try fileBytes(directory.path("two"))[0] == 9)
    }

    @Test func lineEndsCaseAndEncodingDoNotMatter() throws {
        for separator in ["\n", "\r\n", "\r", " \t\n"] {
            let directory = try TemporaryDirectory()
            try directory.write("a", [UInt8](repeating: 1, count: 1024))
            let lines = [
                "# DISK DescriptorFile", "VERSION = 2", "Encoding=\"GBK\"", "CID=1", "PARENTCID=FFFFFFFF",
                "CreateType=\"MonolithicFlat\"", "  rw  2  flat \"a\"  0  ", "ddb.x = \"1\"", "ddb.x = \"2\"",
            ]
            let bytes =
                Array(lines.joined(separator: separator).utf8) + Array(separator.utf8)
                + Array("ddb.comment = \"".utf8) + [0xc4, 0xe3] + Array("\"".utf8) + [0, 1, 2, 3]
            let path = try directory.write("d.vmdk", bytes)
            let image = try VMDKFixtures.open(path)
            #expect(image.disk.byteCount == 1024)
            #expect(image.info.details.contains(ImageInfo.Detail("encoding", "GBK")))
        }
    }

    @Test func badLinesAreRefused() throws {
        let cases: [(String, String)] = [
            ("RW", "extent-line"), ("RW 4", "extent-line"), ("RW x FLAT \"a\" 0", "extent-line"),
            ("RW -4 FLAT \"a\" 0", "extent-line"), ("RW 4 FLAT", "extent-line"),
            ("RW 4 FLAT \"\" 0", "extent-line"), ("RW 4 FLAT \"a", "extent-line"),
            ("RW 4 FLAT x \"a\" 0", "extent-line"), ("RW 4 STRANGE \"a\" 0", "extent-type"),
            ("RW 0 FLAT \"a\" 0", "extent-size"), ("RW 36028797018963968 FLAT \"a\" 0", "extent-size"),
            ("RW 4 FLAT \"a\" 36028797018963968", "extent-size"), ("RW 17 FLAT \"a\" 0", "extent-size"),
            ("RW 16 FLAT \"a\" 1", "extent-size"), ("RW 4 FLAT \"a\" x", "extent-size"),
            ("RW 18014398509481983 ZERO\nRW 18014398509481983 ZERO", "disk-size"),
            ("RW 4 FLAT \"d.vmdk\" 0", "extent-name"),
            ("RW 4 VMFSSPARSE \"a\"", "foreign-extent"), ("RW 4 SESPARSE \"a\"", "foreign-extent"),
            ("RW 4 VMFSRDM \"a\"", "raw-device"), ("RW 4 VMFSRDMP \"a\"", "raw-device"),
            ("RW 4 VMFSRAW \"vml.02\"", "raw-device"), ("RW 4 FLAT \"/dev/sda\" 0", "raw-device"),
            (#"RW 4 FLAT "\\.\PhysicalDrive0" 0"#, "raw-device"), ("RW 4 VMFS \"a\" 1", "extent-line"),
            ("RW 4 SPARSE \"a\" 1", "extent-line"), ("RW 4 VMFSSPARSE \"a\" 1", "extent-line"),
            ("RW 4 SPARSE \"a\"", "foreign-extent"), ("", "extent-count"),
            (Array(repeating: "RW 4 ZERO", count: 2049).joined(separator: "\n"), "extent-count"),
        ]
        for (line, code) in cases {
            let found = try self.code(line)
            #expect(found == code, "\(line.prefix(60))")
        }
        #expect(try code("RW 4 FLAT \"a\" 0\nRW 4 FLAT \"a\" 3", access: .write) == "extent-overlap")
    }

    @Test func onlyPlainFilesBesideTheDescriptorAreOpened() throws {
        let directory = try TemporaryDirectory()
        try directory.write("sub/x", [UInt8](repeating: 1, count: 4096))
        try directory.write("a", [UInt8](repeating: 1, count: 4096))
        try Tool.run("ln", ["-s", directory.path("a"), directory.path("link")])
        try Tool.run("mkfifo", [directory.path("fifo")])
        for (name, code) in [
            ("/etc/passwd", "not-a-plain-name"), ("../x", "not-a-plain-name"), ("sub/x", "not-a-plain-name"),
            ("..", "extent-name not-a-plain-name"), (".", "not-a-plain-name"), ("link", "not-a-regular-file"),
            ("fifo", "not-a-regular-file"), ("sub", "not-a-regular-file"), ("none", "open"),
            ("json:{\"driver\":\"raw\"}", "open"),
        ] {
            let path = try directory.write("d.vmdk", text("RW 1 FLAT \"\(name)\" 0"))
            let found = VMDKFixtures.openCode(path)
            #expect(found.map(code.contains) == true, "\(name): \(found ?? "opened")")
        }
        let bytes = Array(text("RW 1 FLAT \"").utf8) + [0xe9] + Array("\" 0".utf8)
        // Names are bytes: this one means the file of exactly that name, which is not there, and then is.
        let odd = try directory.write("d.vmdk", bytes)
        #expect(VMDKFixtures.openCode(odd) == "open")
        try Tool.run("bash", ["-c", "cp a $'\\xe9'"], directory: directory.root)
        #expect(VMDKFixtures.openCode(odd) == nil)
        // What an extent really is decides, not what the descriptor calls it.
        try Tool.run("qemu-img", ["create", "-f", "qcow2", directory.path("q"), "1M"])
        let path = try directory.write("d.vmdk", text("RW 2048 SPARSE \"q\"", type: "twoGbMaxExtentSparse"))
        #expect(VMDKFixtures.openCode(path) == "foreign-extent")
        for (magic, name) in [(Array("COWD".utf8), "c"), ([0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0], "s")] {
            try directory.write(name, magic + [UInt8](repeating: 0, count: 2048))
            let path = try directory.write("d.vmdk", text("RW 2 SPARSE \"\(name)\""))
            #expect(VMDKFixtures.openCode(path) == "header-version")
            #expect(VMDKFixtures.openCode(directory.path(name)) == "header-version")
        }
    }

    @Test func disksThatAreNotBuiltAreRefusedByName() throws {
        for type in [
            "vmfsRaw", "vmfsRDM", "vmfsRawDeviceMap", "vmfsPassthroughRawDeviceMap", "somethingNew",
        ] {
            let directory = try TemporaryDirectory()
            let path = try directory.write("d.vmdk", text("RW 4 FLAT \"a\" 0", type: type))
            let error = #expect(throws: StorageError.self) { try VMDKFixtures.open(path) }
            #expect(error?.code == (type == "somethingNew" ? "create-type" : "raw-device"))
            #expect(error?.message.contains(type) == true)
        }
        // On devices or not, as the extents say.
        for type in ["fullDevice", "partitionedDevice", "custom"] {
            #expect(try code("RW 4 FLAT \"/dev/sdb\" 0\nRW 4 FLAT \"a\" 0", type: type) == "raw-device")
            #expect(try code("NOACCESS 4 FLAT \"/dev/sdb\" 0\nRW 4 FLAT \"a\" 0", type: type) == nil)
        }
        for type in [
            "monolithicFlat", "vmfs", "vmfsThin", "vmfsEagerZeroedThick", "vmfsPreallocated",
            "2GbMaxExtentFlat", "twoGbMaxExtentFlat", "custom", "fullDevice", "partitionedDevice",
        ] {
            #expect(try code("RW 4 FLAT \"a\" 0", type: type) == nil)
            #expect(try code("RW 4 VMFS \"a\"", type: type) == nil)
        }
    }

    @Test func encryptedDisksAreRefusedByName() throws {
        let line = "RW 4 FLAT \"a\" 0"
        for more in [
            "ddb.iofilters = \"vmwarevmcrypt\"", "ddb.ioFilters = \"other,VMW_vmcrypt_1.0\"",
            "encryption.keySafe = \"vmware:key\"",
        ] {
            #expect(try code(line, more: more) == "encrypted")
        }
        #expect(try code(line, more: "ddb.iofilters = \"vmwarelwd\"") == nil)
    }

    @Test func badKeysAreRefused() throws {
        let line = "RW 4 FLAT \"a\" 0"
        #expect(try code(line, more: "CID=00abcdef") == nil)
        #expect(try code(line, more: "CID=00abcdef", access: .write) == "duplicate-key")
        #expect(try code(line, more: "cid=00abcdee") == "duplicate-key")
        #expect(try code(line, more: "changeTrackPath=\"a-ctk.vmdk\"") == nil)
        #expect(try code(line, more: "changeTrackPath=\"a-ctk.vmdk\"", access: .write) == "change-tracking")
        #expect(try code(line, more: "changeTrackPath=\"\"", access: .write) == nil)
        let directory = try TemporaryDirectory()
        try directory.write("a", [UInt8](repeating: 1, count: 4096))
        for (from, to, code) in [
            ("version=1", "version=4", "descriptor-version"), ("version=1", "version=3", nil),
            ("CID=00abcdef", "CID=xyz", "content-id"), ("CID=00abcdef", "CID=123456789", "content-id"),
            ("CID=00abcdef", "CID=", "content-id"),
            ("parentCID=ffffffff", "parentCID=00000001", "reference-refused"),
            ("parentCID=ffffffff", "", nil),
        ] {
            let path = try directory.write("d.vmdk", text(line).replacingOccurrences(of: from, with: to))
            #expect(VMDKFixtures.openCode(path) == code, "\(to)")
        }
        let snapshot = text(line, more: "parentFileNameHint=\"base.vmdk\"")
            .replacingOccurrences(of: "ffffffff", with: "12345678")
        let error = #expect(throws: StorageError.self) {
            try VMDKFixtures.open(try directory.write("d.vmdk", snapshot))
        }
        #expect(error?.message.contains("base.vmdk") == true && error?.kind == .refused)
    }

    @Test func textsThatAreNoDescriptorsAreRefused() throws {
        let directory = try TemporaryDirectory()
        for (bytes, code) in [
            ([], "not-a-descriptor"), (Array("hello\n".utf8), "not-a-descriptor"),
            ([UInt8](repeating: 0, count: 600), "not-a-descriptor"),
            (Array("# Disk DescriptorFile\n".utf8), "not-a-descriptor"),
            (
                Array("# Disk DescriptorFile\n".utf8) + [UInt8](repeating: 10, count: 1 << 20),
                "descriptor-too-large"
            ), ([UInt8](repeating: 65, count: (1 << 20) + 1), "not-a-descriptor"),
        ] as [([UInt8], String)] {
            #expect(VMDKFixtures.openCode(try directory.write("d", bytes)) == code)
        }
        // A raw disk that happens to hold the words later is still raw.
        let raw = try directory.write("r", [0] + Array("# Disk DescriptorFile\n".utf8))
        #expect(try VMDKFixtures.open(raw).info.format == .raw)
    }
}
