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
            #expect(refusal.errorText.contains("/moved.img now"))
            #expect(refusal.errorText.contains("/moved.img` takes it back there"))
            #expect(!refusal.errorText.contains("--other-file"))
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
        // Old bytes of one file system in another: that is damage, and named.
        let forced = try Tool.run(
            Fixture.command, ["undo", "--force", "--other-file", images.image], expect: 1...1)
        #expect(forced.text.contains("not the file that was changed"))
        #expect(forced.errorText.contains("ext4"))
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

    // MARK: Work that was done since

    /// A guest went on with the file system after the change: debugfs stands for it.
    private func workOn(_ image: String, in directory: TemporaryDirectory) throws {
        var random = SeededRandom(9)
        var script = ""
        for index in 0..<40 {
            let source = try directory.write("work\(index)", random.bytes(6000))
            script += "write \(source) d/sub/work\(index)\n"
        }
        script += "rm d/sub/x\nmkdir d/sub/more\n"
        try Tool.run("debugfs", ["-w", "-f", directory.write("script", script), image])
        try Tool.run("e2fsck", ["-fn", image])
    }

    /// What is lost is said before, --discard comes first where the image is sound as it is, and what --force leaves is
    /// checked, tables and file systems.
    @Test(.enabled(if: Tool.has("e2fsck")), arguments: [false, true])
    func forceOverWorkThatWasDoneSinceNamesTheDamage(_ isHot: Bool) throws {
        let images = try Images()
        let image = images.image
        try workOn(image, in: images.directory)
        if isHot { try UndoRecord.setState(.hot, ofRecord: image + ".undo") }
        let bytes = try fileBytes(image)
        let refusal = try Fixture.diskgraft("undo", image, expect: 2...2).errorText
        let discard = try #require(refusal.range(of: "undo --discard"))
        let force = try #require(refusal.range(of: "undo --force"))
        #expect(discard.lowerBound < force.lowerBound, "\(refusal)")
        #expect(refusal.contains("finds no damage") && refusal.contains("is lost"), "\(refusal)")
        let isUntouched = try fileBytes(image) == bytes
        #expect(isUntouched)
        // By --discard nothing is lost.
        let copy = images.directory.path("copy.img")
        for end in ["", ".undo"] { try Tool.run("cp", [image + end, copy + end]) }
        try Fixture.diskgraft("undo", "--discard", "--other-file", copy)
        try Tool.run("e2fsck", ["-fn", copy])
        // By --force it is, and the file system with it.
        let forced = try Tool.run(Fixture.command, ["undo", "--force", image], expect: 1...1)
        #expect(forced.text.contains("was taken back"))
        #expect(
            forced.errorText.contains("ext4") && forced.errorText.contains("fs.img"), "\(forced.errorText)")
        #expect(try Tool.run("e2fsck", ["-fn", image], expect: nil).status != 0)
        try Fixture.diskgraft("check", image, expect: 2...2)
    }

    /// Damaged as it is: nothing is called sound, and what writes nothing comes first all the same.
    @Test(.enabled(if: Tool.has("e2fsck")))
    func whatIsDamagedAsItIsIsNotCalledSound() throws {
        let images = try Images()
        try workOn(images.image, in: images.directory)
        try Tool.run("debugfs", ["-w", "-R", "clri d/sub", images.image])
        let refusal = try Fixture.diskgraft("undo", images.image, expect: 2...2).errorText
        #expect(!refusal.contains("finds no damage"))
        let discard = try #require(refusal.range(of: "undo --discard"))
        let force = try #require(refusal.range(of: "undo --force"))
        #expect(discard.lowerBound < force.lowerBound, "\(refusal)")
    }

    /// A backup from before two changes is as it was, and is told so; bytes of the state between would make neither.
    @Test(.enabled(if: Tool.has("e2fsck"))) func aBackupFromBeforeTwoChangesIsTold() throws {
        let images = try Images()
        let backup = images.directory.path("backup.img")
        try Fixture.diskgraft("undo", images.image)
        try Tool.run("cp", [images.image, backup])
        let source = try images.directory.write("more", "more\n")
        for name in ["/d/one", "/d/two", "/d/three"] {
            try Fixture.diskgraft("put", "--volume", "disk", images.image, source, name)
        }
        // What something has written to since is of no time.
        try workOn(images.image, in: images.directory)
        let refusal = try Fixture.diskgraft("undo", images.image, expect: 2...2).errorText
        #expect(refusal.contains("a mixture that the image never was"), "\(refusal)")
        try Tool.run("cp", [backup, images.image])
        let undone = try Fixture.diskgraft("undo", "--force", images.image).text
        #expect(undone.contains("held before the newest 3 changes"), "\(undone)")
        #expect(try fileBytes(images.image) == fileBytes(backup))
        #expect(try Fixture.diskgraft("undo", images.image).text.contains("nothing to undo"))
    }

    /// A new file over one that has another's record: the sentence is about that one, and the record stays.
    @Test func aNewFileOverAnotherImagesRecordSaysWhoseItIs() throws {
        let images = try Images()
        try UndoRecord.setState(.hot, ofRecord: images.image + ".undo")
        let moved = images.directory.path("moved.img")
        try FileManager.default.moveItem(atPath: images.image, toPath: moved)
        try FileManager.default.moveItem(atPath: images.other, toPath: images.image)
        let source = images.directory.path("source.img")
        try Tool.run("cp", [images.image, source])
        for command in [
            ["convert", "-O", "raw", source, images.image], ["create", "-f", "raw", images.image, "16M"],
        ] {
            let refusal = try Tool.run(Fixture.command, command, expect: 2...2).errorText
            #expect(refusal.contains("is of another file") && !refusal.contains("of this file"), "\(refusal)")
            #expect(refusal.contains("undo --discard"))
        }
        // What it advises lets the record go on for the one that it is of.
        try Fixture.diskgraft("undo", "--discard", images.image)
        try Fixture.diskgraft("convert", "-O", "raw", source, images.image)
        try Fixture.diskgraft("undo", moved)
        #expect(try images.content(moved) == "old\n")
    }
}
