import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// What is a VMDK by its lines, and what is only a piece of one.
struct VMDKRecognitionTests {
    private static let body = """
        CID=12345678
        parentCID=ffffffff
        createType="monolithicFlat"
        RW 128 FLAT "flat.img" 0

        """

    private static func write(_ text: String, in directory: TemporaryDirectory) throws -> String {
        try directory.write("flat.img", patternedBytes(128 << 9, seed: 3))
        return try directory.write("disk.vmdk", text)
    }

    @Test(arguments: [
        "# Disk DescriptorFile\nversion=1\n", "# Disk Descriptor File\nversion=1\n", "version=1\n", "",
        "#Disk DescriptorFile\nversion=1\n", "# made by hand\n\n# Disk DescriptorFile\nversion=1\n",
        "\u{feff}# VMware disk\r\nversion=1\r\n",
    ])
    func aDescriptorIsKnownByItsLines(_ head: String) throws {
        let directory = try TemporaryDirectory()
        let image = try ImageProbe.open(try Self.write(head + Self.body, in: directory))
        #expect(image.info.format == .vmdk)
        #expect(try image.disk.bytes(at: 0, count: 128 << 9) == patternedBytes(128 << 9, seed: 3))
    }

    @Test func aTextThatIsNoDescriptorIsNone() throws {
        let directory = try TemporaryDirectory()
        for text in [
            "Dear reader,\nRW is read and write\n", "cid=1\n", "RW 128 FLAT \"x\" 0\n",
            "createType=\n\0CID=1\n",
        ] {
            let path = try directory.write("letter.txt", text)
            #expect(try ImageProbe.format(of: HostFile.open(path)) == .raw)
        }
    }

    @Test(arguments: [
        #"RW 128 FLAT "flat.img" 0 "3f2504e0-4f89-11d3-9a0c-0305e82c3301""#,
        #"RW 128 FLAT "flat.img" 0 "3f2504e0-4f89-11d3-9a0c-0305e82c3301" "t10.ATA_____x""#,
        #"RW 128 FLAT "flat.img" "3f2504e0-4f89-11d3-9a0c-0305e82c3301""#,
        #"RW 128 FLAT "flat.img""#,
    ])
    func columnsBehindTheNameAreNoPartOfIt(_ line: String) throws {
        let directory = try TemporaryDirectory()
        let path = try Self.write(
            "# Disk DescriptorFile\nCID=12345678\ncreateType=\"monolithicFlat\"\n\(line)\n", in: directory)
        #expect(try ImageProbe.open(path).disk.bytes(at: 0, count: 16) == patternedBytes(16, seed: 3))
    }

    @Test(arguments: [#"a" b.img"#, #"it"s.img"#, #"""#, #"a "b" c.img"#])
    func aNameMayHoldMarks(_ name: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(name, patternedBytes(128 << 9, seed: 4))
        let path = try directory.write(
            "disk.vmdk",
            "# Disk DescriptorFile\nCID=12345678\ncreateType=\"monolithicFlat\"\nRW 128 FLAT \"\(name)\" 0\n")
        #expect(try ImageProbe.open(path).disk.bytes(at: 0, count: 16) == patternedBytes(16, seed: 4))
    }

    @Test func aPieceIsNoPlainDiskUnlessItIsSaid() throws {
        let directory = try TemporaryDirectory()
        for name in ["web-f001.vmdk", "WEB-F012.VMDK", "web-s003.vmdk", "web-f.vmdk", "web.vmdk"] {
            let path = try directory.write(name, patternedBytes(4096, seed: 5))
            #expect(throws: StorageError.self) { try ImageProbe.open(path) }
            #expect(try ImageProbe.open(path, format: .raw).disk.byteCount == 4096)
        }
        // A whole one beside its descriptor.
        for name in ["web-flat.vmdk", "web-rdmp.vmdk", "web-f001.img"] {
            let path = try directory.write(name, patternedBytes(4096, seed: 5))
            #expect(try ImageProbe.open(path).info.format == .raw)
        }
    }
}
