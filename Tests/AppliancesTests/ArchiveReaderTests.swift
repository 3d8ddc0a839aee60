import Appliances
import Storage
import TestSupport
import Testing

struct ArchiveReaderTests {
    private static func entries(_ maker: ArchiveMaker) throws(StorageError) -> [ArchiveEntry] {
        var reader = ArchiveReader(maker.file())
        var entries: [ArchiveEntry] = []
        while let entry = try reader.next() { entries.append(entry) }
        return entries
    }

    private static func failure(_ body: (inout ArchiveMaker) -> Void) throws -> StorageError {
        var maker = ArchiveMaker()
        body(&maker)
        return try #require(throws: StorageError.self) { try ArchiveIndex(maker.file()) }
    }

    @Test func membersWhereTheyLie() throws {
        var maker = ArchiveMaker()
        maker.add("./web.ovf", [1, 2, 3])
        maker.add("folder/", type: "5")
        maker.add("folder/a.vmdk", [UInt8](repeating: 7, count: 513), isBase256: true)
        maker.add("link", type: "2", link: "/etc/shadow")
        maker.end()
        let entries = try Self.entries(maker)
        #expect(
            entries.map { String(decoding: $0.name, as: UTF8.self) } == [
                "web.ovf", "folder/", "folder/a.vmdk", "link",
            ])
        #expect(entries.map(\.kind) == [.file, .directory, .file, .other])
        #expect(entries[0].range == 512..<515 && entries[2].range == 2048..<2561)
    }

    @Test(arguments: ["gnu", "pax", "ustar"])
    func tarsOwnArchives(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let long = String(repeating: "d", count: 90) + "/" + String(repeating: "e", count: 90) + ".vmdk"
        try directory.write("in/web.ovf", "x")
        try directory.write("in/\(long)", [UInt8](repeating: 5, count: 3000))
        try Tool.run(
            "tar",
            [
                "--format=\(format)", "-cf", directory.path("a.tar"), "-C", directory.path("in"), "web.ovf",
                long,
            ])
        let file = MemoryFile(try fileBytes(directory.path("a.tar")))
        let index = try ArchiveIndex(file)
        let entry = try #require(index.entry(Array(long.utf8)))
        let member = try index.open(entry)
        #expect(
            try member.bytes(at: 0, count: 3000) == [UInt8](repeating: 5, count: 3000)
                && member.byteCount == 3000)
    }

    @Test func sizesThatAreLies() throws {
        let long = try Self.failure { $0.add("a", [1], size: 1 << 20) }
        #expect(long.isCode(ApplianceCode.memberTooLong) && long.kind == .corrupt)
        let huge = try Self.failure { $0.add("a", [1], size: UInt64(Int64.max), isBase256: true) }
        #expect(huge.isCode(ApplianceCode.memberTooLong))
        let past = try Self.failure { maker in
            maker.addRecords([("size", "9223372036854775807")])
            maker.add("a", [1])
        }
        #expect(past.isCode(ApplianceCode.memberTooLong))
        let none = try Self.failure { maker in
            maker.addRecords([("size", "-5")])
            maker.add("a", [1])
        }
        #expect(none.isCode(ApplianceCode.damagedHeader))
    }

    /// A member that says it is shorter than it is would have the next header within its bytes.
    @Test func overlappingMembers() throws {
        let error = try Self.failure { $0.add("a", [UInt8](repeating: 9, count: 2048), size: 512) }
        #expect(error.isCode(ApplianceCode.damagedHeader))
    }

    @Test(arguments: ["../web.vmdk", "/etc/shadow", "a/../../b"])
    func namesThatLeadOut(_ name: String) throws {
        #expect(try Self.failure { $0.add(name, [1]) }.isCode(ApplianceCode.nameLeadsOut))
    }

    @Test func oneNameTwice() throws {
        let error = try Self.failure { maker in
            maker.add("a.vmdk", [1])
            maker.add("./a.vmdk", [2])
        }
        #expect(error.isCode(ApplianceCode.sameNameTwice))
    }

    @Test func damagedHeaders() throws {
        var maker = ArchiveMaker()
        maker.add("a", [1])
        var bytes = maker.bytes
        bytes[0] ^= 1
        #expect(throws: StorageError.self) { try ArchiveIndex(MemoryFile(bytes)) }
        let holes = try Self.failure { $0.add("a", type: "S") }
        #expect(holes.isCode(ApplianceCode.memberKind) && holes.kind == .unsupported)
        let records = try Self.failure { $0.add("PaxHeader", Array("999 path=x\n".utf8), type: "x") }
        #expect(records.isCode(ApplianceCode.damagedHeader))
        let many = try Self.failure { maker in for index in 0..<17000 { maker.add("f\(index)") } }
        #expect(many.isCode(ApplianceCode.tooManyMembers))
    }

    @Test func linksAndDevicesAreNoDisks() throws {
        for type in "1234567" where type != "5" && type != "7" {
            var maker = ArchiveMaker()
            maker.add("disk.vmdk", type: type, link: "/etc/shadow")
            let index = try ArchiveIndex(maker.file())
            let entry = try #require(index.entry(Array("disk.vmdk".utf8)))
            let error = try #require(throws: StorageError.self) { try index.open(entry) }
            #expect(error.isCode(ApplianceCode.notAFile))
        }
    }
}
