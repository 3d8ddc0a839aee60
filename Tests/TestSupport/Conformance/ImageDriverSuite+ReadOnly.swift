import Foundation
internal import HostIO
internal import ImageFormats
internal import Storage
import Testing

/// What a format that is read alone owes: the suite's claims for images that nobody here can make. QEMU makes them.
extension ImageDriverSuite {
    /// An image that QEMU made of a disk with data and holes, and what the disk holds.
    private static func madeByJudge(
        _ kind: ImageDriverCase, _ directory: TemporaryDirectory, backing: String? = nil
    ) throws -> (path: String, contents: [UInt8]) {
        let judge = try #require(kind.judge)
        let path = kind.path("disk", directory)
        var contents = [UInt8](repeating: 0, count: Int(kind.size(5)))
        contents.replaceSubrange(700_001..<1_000_001, with: SeededBytes.block(300_000, seed: 1))
        contents.replaceSubrange(contents.count - 700..<contents.count, with: SeededBytes.block(700, seed: 2))
        let flat = try directory.write(backing ?? "flat.raw", contents)
        if let backing {
            try Tool.run("qemu-img", ["create", "-q", "-f", judge, "-b", backing, "-F", "raw", path])
        } else {
            try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", judge, flat, path])
        }
        return (path, contents)
    }

    /// It is recognised and reads as the disk that it was made of, its check finds nothing, and nothing changes a byte of it: opened for
    /// writing it says that it is not written, and refuses.
    package static func aFormatThatIsReadAlone(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        let (path, contents) = try madeByJudge(kind, directory)
        let before = try fileBytes(path)
        #expect(
            try ImageProbe.open(path, format: nil, options: .init(locking: .ignore)).info.format
                == kind.driver.format)
        for access in [FileAccess.read, .write] {
            let disk = try kind.open(path, access).disk
            try BlockDeviceSuite.reads(disk, contents)
            #expect(!disk.isWritable && disk.writeRefusal != nil)
            let error = #expect(throws: StorageError.self) { try disk.write([1], at: 0) }
            #expect(error?.code == "read-only")
            try disk.flush()
            let growth = #expect(throws: StorageError.self) {
                try kind.driver.grow(kind.open(path, access), to: kind.size(6))
            }
            #expect(growth?.code == "read-only-format")
        }
        #expect(try kind.findings(path) == [])
        #expect(
            try ImageProbe.describe(path, format: kind.driver.format, locking: .ignore).virtualSize
                == kind.size(5))
        #expect(isSame(try fileBytes(path), before))
    }

    /// None is made, with options or without.
    package static func aFormatThatIsReadAloneIsNotMade(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        let path = kind.path("disk", directory)
        let isMade = kind.driver.canCreate
        #expect(!isMade)
        for options in [kind.options, [("colour", "blue")]] {
            let error = #expect(throws: StorageError.self) {
                try kind.create(path, byteCount: 1 << 20, options: options)
            }
            #expect(error?.code == "read-only-format")
        }
        #expect(!HostDirectory.exists(path))
    }

    /// `damageIsTold` for an image that QEMU made.
    package static func damageOfAFormatThatIsReadAloneIsTold(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        try damageIsTold(kind, of: fileBytes(madeByJudge(kind, directory).path), directory)
    }

    /// The file behind an overlay is told, and opened only where the policy says so.
    package static func nothingIsOpenedUnaskedByAFormatThatIsReadAlone(_ kind: ImageDriverCase) throws {
        let directory = try TemporaryDirectory()
        let (path, contents) = try madeByJudge(kind, directory, backing: "base.img")
        let refusal = #expect(throws: StorageError.self) { try kind.open(path, .read, .refuse) }
        #expect(refusal?.code == "reference-refused")
        let info = try ImageProbe.describe(path, format: kind.driver.format, locking: .ignore)
        #expect(info.references.map(\.name) == ["base.img"])
        try BlockDeviceSuite.reads(try kind.open(path).disk, contents)
        let away = directory.path("away.img")
        try FileManager.default.moveItem(atPath: directory.path("base.img"), toPath: away)
        #expect(throws: StorageError.self) { try kind.open(path) }
        // A link in its place leads anywhere.
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("base.img"), withDestinationPath: away)
        let link = #expect(throws: StorageError.self) { try kind.open(path) }
        #expect(link?.code == "not-a-regular-file")
    }
}
