import Storage
import TestSupport
import Testing

@testable import ImageFormats

/// Formats know no file of the host: an image in memory, and one that is a member of an archive, are as good.
struct ImagesInOtherFilesTests {
    static let kinds = ImageDriverCase.all.filter(\.isOneFile)

    private static func open(
        _ file: any ByteFile, _ kind: ImageDriverCase, _ access: FileAccess
    ) throws -> Image {
        try ImageProbe.open(
            file, format: kind.driver.format, options: ImageOpenOptions(files: NoOtherFiles(), access: access)
        ).disk
    }

    private static func damage(_ file: any ByteFile, _ kind: ImageDriverCase) throws -> [Finding] {
        var found: [Finding] = []
        try ImageProbe.check(file, format: kind.driver.format) {
            if $0.severity == .damage { found.append($0) }
        }
        return found
    }

    /// An image's file and what it shows.
    private static func example(_ kind: ImageDriverCase) throws -> (file: [UInt8], contents: [UInt8]) {
        let directory = try TemporaryDirectory()
        let path = kind.path("disk", directory)
        let size = kind.size(4)
        do {
            let disk = try kind.create(path, byteCount: size).disk
            try disk.write(SeededBytes.block(500_000, seed: 1), at: 700_000)
            try disk.flush()
        }
        return (try fileBytes(path), try kind.open(path).disk.bytes(at: 0, count: Int(size)))
    }

    @Test(arguments: kinds)
    func anImageInMemoryIsReadAndWritten(_ kind: ImageDriverCase) throws {
        var (bytes, contents) = try Self.example(kind)
        let file = MemoryFile(bytes)
        let disk = try Self.open(file, kind, .write)
        try BlockDeviceSuite.reads(disk, contents)
        try BlockDeviceSuite.writes(disk, &contents, count: 6)
        #expect(try Self.damage(file, kind) == [])
        bytes = file.bytes
        try BlockDeviceSuite.reads(try Self.open(MemoryFile(bytes), kind, .read), contents)
    }

    @Test(arguments: kinds)
    func aMemberOfAnArchiveIsRead(_ kind: ImageDriverCase) throws {
        let (bytes, contents) = try Self.example(kind)
        let around = SeededBytes.block(1536, seed: 9)
        let archive = MemoryFile(around + bytes + around)
        let member = try ByteRangeFile(
            archive, range: 1536..<UInt64(1536 + bytes.count), path: "appliance.ova:disk")
        try BlockDeviceSuite.reads(try Self.open(member, kind, .read), contents)
        #expect(try Self.damage(member, kind) == [])
        if kind.isRecognised { #expect(try ImageProbe.format(of: member) == kind.driver.format) }
    }

    /// Whichever call on the file fails, the error arrives, and what is there is sound and old or new.
    @Test(arguments: kinds)
    func aFaultLeavesASoundImage(_ kind: ImageDriverCase) throws {
        let (bytes, old) = try Self.example(kind)
        var new = old
        let writes: [(offset: Int, bytes: [UInt8])] = [
            (1_100_000, SeededBytes.block(70_000, seed: 2)), (2_500_000, SeededBytes.block(9000, seed: 3)),
        ]
        for write in writes {
            new.replaceSubrange(write.offset..<write.offset + write.bytes.count, with: write.bytes)
        }
        for call in [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22] {
            let below = MemoryFile(bytes)
            let faulty = FaultyFile(below, failingAt: call)
            var failure: StorageError?
            do throws(StorageError) {
                let disk = try openTyped(faulty, kind)
                for write in writes { try disk.write(write.bytes, at: UInt64(write.offset)) }
                try disk.flush()
            } catch {
                failure = error
            }
            #expect(failure == nil ? faulty.isArmed : failure?.isCode(FaultyFile.Code.fault) == true)
            #expect(try Self.damage(below, kind) == [], "call \(call)")
            let shown = try Self.open(below, kind, .read).bytes(at: 0, count: old.count)
            let isOldOrNew = everySectorIsOldOrNew(shown, old: old, new: new)
            #expect(isOldOrNew, "call \(call)")
            if failure == nil {
                let isNew = isSame(shown, new)
                #expect(isNew)
                break
            }
        }
    }

    private func openTyped(_ file: any ByteFile, _ kind: ImageDriverCase) throws(StorageError) -> Image {
        try ImageProbe.open(
            file, format: kind.driver.format,
            options: ImageOpenOptions(files: NoOtherFiles(), access: .write)
        ).disk
    }
}
