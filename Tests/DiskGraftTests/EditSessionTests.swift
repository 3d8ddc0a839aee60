import DiskGraft
import TestSupport
import Testing

/// A change that is begun and ended by hand.
@Suite struct EditSessionTests {
    private static let registry = FileSystemRegistry([SmallDriver.self])

    private static func disk() throws -> SmallDisk {
        try SmallDisk(["etc/fstab": Array("LABEL=root / smallfs defaults 1 1\n".utf8), "etc/hosts": [1]])
    }

    private static func hosts(_ disk: SmallDisk) throws -> [UInt8] {
        let files = try Guest.open([disk.path], registry: registry).files()
        var bytes: [UInt8] = []
        try files.forEachPiece(of: files.find("/etc/hosts")) { bytes += $0.array(0..<$0.byteCount) }
        return bytes
    }

    @Test func whatIsCommittedStays() throws {
        let disk = try Self.disk()
        do {
            let guest = try Guest.open([disk.path], forWriting: true, registry: Self.registry)
            let edit = try guest.beginEdit()
            try edit.put(FileContents([2, 3]), at: "/etc/hosts")
            #expect(try edit.attributes(of: "/etc/hosts")?.size == 2)
            try edit.commit()
            let error = try #require(throws: StorageError.self) { try edit.commit() }
            #expect(error.kind == .misuse && error.code == "edit-has-ended")
        }
        #expect(try Self.hosts(disk) == [2, 3])
    }

    @Test(arguments: [true, false])
    func whatIsNotCommittedIsTakenBack(_ byHand: Bool) throws {
        let disk = try Self.disk()
        let before = try fileBytes(disk.path)
        do {
            let guest = try Guest.open([disk.path], forWriting: true, registry: Self.registry)
            let edit = try guest.beginEdit()
            try edit.put(FileContents([2, 3]), at: "/etc/hosts")
            if byHand { edit.cancel() }
        }
        #expect(try fileBytes(disk.path) == before)
        #expect(try Self.hosts(disk) == [1])
    }
}
