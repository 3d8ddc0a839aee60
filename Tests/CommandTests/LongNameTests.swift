import Foundation
import HostIO
import TestSupport
import Testing

/// Names as long as the host takes them, outputs that are not finished, and a host without /proc.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "sh"), "no judges"))
struct LongNameTests {
    private let directory: TemporaryDirectory
    private let image: String

    init() throws {
        directory = try TemporaryDirectory()
        image = try EditCommandTests.volume(EditCommandTests.ext4, in: directory)
    }

    /// The record of a long name, and the hidden directory of an output, have shorter ones.
    @Test(arguments: [235, 238, 250, 251, 255]) func everyLengthIsTaken(_ count: Int) throws {
        let name = directory.path("long/" + String(repeating: "n", count: count))
        try directory.write("long/x", "")
        let before = try fileBytes(image)
        try Fixture.diskgraft("convert", "-f", "raw", "-O", "raw", image, name)
        let isCopied = try fileBytes(name) == before
        #expect(isCopied)
        for number in 1...2 {
            try Fixture.diskgraft("put", "--volume", "disk", name, directory.path("long/x"), "/d/x\(number)")
        }
        for _ in 1...2 { #expect(try Fixture.diskgraft("undo", name).text.contains("was taken back")) }
        let isBack = try fileBytes(name) == before
        #expect(isBack)
        try FileManager.default.removeItem(atPath: name)
        try Fixture.diskgraft("create", "-f", "qcow2", name, "1M")
        try FileManager.default.removeItem(atPath: name)
        try Fixture.diskgraft("get", "--volume", "disk", image, "/d/file", name)
        #expect(HostDirectory.names(in: directory.path("long")).count == 2)
    }

    /// As cp has it: a directory may be made by that name, and a file not.
    @Test func aFileGetsNoNameOfADirectory() throws {
        let result = try Fixture.diskgraft(
            "get", "--volume", "disk", image, "/d/file", directory.path("new") + "/", expect: 1...1)
        #expect(result.errorText.contains("Not a directory"))
        #expect(!HostDirectory.exists(directory.path("new")))
        try Fixture.diskgraft("get", "--volume", "disk", image, "/d", directory.path("new") + "/")
        #expect(HostDirectory.isDirectory(directory.path("new")))
    }

    /// Progress that cannot be written ends the command; what it was making goes with it.
    @Test(arguments: [">&-", ">/dev/full", "| true"]) func anUnfinishedOutputIsRemoved(_ output: String)
        throws
    {
        let folder = directory.path("out")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try Tool.run(
            "sh",
            [
                "-c", "\"$0\" convert -p -f raw -O qcow2 \"$1\" \"$2\" \(output)", Fixture.command, image,
                folder + "/a",
            ],
            expect: nil)
        let names = HostDirectory.names(in: folder)
        // A reader that is slow to end may have seen all of it.
        #expect(names.isEmpty || output == "| true" && names == ["a"])
    }

    /// Where /proc is not mounted the arguments are known all the same.
    @Test(.enabled(if: LoopDevices.areThere && Tool.has("unshare", "umount"), "needs root"))
    func aHostWithoutProc() throws {
        let without = "umount -l /proc && exec \"$0\" \"$@\""
        let result = try Tool.run(
            "unshare", ["-m", "sh", "-c", without, Fixture.command, "ls", "--volume", "disk", image, "/d"])
        #expect(result.text.contains("f"))
    }
}
