import Machines
import Storage
import Testing

/// Texts that are made to hurt whoever reads them.
struct XMLSafetyTests {
    private static func failure(_ text: String) throws -> StorageError {
        try failure(Array(text.utf8))
    }

    private static func failure(_ bytes: [UInt8]) throws -> StorageError {
        try #require(throws: StorageError.self) { try LibvirtDescription.read(bytes) }
    }

    @Test func entitiesThatMultiply() throws {
        var text = "<?xml version=\"1.0\"?><!DOCTYPE domain [<!ENTITY a \"aaaaaaaaaaaaaaaa\">"
        for (name, other) in zip("bcdefgh", "abcdefg") {
            text += "<!ENTITY \(name) \"" + String(repeating: "&\(other);", count: 10) + "\">"
        }
        let error = try Self.failure(text + "]><domain><name>&h;</name></domain>")
        #expect(error.isCode(MachineCode.documentType) && error.kind == .refused)
    }

    @Test func entitiesOutsideAreNotFetched() throws {
        let error = try Self.failure(
            "<!DOCTYPE domain [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><domain><name>&x;</name></domain>")
        #expect(error.isCode(MachineCode.documentType))
        let other = try Self.failure("<!DOCTYPE domain SYSTEM \"http://127.0.0.1/x.dtd\"><domain/>")
        #expect(other.isCode(MachineCode.documentType))
    }

    @Test func deepAndManyElements() throws {
        let deep = String(repeating: "<a>", count: 5000) + String(repeating: "</a>", count: 5000)
        #expect(try Self.failure("<domain>\(deep)</domain>").isCode(MachineCode.tooLarge))
        let many = String(repeating: "<a/>", count: 500_000)
        #expect(try Self.failure("<domain>\(many)</domain>").isCode(MachineCode.tooLarge))
        let long = [UInt8](repeating: 32, count: (16 << 20) + 1)
        #expect(try Self.failure(long).isCode(MachineCode.tooLarge))
    }

    @Test(arguments: [
        "", "<domain>", "<domain><a></b></domain>", "<domain/><domain/>", "<domain>&lol;</domain>",
        "<a b=c/>",
    ])
    func whatIsNotWellFormed(_ text: String) throws {
        #expect(try Self.failure(text).isCode(MachineCode.damagedXML))
    }

    @Test func encodings() throws {
        let text = "<?xml version=\"1.0\" encoding=\"ENC\"?><domain><name>Zürich</name></domain>"
        let latin = text.replacing("ENC", with: "ISO-8859-1").unicodeScalars.map { UInt8($0.value) }
        #expect(try LibvirtDescription.read(latin).name == "Zürich")
        var wide: [UInt8] = [0xff, 0xfe]
        for unit in text.replacing("ENC", with: "UTF-16").utf16 {
            wide += [UInt8(unit & 0xff), UInt8(unit >> 8)]
        }
        #expect(try LibvirtDescription.read(wide).name == "Zürich")
        #expect(DescriptionLanguage.recognise(wide) == .libvirt)
        let error = try Self.failure(text.replacing("ENC", with: "Shift_JIS"))
        #expect(error.isCode(MachineCode.encoding) && error.kind == .unsupported)
    }
}
