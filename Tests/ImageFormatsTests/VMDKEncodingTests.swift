import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Names in a descriptor are in its encoding; files may have been copied by name or by bytes.
struct VMDKEncodingTests {
    static let names: [(encoding: String, name: String, bytes: [UInt8])] = [
        ("GBK", "磁盘", [0xb4, 0xc5, 0xc5, 0xcc]), ("Shift_JIS", "表示", [0x95, 0x5c, 0x8e, 0xa6]),
        ("Big5", "功碟", [0xa5, 0x5c, 0xba, 0xd0]), ("windows-1252", "d–é", [0x64, 0x96, 0xe9]),
        ("windows-1251", "диск", [0xe4, 0xe8, 0xf1, 0xea]),
        ("windows-949", "디스크", [0xb5, 0xf0, 0xbd, 0xba, 0xc5, 0xa9]),
        ("ISO-8859-1", "é", [0xe9]), ("EUC-JP", "日", [0xc6, 0xfc]), ("UTF-8", "é", [0xc3, 0xa9]),
    ]

    private func disk(
        _ encoding: String, _ stored: [UInt8], at key: String = "encoding"
    ) -> [UInt8] {
        let text = VMDKFixtures.descriptor(
            "monolithicFlat", "RW 2 FLAT \"@-flat.vmdk\" 0", more: "\(key)=\"\(encoding)\"")
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return Array(parts[0].utf8) + stored + Array(parts[1].utf8)
    }

    @Test(arguments: names.indices)
    func bothNamesLeadToTheFile(_ index: Int) throws {
        let (encoding, name, bytes) = Self.names[index]
        for key in ["encoding", "ddb.encoding"] {
            let directory = try TemporaryDirectory()
            let path = try directory.write("d.vmdk", disk(encoding, bytes, at: key))
            #expect(VMDKFixtures.openCode(path) == "open")
            try directory.write("\(name)-flat.vmdk", [UInt8](repeating: 5, count: 1024))
            for access in [FileAccess.read, .write] {
                let image = try VMDKFixtures.open(path, access)
                #expect(try image.disk.bytes(at: 0, count: 1024) == [UInt8](repeating: 5, count: 1024))
            }
            // Where the stored bytes are a file's name, that is the file: other readers know no other.
            guard encoding != "UTF-8" else { continue }
            let octal = bytes.map { "\\x" + String($0, radix: 16) }.joined()
            try Tool.run(
                "bash", ["-c", "head -c 1024 /dev/zero | tr '\\0' '\\6' > $'\(octal)-flat.vmdk'"],
                directory: directory.root)
            #expect(try VMDKFixtures.open(path).disk.bytes(at: 0, count: 4) == [6, 6, 6, 6])
        }
    }

    @Test func parentsToo() throws {
        let directory = try TemporaryDirectory()
        try directory.write("磁盘-flat.vmdk", [UInt8](repeating: 5, count: 1024))
        try directory.write("磁盘.vmdk", VMDKFixtures.descriptor("vmfs", "RW 2 VMFS \"磁盘-flat.vmdk\""))
        try directory.write("d", VMDKFixtures.vmfsSparse([UInt8](repeating: 1, count: 1024)) { $0 == 1 })
        let text = VMDKFixtures.descriptor(
            "vmfsSparse", "RW 2 VMFSSPARSE \"d\"", parent: ("00c0ffee", "@.vmdk"), more: "encoding=\"GBK\"")
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let path = try directory.write(
            "child.vmdk", Array(parts[0].utf8) + [0xb4, 0xc5, 0xc5, 0xcc] + Array(parts[1].utf8))
        let disk = try VMDKFixtures.open(path, references: VMDKFixtures.siblings).disk
        #expect(try disk.bytes(at: 510, count: 4) == [5, 5, 1, 1])
        #expect(
            ImageProbe.isChild(
                try HostFile.open(path, locking: .ignore),
                of: try HostFile.open(directory.path("磁盘.vmdk"), locking: .ignore)))
    }

    /// What decodes to a path is no name, and what is no text is not decoded.
    @Test func decodedNamesAreNamesOnly() throws {
        let directory = try TemporaryDirectory()
        for (encoding, bytes, code) in [
            ("GBK", [0xff, 0xff], "open"), ("windows-1252", [0x81], "open"), ("UTF-7", [0xe9], "open"),
            ("ISO-2022-CN-EXT", [0xe9], "open"), ("../../etc/passwd", [0xe9], "open"),
            ("GBK", Array("../".utf8) + [0xb4, 0xc5], "not-a-plain-name"),
        ] as [(String, [UInt8], String)] {
            let path = try directory.write("d.vmdk", disk(encoding, bytes))
            #expect(VMDKFixtures.openCode(path) == code, "\(encoding)")
        }
    }

    @Test func encodingsByTheirManySpellings() {
        for (name, known) in [
            ("gbk", "GBK"), ("CP936", "GBK"), ("shift_jis", "SHIFT_JIS"), ("Windows-31J", "CP932"),
            ("windows-1252", "CP1252"), ("cp1251", "CP1251"), ("ISO-8859-15", "ISO-8859-15"),
            ("ISO8859_2", "ISO-8859-2"),
            ("UTF-8", nil), ("US-ASCII", nil), ("windows-1259", nil), ("ISO-8859-17", nil),
            ("GBK//TRANSLIT", nil),
            ("", nil), ("ISO-2022-JP-3", nil),
        ] as [(String, String?)] {
            #expect(TextEncoding(named: name)?.name == known, "\(name)")
        }
        let gbk = TextEncoding(named: "GBK")
        #expect(gbk?.decode([0xb4, 0xc5]) == .text(Array("磁".utf8)))
        #expect(gbk?.decode([0xb4]) == .noText && gbk?.decode([]) == .text([]))
        #expect(gbk?.decode([UInt8](repeating: 65, count: 5000)) == .noText)
    }
}
