import DiskGraft
import Foundation
@_spi(Testing) import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing

/// The power fails while a file of several names gets long contents: with the undo record the image is as before or as
/// after; without it the volume is sound, and with a journal the file is whole too.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck"), "judges are missing"))
struct MovedContentsPowerCutTests {
    @Test(arguments: [EditCommandTests.ext2, EditCommandTests.ext3, EditCommandTests.ext4])
    func aFileOfSeveralNames(_ options: [String]) throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(31)
        let old = random.bytes(300_000)
        try directory.write("old", old)
        let volume = try EditCommandTests.volume(
            options + ["-b", "1024"] + (options == EditCommandTests.ext2 ? [] : ["-J", "size=1"]),
            in: directory, mebibytes: 8, script: "cp ../old a && ln a b && mkdir d && ln a d/c")
        let root = try #require(HostDirectory.resolved(directory.root)) + "/disks"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let path = root + "/g.img"
        try Tool.run("cp", [volume, path])
        // A hole makes it go in pieces, however short it is.
        let source = try directory.sparse("new", byteCount: 2 << 20)
        let handle = try #require(FileHandle(forWritingAtPath: source))
        for offset in [0, 900_000, 1_500_000] as [UInt64] {
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: random.bytes(200_000))
        }
        try handle.close()
        let new = try fileBytes(source)
        let before = try fileBytes(path)
        let events = try HostTrace.events(under: root) {
            let guest = try Guest.open([path], forWriting: true)
            let contents = FileContents(try HostFile.open(source))
            try guest.edit(volume: "disk", memoryLimit: 200_000) { (edit) throws(StorageError) in
                try edit.put(contents, at: "/b")
            }
        }.events
        let after = try fileBytes(path)
        var outcomes: Set<Bool> = []
        var found: Set<String> = []
        var turn = 0
        try HostPowerCut(initial: [path: before], events: events)
            .forEachState(reorderings: 1, every: 9, seed: 6) { (files, cut) in
                turn += 1
                if turn % 3 == 0 {
                    try HostPowerCut.put(files, in: root)
                    _ = try Guest.open([path], forWriting: true)
                    let bytes = try fileBytes(path)
                    #expect(bytes == before || bytes == after, "\(cut)")
                    outcomes.insert(bytes == after)
                    return
                }
                let scratch = try TemporaryDirectory()
                let image = try scratch.write("g.img", files[path] ?? [])
                let preen = try Tool.run("e2fsck", ["-p", image], expect: nil)
                let check = try Tool.run("e2fsck", ["-fn", image], expect: nil)
                #expect(preen.status <= 1 && check.status == 0, "\(cut): \(preen.text)\(check.text)")
                try Tool.run("debugfs", ["-R", "rdump / \(scratch.root)", image])
                let names = try ["a", "b", "d/c"].map { try fileBytes(scratch.path($0)) }
                #expect(names.allSatisfy { $0 == names[0] }, "\(cut)")
                found.insert(names[0] == old ? "old" : names[0] == new ? "new" : "mixed")
            }
        #expect(outcomes.contains(false))
        #expect(found.isSuperset(of: ["old", "new"]))
        #expect(!found.contains("mixed") || options == EditCommandTests.ext2)
    }
}
