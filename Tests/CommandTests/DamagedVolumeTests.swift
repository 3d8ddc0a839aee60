import Foundation
import TestSupport
import Testing

/// Reading past damage, and what is told of it.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs"), "judges are missing"))
struct DamagedVolumeTests {
    /// A volume with checksums and a file whose inode's checksum is wrong.
    private func volume(in directory: TemporaryDirectory) throws -> String {
        try directory.write("tree/file", Array("contents\n".utf8))
        let image = try directory.sparse("fs.img", byteCount: 8 << 20)
        try Tool.run(
            "mke2fs",
            ["-q", "-F", "-t", "ext4", "-O", "metadata_csum", "-d", directory.path("tree"), image])
        let place = try Tool.run("debugfs", ["-R", "imap /file", image]).text
        // "Inode 12 is part of block group 0\n\tlocated at block 67, offset 0x0b00"
        let words = place.replacingOccurrences(of: ",", with: "").split { " \n\t".contains($0) }
        let block = try #require(
            words.firstIndex(of: "block").flatMap { words[($0 + 1)...].firstIndex(of: "block") })
        let number = try #require(Int(words[block + 1]))
        let offset = try #require(words.last.flatMap { Int($0.dropFirst(2), radix: 16) })
        let blockSize = try Tool.run("dumpe2fs", ["-h", image]).text.contains("4096") ? 4096 : 1024
        var bytes = try fileBytes(image)
        // The time of the last access: nothing that a reader shows depends on it.
        bytes[number * blockSize + offset + 8] ^= 1
        try directory.write("fs.img", bytes)
        return image
    }

    @Test func readsOnWithAWarningWhereAsked() throws {
        let directory = try TemporaryDirectory()
        let image = try volume(in: directory)
        let before = try fileBytes(image)
        let refused = try Fixture.diskgraft("cat", image, "/file", "--volume", "disk", expect: 1...1)
        #expect(refused.errorText.contains("checksum") && refused.output.isEmpty)
        for arguments in [
            ["cat", image, "/file"], ["ls", "-l", "-R", image], ["stat", image, "/file"], ["find", image],
            ["tar", image], ["get", image, "/file", directory.path("copy")],
        ] {
            let result = try Tool.run(
                Fixture.command, arguments + ["--volume", "disk", "--ignore-checksums"])
            #expect(
                result.errorText.contains("warning") && result.errorText.contains("checksum"),
                "\(arguments[0]): \(result.errorText)")
        }
        #expect(try fileBytes(directory.path("copy")) == Array("contents\n".utf8))
        #expect(try isSame(fileBytes(image), before))
        try Fixture.diskgraft("check", image, expect: 2...2)
    }

    /// A volume without its first superblock is not called clean.
    @Test func aLostSuperblockIsFound() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 64 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-b", "1024", image])
        try Fixture.diskgraft("check", image)
        try Tool.run("dd", ["if=/dev/zero", "of=\(image)", "bs=1k", "seek=1", "count=1", "conv=notrunc"])
        let result = try Fixture.diskgraft("check", image, expect: 2...2)
        #expect(result.text.contains("e2fsck -b"))
    }
}

/// What `check` cannot know, it says.
@Suite(
    .enabled(if: Tool.has("mke2fs", "mkfs.vfat", "mkfs.btrfs"), "mke2fs, mkfs.vfat or mkfs.btrfs is missing"))
struct UncheckedContentTests {
    @Test func nothingThatCanBeCheckedIsNoSuccess() throws {
        let directory = try TemporaryDirectory()
        let pool = try directory.sparse("pool.img", byteCount: 128 << 20)
        try Tool.run("mkfs.btrfs", ["-q", pool])
        let whole = try Fixture.diskgraft("check", pool, expect: 1...1)
        #expect(whole.text.contains("btrfs: its contents are not checked here"))
        #expect(whole.errorText.contains("holds nothing that can be checked here"))
        #expect(!whole.text.contains("No errors"))
        let floppy = try directory.sparse("floppy.img", byteCount: 1440 << 10)
        try Tool.run("mkfs.vfat", [floppy])
        #expect(try Fixture.diskgraft("check", floppy).text.contains("No errors"))
        // Its beginning alone, as of a download that was cut off.
        try Tool.run("truncate", ["-s", "2048", floppy])
        let cut = try Fixture.diskgraft("check", floppy, expect: 2...2)
        #expect(cut.text.contains("the file system has 1474560 bytes and its device 2048"))
        let junk = try directory.write("junk.img", [UInt8](repeating: 0x5a, count: 70_000))
        let unknown = try Fixture.diskgraft("check", junk, expect: 1...1)
        #expect(
            unknown.text.contains("nothing that is known is in it") && !unknown.text.contains("No errors"))
        #expect(
            try Fixture.diskgraft("check", "--json", junk, expect: 1...1).text.contains(
                "\"checked-nothing\" : true"))
    }

    /// Beside what was checked the rest is named, and no failure.
    @Test func whatIsNotCheckedIsNamed() throws {
        let directory = try TemporaryDirectory()
        let disk = try directory.sparse("disk.img", byteCount: 192 << 20)
        let pool = try directory.sparse("pool.img", byteCount: 128 << 20)
        try Tool.run("sfdisk", ["-q", disk], input: "label: dos\n2048,262144,83\n,,83\n")
        try Tool.run("mkfs.btrfs", ["-q", pool])
        try Tool.run(
            "dd", ["if=\(pool)", "of=\(disk)", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"])
        try Tool.run("mke2fs", ["-q", "-F", "-E", "offset=\(264_192 * 512)", disk, "40000k"])
        let result = try Fixture.diskgraft("check", disk)
        #expect(result.text.contains("p1: btrfs: its contents are not checked here"), "\(result.text)")
        #expect(!result.text.contains("p2"))
    }
}

/// Archives read back by other programs, with ACLs and extended attributes.
@Suite(
    .enabled(if: SharedSamples.present && Tool.has("python3", "tar"), "samples, python3 or tar are missing"))
struct ArchiveTests {
    @Test func attributesComeBackEqual() throws {
        let directory = try TemporaryDirectory()
        let image = try SharedSamples.unpack(
            "ext4/kernel-made/profiles/prof_boot_1k.img.zst", into: directory)
        let archive = directory.path("a.tar")
        try Tool.run(
            "sh",
            ["-c", "\"$0\" tar \"$1\" / --volume disk > \"$2\" || true", Fixture.command, image, archive])
        let listing = try Fixture.diskgraft(
            "ls", "-R", "--json", "--hash", "sha256", image, "--volume", "disk"
        ).text
        try directory.write("listing", Array(listing.utf8))
        // Python's tarfile: names, kinds, owners, sizes, times, contents, attributes.
        let compare = """
            import hashlib, json, sys, tarfile
            want, checked, lists = {}, 0, 0
            for line in open(sys.argv[2], "rb"):
                entry = json.loads(line)
                path = bytes.fromhex(entry["path_hex"]) if "path_hex" in entry else entry["path"].encode()
                want[path.decode("utf-8", "surrogateescape").strip("/") or "."] = entry
            for member in tarfile.open(sys.argv[1], errors="surrogateescape"):
                entry = want.pop(member.name)
                checked += 1
                assert (member.uid, member.gid, member.mode) == (entry["uid"], entry["gid"], int(entry["mode"], 8) & 0o7777), member.name
                assert abs(float(member.mtime) - entry["mtime_ns"] / 1e9) < 1e-5, (member.name, member.mtime, entry["mtime_ns"])
                if member.islnk(): continue
                if member.isfile():
                    data = tarfile.open(sys.argv[1], errors="surrogateescape").extractfile(member).read() if member.size < 1 << 20 else None
                    assert member.size == entry["size"]
                    assert data is None or hashlib.sha256(data).hexdigest() == entry["sha256"], member.name
                got = {k[13:]: v.encode("utf-8", "surrogateescape").hex() for k, v in member.pax_headers.items() if k.startswith("SCHILY.xattr.")}
                assert got == entry.get("xattrs", {}), (member.name, got)
                access = member.pax_headers.get("SCHILY.acl.access")
                assert (access is None) == ("system.posix_acl_access" not in entry.get("xattrs", {})), member.name
                if access: assert access.startswith("user::") and "other::" in access; lists += 1
            assert all(entry["type"] == "socket" for entry in want.values()), list(want)[:5]
            print(checked, lists)
            """
        let result = try Tool.run("python3", ["-c", compare, archive, directory.path("listing")]).text
        let numbers = result.split { " \n".contains($0) }.compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers[0] > 100 && numbers[1] > 0, "\(result)")
        // GNU tar lists the attributes and the ACLs, and so does bsdtar where it is installed.
        let listed = try Tool.run("tar", ["-tvvf", archive, "--xattrs", "--acls"]).text
        #expect(listed.contains("user.big") && listed.contains("a: user::"))
        if Tool.has("bsdtar") {
            let names = try Tool.run("bsdtar", ["-tf", archive]).text.split(separator: "\n")
            #expect(names.count == numbers[0])
        }
    }
}
