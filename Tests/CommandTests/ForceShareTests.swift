import Foundation
import TestSupport
import Testing

/// `-U` reads an image that a virtual machine has open. No command writes with it.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "qemu-img"), "judges are missing"))
struct ForceShareTests {
    static let writing: [[String]] = [
        ["put", "IMAGE", "SOURCE", "/x"], ["mkdir", "IMAGE", "/x"], ["rm", "-r", "IMAGE", "/d"],
        ["rmdir", "IMAGE", "/d/sub"], ["mv", "IMAGE", "/d/file", "/x"], ["ln", "IMAGE", "/d/file", "/x"],
        ["mknod", "IMAGE", "/x", "p"], ["chmod", "IMAGE", "600", "/d/file"],
        ["chown", "IMAGE", "1", "/d/file"],
        ["xattr", "IMAGE", "/d/file", "--set", "user.a=b"], ["label", "IMAGE", "L"],
        ["untar", "IMAGE", "SOURCE", "/"], ["edit", "IMAGE", "/d/file"], ["resize", "IMAGE", "+1M"],
        ["patch", "IMAGE", "--to", "kvm"], ["check", "--repair", "gpt", "IMAGE"],
        ["check", "--repair", "leaks", "IMAGE"], ["undo", "IMAGE"], ["undo", "--force", "IMAGE"],
        ["undo", "--discard", "IMAGE"],
    ]

    @Test(arguments: writing)
    func aWritingCommandRefusesIt(_ words: [String]) throws {
        let directory = try TemporaryDirectory()
        let image = try EditCommandTests.volume(EditCommandTests.ext4, in: directory)
        let source = try directory.write("source", "x\n")
        try Fixture.diskgraft("mkdir", image, "/before", "--volume", "disk")
        let before = try fileBytes(image)
        let record = try fileBytes(image + ".undo")
        let arguments = words.map { $0 == "IMAGE" ? image : $0 == "SOURCE" ? source : $0 } + ["-U"]
        let result = try Tool.run(Fixture.command, arguments, expect: 1...2)
        #expect(result.errorText.contains("takes no -U"))
        #expect(try fileBytes(image) == before)
        #expect(try fileBytes(image + ".undo") == record)
    }

    @Test func readingTakesIt() throws {
        let directory = try TemporaryDirectory()
        let image = try EditCommandTests.volume(EditCommandTests.ext4, in: directory)
        #expect(try Fixture.diskgraft("ls", "-U", image, "/d", "--volume", "disk").text.contains("file"))
    }
}
