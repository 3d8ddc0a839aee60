import Initramfs
import Storage
import Testing

/// What entries come to, by the rules of init/initramfs.c.
@Suite struct UnpackedTreeTests {
    @Test func laterFilesReplaceEarlierOnes() throws {
        let one = RawArchive.make { archive in
            archive.directory("usr")
            archive.directory("usr/lib")
            archive.link("lib", "usr/lib")
            archive.file("lib/a", "through the link")
            archive.file("usr/lib/b", "old and long")
        }
        let two = RawArchive.make { archive in
            archive.file("./usr//lib/./b", "new")
            archive.file("usr/lib/a", "")
        }
        let contents = try InitramfsContents.read(one + two)
        #expect(contents.failure == nil)
        #expect(contents.paths == ["lib", "usr", "usr/lib", "usr/lib/a", "usr/lib/b"])
        #expect(contents.text("lib/b") == "new")
        #expect(contents.file(at: "lib/b")?.size == 3)
        #expect(contents.text("usr/lib/a") == "")
        #expect(!contents.entries.contains { !$0.isUnpacked })
    }

    /// A directory in the place of a link takes its place; one that is not empty stays.
    @Test func typesClashAsInLinux() throws {
        let contents = try InitramfsContents.read(
            RawArchive.make { archive in
                archive.directory("usr")
                archive.directory("usr/lib")
                archive.file("usr/lib/init", "1")
                archive.link("lib", "usr/lib")
                // The link goes, and with it the way to usr/lib.
                archive.directory("lib")
                archive.file("lib/new", "2")
                // Not empty: it stays, the link is not made.
                archive.link("usr", "elsewhere")
                archive.directory("usr/lib")
                archive.link("dev", "usr")
                archive.file("usr", "no")
            })
        #expect(contents.paths == ["lib", "lib/new", "usr", "usr/lib", "usr/lib/init"])
        #expect(contents.file(at: "lib/init") == nil)
        #expect(
            contents.entries.map(\.isUnpacked) == [
                true, true, true, true, true, true, false, true, false, false,
            ])
    }

    /// Parents are not made by themselves. What every kernel has is there: /dev and /root.
    @Test func missingParentsLoseTheFile() throws {
        let contents = try InitramfsContents.read(
            RawArchive.make { archive in
                archive.file("etc/conf", "lost")
                archive.file("dev/a", "kept")
                archive.directory("etc")
                archive.file("etc/other", "kept")
                archive.link("loop", "loop")
                archive.file("loop/a", "lost")
                archive.file("etc/other/a", "lost")
            })
        #expect(contents.paths == ["dev/a", "etc", "etc/other", "loop"])
        #expect(contents.file(at: "loop") == nil)
        #expect(contents.file(at: "loop/x/y") == nil)
        #expect(contents.unresolvedFile(at: "loop")?.type == .symbolicLink)
        #expect(contents.file(at: "../../etc/./other")?.size == 4)
    }

    /// Names of one file have the contents of the last of them that has any, or of the first.
    @Test(arguments: [[true, false, false], [false, false, true], [false, true, false]])
    func namesOfOneFileShareContents(_ carries: [Bool]) throws {
        let image = RawArchive.make { archive in
            for (index, name) in ["a", "b", "c"].enumerated() {
                archive.add(name, carries[index] ? Array("shared".utf8) : [], inode: 7, links: 3)
            }
            archive.add("other", Array("x".utf8), inode: 7, links: 1)
        }
        for name in ["a", "b", "c"] {
            let contents = try InitramfsImage(ByteSource(image)).contents { path, _ in
                path == Array(name.utf8)
            }
            #expect(contents.text(name) == "shared")
            #expect(contents.file(at: name)?.size == 6)
            #expect(contents.text("other") == nil)
        }
    }

    /// The end of an archive ends what belongs together: the same number means another file behind it.
    @Test func numbersHoldUntilTheEndOfAnArchive() throws {
        let one = RawArchive.make { $0.add("a", Array("first".utf8), inode: 7, links: 2) }
        let two = RawArchive.make { $0.add("b", Array("second".utf8), inode: 7, links: 2) }
        let contents = try InitramfsContents.read(one + two)
        #expect(contents.text("a") == "first")
        #expect(contents.text("b") == "second")
    }

    @Test func nodesKeepWhatTheyAre() throws {
        var archive = RawArchive()
        archive.add("fifo", mode: 0o010600)
        archive.add("socket", mode: 0o140600)
        archive.add("null", mode: 0o020666)
        let contents = try InitramfsContents.read(archive.ended())
        #expect(contents.file(at: "fifo")?.type == .fifo)
        #expect(contents.file(at: "socket")?.type == .socket)
        #expect(contents.file(at: "null")?.type == .characterDevice)
        #expect(contents.file(at: "dev/console")?.entry == nil)
    }
}
