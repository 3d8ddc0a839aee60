import HostIO
import Storage
import TestSupport
import Testing

/// Files that are no file of the host.
struct ByteFileTests {
    private static let contents = SeededBytes.block(50_000, seed: 3) + [UInt8](repeating: 0, count: 70_000)

    @Test func bytesInMemoryAreAFile() throws {
        var contents = Self.contents
        let file = MemoryFile(contents)
        try ByteFileSuite.reads(file, contents)
        try ByteFileSuite.writes(file, &contents)
        #expect(isSame(file.bytes, contents))
        #expect(!file.isSame(as: MemoryFile(contents)))
        var none: [UInt8] = []
        try ByteFileSuite.reads(MemoryFile(), none)
        try ByteFileSuite.writes(MemoryFile(), &none)
    }

    @Test func memoryHasALimit() throws {
        let file = MemoryFile([1, 2, 3], byteLimit: 100)
        try file.write([4], at: 99)
        for change in [{ try file.write([5], at: 100) }, { try file.truncate(to: 101) }] {
            let error = #expect(throws: StorageError.self) { try change() }
            #expect(error?.kind == .refused && error?.code == "memory-bound")
        }
        #expect(file.byteCount == 100)
    }

    /// A member of an archive: what is around it does not change.
    @Test(arguments: [true, false])
    func aPartOfAFileIsAFile(_ isInMemory: Bool) throws {
        let directory = try TemporaryDirectory()
        var contents = Self.contents
        let whole = SeededBytes.block(1000, seed: 1) + contents + SeededBytes.block(2000, seed: 2)
        let path = try directory.write("archive", whole)
        let base: any ByteFile =
            isInMemory ? MemoryFile(whole) : try HostFile.open(path, access: .write)
        let file = try ByteRangeFile(base, range: 1000..<UInt64(1000 + contents.count), path: "archive:disk")
        try ByteFileSuite.reads(file, contents)
        try ByteFileSuite.writes(file, &contents)
        let after = try base.bytes(at: 0, count: whole.count)
        #expect(isSame(after, Array(whole[..<1000]) + contents + Array(whole[(whole.count - 2000)...])))
        let origin = file.cloneOrigin(at: 7)
        #expect(isInMemory ? origin == nil : origin?.offset == 1007 && origin?.file === base)
    }

    @Test func aPartOfAFileEndsWithinIt() throws {
        let base = MemoryFile([1, 2, 3])
        let error = #expect(throws: StorageError.self) {
            try ByteRangeFile(base, range: 1..<4, path: "disk")
        }
        #expect(error?.isCode(ByteFileCode.shortFile) == true)
        let directory = try TemporaryDirectory()
        let file = try HostFile.open(try directory.write("f", [1, 2, 3, 4]))
        try ByteFileSuite.refusesChanges(try ByteRangeFile(file, range: 1..<3, path: "disk"))
    }

    /// What is left of a file reads as it did; behind its end nothing does, and it is said to be data.
    @Test func aFileThatLostItsEnd() throws {
        let base = MemoryFile(Self.contents)
        try ByteFileSuite.reads(CutOffFile(base, missing: 0), Self.contents)
        let file = CutOffFile(base, missing: 5000)
        #expect(file.byteCount == base.byteCount + 5000 && file.access == .read && file.hasFixedLength)
        #expect(isSame(try file.bytes(at: 0, count: Self.contents.count), Self.contents))
        let run = try file.nextDataOrHole(at: base.byteCount)
        #expect(run.isData && run.end == file.byteCount)
        let error = #expect(throws: StorageError.self) { try file.bytes(at: base.byteCount - 1, count: 2) }
        #expect(error?.isCode(ByteFileCode.shortFile) == true)
        try ByteFileSuite.refusesChanges(CutOffFile(base, missing: 0))
    }

    @Test func oneCallOfAFaultyFileFails() throws {
        var contents = Self.contents
        try ByteFileSuite.writes(FaultyFile(MemoryFile(contents)), &contents)
        let file = FaultyFile(MemoryFile([1, 2, 3]), failingAt: 1)
        try file.write([7], at: 0)
        let error = #expect(throws: StorageError.self) { try file.write([8], at: 1) }
        #expect(error?.isCode(FaultyFile.Code.fault) == true && !file.isArmed)
        try ByteFileSuite.reads(file, [7, 2, 3])
    }

    @Test func withoutOtherFilesNoneIsOpened() {
        let files = NoOtherFiles()
        for attempt in [
            { _ = try files.open("f", access: .read) }, { _ = try files.create("f") },
            { _ = try files.openSibling(of: "f", name: "g", access: .read) }, { try files.remove("f") },
        ] {
            let error = #expect(throws: StorageError.self) { try attempt() }
            #expect(error?.isCode(NoOtherFiles.Code.notHere) == true)
        }
        #expect(!files.exists("/") && files.identity(of: "/") == nil && files.names(in: "/") == [])
    }
}
