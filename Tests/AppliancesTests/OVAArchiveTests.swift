import Appliances
import Storage
import TestSupport
import Testing

struct OVAArchiveTests {
    static let disk = [UInt8](repeating: 0x5a, count: 3000)

    static func envelope(_ href: String, compression: String = "") -> [UInt8] {
        Array(
            """
            <Envelope xmlns:ovf="o" xmlns:rasd="r"><References><File ovf:href="\(href)" ovf:id="f1"\(compression)/></References>
            <DiskSection><Disk ovf:capacity="4096" ovf:diskId="d1" ovf:fileRef="f1"/></DiskSection>
            <VirtualSystem ovf:id="web"><VirtualHardwareSection><Item><rasd:InstanceID>5</rasd:InstanceID><rasd:ResourceType>17</rasd:ResourceType><rasd:HostResource>ovf:/disk/d1</rasd:HostResource></Item></VirtualHardwareSection></VirtualSystem></Envelope>
            """.utf8)
    }

    static func digest(_ bytes: [UInt8], _ algorithm: Digest.Algorithm = .sha256) throws -> String {
        try Digest.of(MemoryFile(bytes), algorithm)
    }

    static func open(_ maker: ArchiveMaker, verifies: Bool = true) throws -> Appliance {
        try Appliance.open(maker.file(), .ova, verifies: verifies)
    }

    private static func archive(
        href: String = "disk.vmdk", member: String = "disk.vmdk",
        manifest: ((String, String) -> String)? = nil
    ) throws -> ArchiveMaker {
        var maker = ArchiveMaker()
        let text = envelope(href)
        maker.add("web.ovf", text)
        if let manifest { maker.add("web.mf", Array(manifest(try digest(text), try digest(disk)).utf8)) }
        maker.add(member, disk)
        maker.end()
        return maker
    }

    @Test(arguments: [
        "SHA256(web.ovf)= A\nSHA256(disk.vmdk)= B\n", "SHA256 (disk.vmdk) = B\r\nSHA256(web.ovf)=A\r\n",
        "\u{feff}SHA256(web.ovf)= A\nSHA256(disk.vmdk)= B\nSHA256(web.mf)= A\n",
        "SHA2-256(web.ovf)= A\n\nSHA256(disk.vmdk)= B", "sha256(web.ovf)= A\nSHA-256(disk.vmdk)= B\n",
    ])
    func spellingsOfManifests(_ text: String) throws {
        let maker = try Self.archive { own, disk in
            text.replacing("= A", with: "= \(own)").replacing("=A", with: "=\(own)").replacing(
                "= B", with: "= \(disk)")
        }
        let appliance = try Self.open(maker)
        #expect(appliance.disks.map(\.name) == ["disk.vmdk"] && appliance.notes.isEmpty)
        #expect(try appliance.disks[0].file.bytes(at: 0, count: 3000) == Self.disk)
    }

    @Test func whatAManifestContradicts() throws {
        func archive(_ text: String) throws -> ArchiveMaker {
            try Self.archive { text.replacing("= A", with: "= \($0)").replacing("= B", with: "= \($1)") }
        }
        func failure(_ text: String) throws -> StorageError {
            let maker = try archive(text)
            return try #require(throws: StorageError.self) { try Self.open(maker) }
        }
        let wrong = "SHA256(disk.vmdk)= " + String(repeating: "0", count: 64)
        let error = try failure(wrong)
        #expect(error.isCode(ApplianceCode.wrongDigest) && error.kind == .corrupt)
        #expect(error.remedies.contains(.skipVerification))
        #expect(try Self.open(try archive(wrong), verifies: false).disks.count == 1)
        #expect(try failure("SHA256(other.vmdk)= B").isCode(ApplianceCode.missingMember))
        #expect(try failure("SHA256(../disk.vmdk)= B").isCode(ApplianceCode.missingMember))
        #expect(try failure("SHA256(disk.vmdk)= B\nSHA256(disk.vmdk)= A").isCode(ApplianceCode.badManifest))
        #expect(try failure("MD5(disk.vmdk)= B").kind == .unsupported)
        #expect(try failure("nothing of the kind").isCode(ApplianceCode.badManifest))
        #expect(try failure("nothing of the kind").remedies == [.skipVerification])
        #expect(try Self.open(try archive("nothing of the kind"), verifies: false).disks.count == 1)
        #expect(try failure("SHA256(disk.vmdk)= 00").isCode(ApplianceCode.badManifest))
    }

    @Test func digestsAgainstTheToolsOwn() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("disk.vmdk", Self.disk)
        for (program, algorithm) in [
            ("sha1sum", Digest.Algorithm.sha1), ("sha256sum", .sha256), ("sha512sum", .sha512),
        ] {
            let text = try Tool.run(program, [path]).text
            let digest = try Self.digest(Self.disk, algorithm)
            #expect(text.hasPrefix(digest + " "))
        }
    }

    @Test(arguments: [
        "/etc/shadow", "../disk.vmdk", "a/../../disk.vmdk", "file:///etc/shadow",
        "http://127.0.0.1/disk.vmdk",
        "%2e%2e/disk.vmdk", "missing.vmdk", "", ".",
    ])
    func whatLeadsOutOfTheArchive(_ href: String) throws {
        let maker = try Self.archive(href: href)
        let error = try #require(throws: StorageError.self) { try Self.open(maker) }
        #expect(error.isCode(ApplianceCode.missingMember))
    }

    @Test func namesAreURIs() throws {
        let maker = try Self.archive(href: "my%20disk.vmdk", member: "my disk.vmdk")
        let appliance = try Self.open(maker)
        #expect(appliance.disks.map(\.name) == ["my disk.vmdk"])
        // A disk is a file like any other.
        try ByteFileSuite.reads(appliance.disks[0].file, Self.disk)
    }

    @Test func descriptions() throws {
        var none = ArchiveMaker()
        none.add("disk.vmdk", Self.disk)
        var error = try #require(throws: StorageError.self) { try Self.open(none) }
        #expect(error.isCode(ApplianceCode.description))
        var two = ArchiveMaker()
        two.add("a.ovf", Self.envelope("disk.vmdk"))
        two.add("b.ovf", Self.envelope("disk.vmdk"))
        error = try #require(throws: StorageError.self) { try Self.open(two) }
        #expect(error.isCode(ApplianceCode.description) && error.message.contains("a.ovf, b.ovf"))
        // macOS adds files of its own, and some pack a folder.
        var folder = ArchiveMaker()
        folder.add("._web.ovf", [1])
        folder.add("web/", type: "5")
        folder.add("web/._web.ovf", [1])
        folder.add("web/web.ovf", Self.envelope("disk.vmdk"))
        folder.add("web/disk.vmdk", Self.disk)
        #expect(try Self.open(folder).disks.map(\.name) == ["web/disk.vmdk"])
        #expect(try Appliance.kind(of: folder.file()) == .ova)
        #expect(try Appliance.kind(of: none.file("/other.tar")) == nil)
    }

    @Test func otherCompressionsAreRefused() throws {
        var maker = ArchiveMaker()
        maker.add("web.ovf", Self.envelope("disk.vmdk", compression: " ovf:compression=\"bzip2\""))
        maker.add("disk.vmdk", Self.disk)
        let error = try #require(throws: StorageError.self) { try Self.open(maker) }
        #expect(error.isCode(ApplianceCode.compression) && error.kind == .unsupported)
    }
}
