import Foundation
import HostIO
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// What `undo` says of images that are not the files that were changed, and of further names.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs"), "mke2fs or debugfs is missing"))
struct UndoCommandTests {
    /// Two volumes of one make, the first of them changed.
    private struct Images {
        let directory: TemporaryDirectory
        let image: String
        let other: String

        init() throws {
            directory = try TemporaryDirectory()
            image = try EditCommandTests.volume(EditCommandTests.ext4, in: directory)
            other = directory.path("other.img")
            try Tool.run("cp", [image, other])
            try Tool.run("debugfs", ["-w", "-R", "mkdir more", other])
            let file = try directory.write("file", "new\n")
            try Fixture.diskgraft("put", "--volume", "disk", image, file, "/d/file")
        }

        func content(_ path: String) throws -> String {
            try Fixture.diskgraft("cat", "--volume", "disk", path, "/d/file").text
        }
    }

    @Test func forceAloneLeavesAnotherImageAsItIs() throws {
        let images = try Images()
        let moved = images.directory.path("moved.img")
        try FileManager.default.moveItem(atPath: images.image, toPath: moved)
        try FileManager.default.moveItem(atPath: images.other, toPath: images.image)
        let bytes = try fileBytes(images.image)
        for flags in [[], ["--force"]] {
            let refusal = try Tool.run(
                Fixture.command, ["undo"] + flags + [images.image], expect: 2...2)
            #expect(refusal.errorText.contains("not the file that was changed"))
            #expect(refusal.errorText.contains("--other-file"))
        }
        #expect(try fileBytes(images.image) == bytes)
        try Fixture.diskgraft("undo", "--other-file", images.image, expect: 64...64)
        // By its new name the image that was changed finds its record.
        #expect(try images.content(moved) == "new\n")
        #expect(try Fixture.diskgraft("undo", moved).text.contains("was taken back"))
        #expect(try images.content(moved) == "old\n")
        #expect(try fileBytes(images.image) == bytes)
    }

    @Test func whatIsForcedIntoAnotherImageIsSaid() throws {
        let images = try Images()
        let moved = images.directory.path("moved.img")
        try FileManager.default.moveItem(atPath: images.image, toPath: moved)
        try FileManager.default.moveItem(atPath: images.other, toPath: images.image)
        let forced = try Fixture.diskgraft("undo", "--force", "--other-file", images.image)
        #expect(forced.text.contains("not the file that was changed"))
        #expect(try Fixture.diskgraft("undo", moved).text.contains("was taken back"))
        #expect(try images.content(moved) == "old\n")
    }

    /// The change was cut off, the image moved away, and a backup got its name: writing to that says what stays.
    @Test func aBackupInItsPlaceIsTold() throws {
        let images = try Images()
        let backup = images.directory.path("backup.img")
        try Tool.run("cp", [images.image, backup])
        try UndoRecord.setState(.hot, ofRecord: images.image + ".undo")
        let file = try HostFile.open(images.image, access: .write, locking: .ignore)
        let id = try fileBytes(images.image + ".undo")[16..<32].hexString
        try file.setAttribute(
            "user.diskgraft.undo", to: Array("\(id) \(images.image).undo".utf8))
        let moved = images.directory.path("moved.img")
        try FileManager.default.moveItem(atPath: images.image, toPath: moved)
        try FileManager.default.moveItem(atPath: backup, toPath: images.image)
        let source = try images.directory.write("second", "second\n")
        let put = try Fixture.diskgraft("put", "--volume", "disk", images.image, source, "/second")
        #expect(put.errorText.contains("not the file that was changed"))
        for command in [["cat", moved, "/d/file"], ["put", moved, source, "/x"]] {
            let refusal = try Tool.run(Fixture.command, command + ["--volume", "disk"], expect: 2...2)
            #expect(refusal.errorText.contains("cut off"), "\(refusal.errorText)")
        }
        try Fixture.diskgraft("undo", moved)
        #expect(try images.content(moved) == "old\n")
    }

    /// A further name in another directory, of a file whose record says nothing of places any more.
    @Test func furtherNamesAreTold() throws {
        let images = try Images()
        let folder = images.directory.path("links")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let link = folder + "/l.img"
        try FileManager.default.linkItem(atPath: images.image, toPath: link)
        let file = try HostFile.open(images.image, access: .write, locking: .ignore)
        try file.setAttribute("user.diskgraft.record", to: nil)
        #expect(try Fixture.diskgraft("undo", link).text.contains("has several names"))
        #expect(try images.content(link) == "new\n")
        #expect(try Fixture.diskgraft("undo", images.image).text.contains("was taken back"))
    }
}
