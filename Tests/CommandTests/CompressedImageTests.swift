import Storage
import TestSupport
import Testing

/// Images that are compressed as a whole, as the command takes them.
@Suite(
    .enabled(if: Tool.has("qemu-img", "mke2fs", "debugfs", "xz", "zstd", "bzip2", "lz4"), "tools are missing")
)
struct CompressedImageTests {
    static let packers = [
        ("gz", "gzip -1"), ("xz", "xz -0"), ("zst", "zstd -q -1"), ("bz2", "bzip2 -1"), ("lz4", "lz4 -q -1"),
    ]

    private static func pack(_ path: String, _ packer: String, to packed: String) throws {
        try Tool.run("sh", ["-c", "\(packer) < \"$0\" > \"$1\"", path, packed])
    }

    @Test(arguments: packers, ["raw", "qcow2"])
    func imagesAreReadWhereTheyLie(_ packer: (suffix: String, command: String), _ format: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let image = directory.path("disk.\(format)")
        if format == "raw" {
            try directory.write("disk.raw", try fileBytes(raw))
        } else {
            try Tool.run("qemu-img", ["convert", "-f", "raw", "-O", format, raw, image])
        }
        // By what it holds, not by what it is called.
        let packed = directory.path("disk.of.\(packer.suffix == "xz" ? "a-name" : packer.suffix)")
        try Self.pack(image, packer.command, to: packed)
        let before = try fileBytes(packed)
        #expect(try Fixture.diskgraft("info", packed).text.contains("format:"))
        #expect(try Fixture.diskgraft("ls", packed, "/").text.contains("etc"))
        let fstab = try Fixture.diskgraft("cat", packed, "/etc/fstab").output
        #expect(fstab == (try Fixture.diskgraft("cat", raw, "/etc/fstab").output))
        try Fixture.diskgraft("check", packed)
        try Fixture.diskgraft("compare", packed, raw)
        try Fixture.diskgraft("convert", "-O", "vmdk", packed, directory.path("back.vmdk"))
        try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "vmdk", raw, directory.path("back.vmdk")])
        try Fixture.diskgraft("migrate", packed, directory.path("moved.qcow2"), "--to", "kvm")
        for refused in [
            ["patch", packed, "--to", "kvm"], ["rm", packed, "/etc/fstab"], ["resize", packed, "+1M"],
        ] {
            #expect(try Tool.run(Fixture.command, refused, expect: 2...2).errorText.contains("never changed"))
        }
        // An output does not take its source's place.
        try Fixture.diskgraft("convert", "--force", "-O", "raw", packed, packed, expect: 2...64)
        #expect(try fileBytes(packed) == before)
        // As it lies, with the format named.
        try Fixture.diskgraft("convert", "-f", "raw", "-O", "raw", packed, directory.path("as-it-lies"))
        #expect(try fileBytes(directory.path("as-it-lies")).starts(with: before))
    }

    @Test(arguments: packers) func damagedOnesAreRefusedOrSalvaged(
        _ packer: (suffix: String, command: String)
    ) throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let packed = directory.path("disk.raw.\(packer.suffix)")
        try Self.pack(raw, packer.command, to: packed)
        let bytes = try fileBytes(packed)
        let cut = try directory.write("cut.raw.\(packer.suffix)", Array(bytes.prefix(bytes.count / 2)))
        let refusal = try Fixture.diskgraft("convert", "-O", "raw", cut, directory.path("o"), expect: 1...1)
        #expect(refusal.errorText.contains("cut"))
        // Of bzip2's one block half of it is nothing, which is refused.
        let salvaged = try Fixture.diskgraft(
            "convert", "--salvage", "-O", "raw", cut, directory.path("salvaged"), expect: 0...2)
        let isSaid = (salvaged.text + salvaged.errorText).contains("is lost")
        #expect(packer.suffix == "bz2" ? salvaged.status != 0 : salvaged.status == 0 && isSaid)
        let longer = try directory.write("longer.\(packer.suffix)", bytes + [7, 7, 7, 7])
        #expect(try Fixture.diskgraft("info", longer, expect: 1...1).errorText.contains("-f raw"))
    }

    /// A guest writes its own disk: what is not called an appliance is none, compressed or not.
    @Test func anApplianceByItsNameAlone() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let ova = directory.path("web.ova")
        try Fixture.diskgraft("convert", "-O", "ova", raw, ova)
        try Self.pack(ova, "zstd -q", to: directory.path("web.ova.zst"))
        try Self.pack(ova, "zstd -q", to: directory.path("disk.img"))
        #expect(try Fixture.diskgraft("ls", directory.path("web.ova.zst"), "/").text.contains("etc"))
        try Fixture.diskgraft("ls", directory.path("disk.img"), "/", expect: 1...2)
    }

    /// A compressed image that names another file opens none.
    @Test func namesWithinOpenNothing() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        try Tool.run(
            "qemu-img",
            ["create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", directory.path("child.qcow2")])
        let packed = directory.path("child.qcow2.gz")
        try Self.pack(directory.path("child.qcow2"), "gzip", to: packed)
        #expect(
            try Fixture.diskgraft("ls", packed, "/", "--allow-siblings", expect: 2...2).errorText.contains(
                "unpack"))
        #expect(try Fixture.diskgraft("info", packed).text.contains("qcow2"))
    }
}
