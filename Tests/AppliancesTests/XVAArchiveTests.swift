import Appliances
import Storage
import TestSupport
import Testing

struct XVAArchiveTests {
    private static func member(_ name: String, _ value: String) -> String {
        "<member><name>\(name)</name><value>\(value)</value></member>"
    }

    private static func object(_ kind: String, _ id: String, _ members: [(String, String)]) -> String {
        let snapshot = "<struct>" + members.map { member($0.0, $0.1) }.joined() + "</struct>"
        return
            "<value><struct>\(member("class", kind))\(member("id", id))\(member("snapshot", snapshot))</struct></value>"
    }

    /// An export of one machine with the disk Ref:1 of `size` bytes, and whatever `add` puts behind the description.
    static func archive(size: UInt64, _ add: (inout ArchiveMaker) throws -> Void) rethrows -> ArchiveMaker {
        var maker = ArchiveMaker()
        let objects = [
            object("VM", "Ref:0", [("name_label", "web"), ("HVM_boot_policy", "BIOS order")]),
            object(
                "VBD", "Ref:5", [("VM", "Ref:0"), ("VDI", "Ref:1"), ("userdevice", "0"), ("type", "Disk")]),
            object("VDI", "Ref:1", [("virtual_size", "\(size)")]),
        ]
        let text =
            "<value><struct>\(member("objects", "<array><data>\(objects.joined())</data></array>"))</struct></value>"
        maker.add("ova.xml", Array(text.utf8))
        try add(&maker)
        maker.end()
        return maker
    }

    static func piece(_ maker: inout ArchiveMaker, _ number: Int, _ bytes: [UInt8], disk: String = "Ref:1")
        throws
    {
        let digits = String(number)
        let name = "\(disk)/" + String(repeating: "0", count: 8 - digits.count) + digits
        maker.add(name, bytes)
        maker.add(name + ".checksum", Array(try Digest.of(MemoryFile(bytes), .sha1).utf8))
    }

    private static func open(_ maker: ArchiveMaker) throws(StorageError) -> Appliance {
        let file = maker.file("/web.xva")
        return try Appliance.open(file, try Appliance.kind(of: file) ?? .ova)
    }

    /// Gaps count by the first piece's length, also before and after pieces of none; references that begin alike are others.
    @Test func gaps() throws {
        let maker = try Self.archive(size: 4096 * 5 + 100) { maker in
            try Self.piece(&maker, 0, [UInt8](repeating: 1, count: 4096))
            try Self.piece(&maker, 2, [UInt8](repeating: 2, count: 4096))
            try Self.piece(&maker, 3, [])
            try Self.piece(&maker, 4, [UInt8](repeating: 3, count: 4096))
            try Self.piece(&maker, 0, [UInt8](repeating: 9, count: 4096), disk: "Ref:10")
            try Self.piece(&maker, 6, [UInt8](repeating: 4, count: 100))
        }
        let disk = try #require(try Self.open(maker).disks.first)
        var expected: [UInt8] = []
        for byte in [1, 0, 2, 3, 0] as [UInt8] { expected += [UInt8](repeating: byte, count: 4096) }
        expected += [UInt8](repeating: 4, count: 100)
        #expect(try disk.file.bytes(at: 0, count: expected.count) == expected)
        #expect(try disk.file.nextDataOrHole(at: 5000) == (false, 8192))
        #expect(try disk.file.nextDataOrHole(at: 8192) == (true, 12288))
        #expect(disk.file.byteCount == UInt64(expected.count))
        try ByteFileSuite.reads(disk.file, expected)
        try ByteFileSuite.refusesChanges(disk.file)
        #expect(throws: StorageError.self) { try disk.file.bytes(at: UInt64(expected.count), count: 1) }
        #expect(throws: StorageError.self) { try disk.file.write([1], at: 0) }
    }

    @Test func anEmptyStart() throws {
        let maker = try Self.archive(size: 8192) { maker in
            try Self.piece(&maker, 1, [UInt8](repeating: 1, count: 4096))
        }
        let disk = try #require(try Self.open(maker).disks.first)
        #expect(try disk.file.bytes(at: 0, count: 4096) == [UInt8](repeating: 0, count: 4096))
    }

    @Test func piecesThatContradict() throws {
        func failure(size: UInt64 = 8192, _ add: (inout ArchiveMaker) throws -> Void) throws -> StorageError {
            let maker = try Self.archive(size: size, add)
            return try #require(throws: StorageError.self) { try Self.open(maker) }
        }
        let one = [UInt8](repeating: 1, count: 4096)
        #expect(try failure { try Self.piece(&$0, 0, one) }.isCode(ApplianceCode.badPieces))
        #expect(
            try failure { maker in
                try Self.piece(&maker, 1, one)
                try Self.piece(&maker, 1, one)
            }.isCode(ApplianceCode.badPieces))
        #expect(
            try failure { maker in
                try Self.piece(&maker, 1, one)
                try Self.piece(&maker, 0, one)
            }.isCode(ApplianceCode.badPieces))
        // Two that differ would each vouch for another disk; so would one of either kind.
        for again in ["checksum", "xxhash"] {
            #expect(
                try failure { maker in
                    try Self.piece(&maker, 0, one)
                    maker.add("Ref:1/00000000.\(again)", Array(repeating: 48, count: 40))
                }.isCode(ApplianceCode.badPieces))
        }
        #expect(
            try failure { $0.add("Ref:1/99999999999999999", one) }.isCode(ApplianceCode.badPieces))
        #expect(
            try failure(size: 5 << 20) { $0.add("Ref:1/00000000", [UInt8](repeating: 1, count: 5 << 20)) }
                .isCode(
                    ApplianceCode.badPieces))
        #expect(
            try failure { $0.add("Ref:1/00000000", type: "2", link: "/etc/shadow") }.isCode(
                ApplianceCode.notAFile))
        #expect(
            try failure { maker in
                maker.add("Ref:1/00000001", one)
                maker.add("Ref:1/00000001.checksum", [48])
            }.isCode(ApplianceCode.badPieces))
    }

    @Test func piecesWithoutChecksums() throws {
        let maker = Self.archive(size: 4096) { $0.add("Ref:1/00000000", [UInt8](repeating: 1, count: 4096)) }
        #expect(try Self.open(maker).notes.count == 1)
    }

    /// Found where it is read, and nowhere else; passed over where that is asked for.
    @Test func aDamagedPiece() throws {
        let maker = try Self.archive(size: 8192) { maker in
            try Self.piece(&maker, 0, [UInt8](repeating: 1, count: 4096))
            try Self.piece(&maker, 1, [UInt8](repeating: 2, count: 4096))
        }
        var bytes = maker.bytes
        let place = try #require(bytes.lastIndex(of: 2))
        bytes[place] = 3
        let disk = try Appliance.open(MemoryFile(bytes, path: "/web.xva"), .xva).disks[0].file
        #expect(try disk.bytes(at: 0, count: 4096) == [UInt8](repeating: 1, count: 4096))
        let error = try #require(throws: StorageError.self) { try disk.bytes(at: 4096, count: 1) }
        #expect(error.isCode(ApplianceCode.wrongDigest) && error.remedies == [.skipVerification, .salvage])
        let unverified = try Appliance.open(MemoryFile(bytes, path: "/web.xva"), .xva, verifies: false).disks[
            0]
        #expect(try unverified.file.bytes(at: 8191, count: 1) == [3])
    }
}
