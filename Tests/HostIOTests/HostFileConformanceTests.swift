import HostIO
import Storage
import TestSupport
import Testing

struct HostFileConformanceTests {
    @Test func aFileOfTheHostIsAFile() throws {
        let directory = try TemporaryDirectory()
        var contents = SeededBytes.block(50_000, seed: 3) + [UInt8](repeating: 0, count: 70_000)
        let path = try directory.write("f", contents)
        do {
            let file = try HostFile.open(path, access: .write)
            try ByteFileSuite.reads(file, contents)
            try ByteFileSuite.writes(file, &contents)
            #expect(file.allocatedByteCount != nil && file.modificationTime != nil)
            #expect(file.incarnation?.inode == file.identity?.inode)
        }
        #expect(isSame(try fileBytes(path), contents))
        let file = try HostFile.open(path)
        try ByteFileSuite.reads(file, contents)
        try ByteFileSuite.refusesChanges(file)
        #expect(file.isSame(as: try HostFile.open(path)))
        var none: [UInt8] = []
        try ByteFileSuite.writes(try HostFile.create(directory.path("new")), &none)
    }

    /// The store of the host's files agrees with the calls below it.
    @Test func aStoreFindsFilesByName() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("f", [1, 2, 3])
        let files = HostFiles()
        let file = try files.open(path, access: .read)
        #expect(files.identity(of: path) == file.identity && file.identity != nil)
        #expect(files.exists(path) && files.isRegularFile(path) && !files.isRegularFile(directory.root))
        let locked = #expect(throws: StorageError.self) { try files.open(path, access: .write) }
        #expect(locked?.isCode(HostFileCode.locked) == true)
        #expect(try HostFiles(locking: .ignore).open(path, access: .write).access == .write)
        #expect(try files.openSibling(of: path, name: "f", access: .read).byteCount == 3)
        try files.create(directory.path("g")).write([9], at: 0)
        #expect(files.names(in: directory.root) == ["f", "g"])
        try files.remove(directory.path("g"))
        try files.remove(directory.path("g"))
        #expect(!files.exists(directory.path("g")))
    }
}
