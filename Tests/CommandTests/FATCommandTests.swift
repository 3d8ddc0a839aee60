import DiskGraft
import Foundation
@_spi(Testing) import HostIO
import Storage
@_spi(Testing) import TestSupport
import Testing

/// The commands on an EFI system partition and on a floppy, judged by mtools and fsck.vfat.
@Suite(
    .enabled(
        if: Tool.has("mkfs.vfat", "fsck.vfat", "mcopy", "mdir", "sfdisk", "tar", "qemu-img"),
        "mkfs.vfat, fsck.vfat, mtools, sfdisk, tar or qemu-img is missing"))
struct FATCommandTests {
    private static let espOffset = 1 << 20

    /// A floppy with a directory and a file of a long name.
    private static func floppy(_ directory: TemporaryDirectory) throws -> String {
        let image = directory.path("floppy.img")
        try Tool.run("mkfs.vfat", ["-n", "FLOPPY", "-i", "1a2b3c4d", "-C", image, "1440"])
        let file = try directory.write("file", Array("timeout 3\n".utf8))
        try Tool.run("mmd", ["-i", image, "::/loader"])
        try Tool.run("mcopy", ["-i", image, file, "::/loader/loader.conf"])
        return image
    }

    private func check(_ image: String, offset: Int? = nil, in directory: TemporaryDirectory) throws {
        var volume = image
        if let offset {
            volume = directory.path("volume")
            try Tool.run(
                "dd",
                ["if=\(image)", "of=\(volume)", "bs=1M", "skip=\(offset >> 20)", "count=40", "status=none"])
        }
        try Tool.run("fsck.vfat", ["-n", volume])
    }

    @Test func filesOfAFloppy() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.floppy(directory)
        func run(_ words: String..., expect: ClosedRange<Int32> = 0...0) throws -> Tool.Result {
            try Tool.run(Fixture.command, words + ["--volume", "disk"], expect: expect)
        }
        #expect(try run("ls", image, "/LOADER").text == "loader.conf\n")
        #expect(try run("cat", image, "/Loader/LOADER.CONF").text == "timeout 3\n")
        let entry = try directory.write("An entry.conf", Array("title x\n".utf8))
        _ = try run("mkdir", "-p", image, "/loader/entries")
        _ = try run("put", image, entry, "/loader/entries")
        _ = try run("put", image, entry, "/loader/loader.conf")
        #expect(try run("find", image, "/").text.split(separator: "\n").count == 5)
        let stat = try run("stat", image, "/loader/entries/an ENTRY.conf").text
        #expect(stat.contains("type:      file") && stat.contains("size:      8"), "\(stat)")
        _ = try run("mv", image, "/loader/entries/An entry.conf", "/loader/entries/other.conf")
        _ = try run("get", image, "/loader/entries/other.conf", directory.path("back"))
        #expect(try fileBytes(directory.path("back")) == Array("title x\n".utf8))
        let archive = try directory.write("a.tar", try run("tar", image, "/loader").output)
        let names = try Tool.run("tar", ["-tf", archive]).text
        #expect(names.contains("entries/other.conf") && names.contains("loader.conf"))
        // An archive of a folder begins with ".", and the root of FAT has no times that it could get.
        let dotted = directory.path("dotted.tar")
        _ = try directory.write("overlay/EFI/new", [1])
        try Tool.run("tar", ["-cf", dotted, "-C", directory.path("overlay"), "."])
        _ = try run("untar", image, dotted, "/")
        #expect(try run("cat", image, "/EFI/new").output == [1])
        _ = try run("rm", "-r", image, "/EFI")
        _ = try run("label", image, "RENAMED")
        #expect(try run("label", image).text == "RENAMED\n")
        _ = try run("rm", image, "/loader/loader.conf")
        try check(image, in: directory)
        let listing = try Tool.run("mdir", ["-b", "-/", "-i", image, "::/"]).text
        #expect(listing == "::/loader/\n::/loader/entries/\n::/loader/entries/other.conf\n", "\(listing)")
        #expect(try Fixture.diskgraft("info", image).text.contains("RENAMED"))
        #expect(try Fixture.diskgraft("check", image).text.contains("No errors"))
        // What FAT does not keep is refused by name.
        let mode = try run("chmod", image, "600", "/loader/entries/other.conf", expect: 1...2)
        #expect(mode.errorText.contains("keeps no modes"))
        let link = try run("ln", image, "/loader/entries/other.conf", "/x", expect: 1...2)
        #expect(link.errorText.contains("vfat"))
        // And a label that would be cut.
        let before = try fileBytes(image)
        _ = try run("label", image, "TWELVE BYTES", expect: 1...64)
        let large = try directory.sparse("large", byteCount: 2 << 20)
        let full = try run("put", image, large, "/large", expect: 2...2)
        #expect(full.errorText.contains("more are needed"))
        #expect(try fileBytes(image) == before)
    }

    /// A name that differs in the case of its letters alone, of a file and of a directory.
    @Test func lettersOfAnotherCase() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.floppy(directory)
        for (from, to) in [
            ("/loader", "/LOADER"), ("/LOADER/loader.conf", "/loader/Loader.Conf"), ("/LOADER", "/Loader"),
        ] {
            try Fixture.diskgraft("mv", image, from, to, "--volume", "disk")
        }
        let names = try Fixture.diskgraft("find", image, "/", "--volume", "disk").text
        #expect(names.contains("/Loader/Loader.Conf\n"), "\(names)")
        try check(image, in: directory)
        let same = try Fixture.diskgraft(
            "mv", image, "/Loader", "/Loader", "--volume", "disk", expect: 1...64)
        #expect(same.errorText.contains("itself"), "\(same.errorText)")
    }

    /// More than one piece of a change, on a volume that is no larger than it must be.
    @Test func aLongFile() throws {
        let directory = try TemporaryDirectory()
        let image = directory.path("large.img")
        try Tool.run("mkfs.vfat", ["-F", "32", "-s", "64", "-C", image, "720896"])
        let byteCount: UInt64 = 300 << 20
        let file = try directory.sparse("file", byteCount: byteCount)
        for (place, text) in [(0, "first"), (150_000_000, "middle"), (byteCount - 4, "last")] {
            try Tool.run(
                "sh",
                ["-c", "printf %s \(text) | dd of=\"$0\" bs=1 seek=\(place) conv=notrunc status=none", file])
        }
        try Fixture.diskgraft("put", image, file, "/a long name.img", "--volume", "disk")
        try check(image, in: directory)
        let back = directory.path("back")
        try Fixture.diskgraft("get", image, "/a long name.img", back, "--volume", "disk")
        try Tool.run("cmp", [file, back])
        // It is replaced as a whole, under the same name.
        try Fixture.diskgraft("put", image, file, "/A LONG name.img", "--volume", "disk")
        #expect(
            try Fixture.diskgraft("ls", image, "/", "--volume", "disk").text == "a long name.img\n")
        try check(image, in: directory)
    }

    /// Short names are in the code page that the fstab mounts the volume with.
    @Test(.enabled(if: Tool.has("mke2fs"), "mke2fs is missing"), arguments: [850, 852, 866, 932, 949, 0])
    func theCodePageOfTheFstab(_ number: Int) throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.sparse("disk.raw", byteCount: 64 << 20)
        try Tool.run("sfdisk", ["-q", raw], input: "label: gpt\n2048,20480,U\n24576,65536,L\n")
        let esp = directory.path("esp")
        try Tool.run("mkfs.vfat", ["-i", "abcd1234", "-C", esp, "10240"])
        try Tool.run("mcopy", ["-i", esp, try directory.write("file", [1]), "::/AAA"])
        var bytes = try fileBytes(esp)
        let slot = try #require(
            bytes.indices.first { $0 % 32 == 0 && Array(bytes[$0..<$0 + 11]) == Array("AAA        ".utf8) })
        bytes[slot + 1] = 0x9c
        let changed = try directory.write("esp2", bytes)
        let option = number == 0 ? "defaults" : "umask=0077,codepage=\(number)"
        let tree = directory.path("tree")
        try Tool.run("mkdir", ["-p", "\(tree)/etc", "\(tree)/boot/efi"])
        try Data("ID=debian\n".utf8).write(to: URL(fileURLWithPath: tree + "/etc/os-release"))
        try Data("UUID=ABCD-1234 /boot/efi vfat \(option) 0 1\n".utf8)
            .write(to: URL(fileURLWithPath: tree + "/etc/fstab"))
        let root = directory.path("root")
        try Tool.run("mke2fs", ["-q", "-F", "-d", tree, root, "32M"])
        for (file, seek) in [(changed, 1), (root, 12)] {
            try Tool.run(
                "dd", ["if=\(file)", "of=\(raw)", "bs=1M", "seek=\(seek)", "conv=notrunc", "status=none"])
        }
        // The third byte is the second half of a character there.
        let name = [850: "A£A", 852: "AťA", 866: "AЬA", 932: "A廣"][number] ?? "A£A"
        #expect(try Fixture.diskgraft("ls", raw, "/boot/efi").text == name + "\n")
        #expect(try Fixture.diskgraft("ls", raw, "/", "--volume", "p1").text == name + "\n")
        if number == 949 {
            let said = try Fixture.diskgraft("ls", raw, "/boot/efi")
            #expect(said.errorText.contains("949"), "\(said.errorText)")
        }
    }

    @Test(arguments: ["raw", "qcow2", "vhdx"]) func anEFISystemPartition(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.sparse("disk.raw", byteCount: 64 << 20)
        try Tool.run("sfdisk", ["-q", raw], input: "label: gpt\n2048,81920,U\n")
        let esp = directory.path("esp")
        try Tool.run("mkfs.vfat", ["-F", "32", "-s", "1", "-n", "ESP", "-C", esp, "40960"])
        let loader = try directory.write("shimx64.efi", TreeBytes.contents(90_000))
        try Tool.run("mmd", ["-i", esp, "::/EFI", "::/EFI/debian"])
        try Tool.run("mcopy", ["-i", esp, loader, "::/EFI/debian/shimx64.efi"])
        try Tool.run(
            "dd", ["if=\(esp)", "of=\(raw)", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"])
        let image = directory.path("disk.img")
        try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", format, raw, image])
        #expect(try Fixture.diskgraft("info", image).text.contains("vfat"))
        try Fixture.diskgraft("mkdir", image, "/EFI/BOOT", "--volume", "p1")
        try Fixture.diskgraft("put", image, loader, "/EFI/BOOT/BOOTX64.EFI", "--volume", "p1")
        // qemu-img leaves a piece of a VHDX that no block has.
        let checked = try Fixture.diskgraft("check", image, expect: format == "vhdx" ? 0...3 : 0...0)
        #expect(!checked.text.contains("damage"))
        let after = directory.path("after.raw")
        try Tool.run(
            "qemu-img", ["convert", "-f", format == "vhdx" ? "vhdx" : format, "-O", "raw", image, after])
        try check(after, offset: Self.espOffset, in: directory)
        let found = directory.path("found")
        try Tool.run(
            "mcopy", ["-i", "\(after)@@1M", "::/EFI/BOOT/BOOTX64.EFI", found])
        #expect(try fileBytes(found) == TreeBytes.contents(90_000))
        try Fixture.diskgraft("undo", image)
        try Fixture.diskgraft("undo", image)
        try Tool.run("qemu-img", ["compare", raw, image])
    }

    /// What the check finds is told with its volume, and damage ends with 2.
    @Test func damageIsTold() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.floppy(directory)
        var bytes = try fileBytes(image)
        bytes[0x25] = 1
        let dirty = try directory.write("dirty.img", bytes)
        let found = try Fixture.diskgraft("check", dirty)
        #expect(found.text.contains("was not unmounted"))
        let refused = try Fixture.diskgraft("mkdir", dirty, "/x", "--volume", "disk", expect: 2...2)
        #expect(refused.errorText.contains("fsck.vfat"))
        #expect(try fileBytes(dirty) == bytes)
        // The first cluster of the directory is free.
        bytes[0x25] = 0
        for table in [512, 512 + 9 * 512] { bytes.replaceSubrange(table + 3..<table + 6, with: [0, 0, 0]) }
        let damaged = try directory.write("damaged.img", bytes)
        #expect(try Fixture.diskgraft("check", damaged, expect: 2...2).text.contains("which is free"))
    }

    /// The power fails anywhere in a change with its record: the image is as before or as after.
    @Test func theImageIsOldOrNew() throws {
        let directory = try TemporaryDirectory()
        let made = try Self.floppy(directory)
        let root = try #require(HostDirectory.resolved(directory.root)) + "/disks"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let path = root + "/floppy.img"
        try FileManager.default.copyItem(atPath: made, toPath: path)
        let before = try fileBytes(path)
        let events = try HostTrace.events(under: root) {
            let guest = try Guest.open([path], forWriting: true)
            try guest.edit(volume: "disk") { (edit) throws(StorageError) in
                try edit.makeDirectory("/EFI")
                try edit.put(FileContents(TreeBytes.contents(9000)), at: "/EFI/a long name.efi")
                try edit.put(FileContents([1, 2, 3]), at: "/loader/loader.conf")
                try edit.move("/loader/loader.conf", to: "/EFI/moved.conf")
                try edit.removeDirectory("/loader")
            }
        }.events
        let after = try fileBytes(path)
        var outcomes: Set<Bool> = []
        try HostPowerCut(initial: [path: before], events: events)
            .forEachState(reorderings: 1, seed: 5) { (files, cut) in
                try HostPowerCut.put(files, in: root)
                _ = try Guest.open([path], forWriting: true)
                let found = try fileBytes(path)
                #expect(found == before || found == after, "\(cut)")
                outcomes.insert(found == after)
            }
        #expect(outcomes == [true, false])
    }

    private enum TreeBytes {
        static func contents(_ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251 + count) }
        }
    }
}
