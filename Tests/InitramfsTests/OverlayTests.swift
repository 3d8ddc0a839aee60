import Codecs
import Initramfs
import Storage
import TestSupport
import Testing

/// What is added to images, and where.
@Suite struct InitramfsOverlayTests {
    private static func overlay() throws -> InitramfsOverlay {
        var overlay = InitramfsOverlay()
        try overlay.addFile(Array("xhv/lib/modules/6.1/a.ko".utf8), [1, 2, 3, 4, 5])
        try overlay.addFile(Array("xhv/run".utf8), Array("#!/bin/sh\n".utf8), permissions: 0o755)
        try overlay.addLink(Array("xhv/usr/lib".utf8), to: Array("../lib".utf8))
        try overlay.addDirectory(Array("xhv/empty".utf8), permissions: 0o700)
        return overlay
    }

    /// The same files in another order give the same bytes, and cpio reads them.
    @Test func theSameFilesGiveTheSameBytes() throws {
        let archive = try Self.overlay().archive()
        var other = InitramfsOverlay()
        try other.addDirectory(Array("xhv".utf8))
        try other.addDirectory(Array("xhv/empty".utf8), permissions: 0o700)
        try other.addLink(Array("xhv/usr/lib".utf8), to: Array("../lib".utf8))
        try other.addFile(Array("xhv/run".utf8), Array("#!/bin/sh\n".utf8), permissions: 0o755)
        try other.addFile(Array("xhv/lib/modules/6.1/a.ko".utf8), [1, 2, 3, 4, 5])
        #expect(try other.archive() == archive)
        #expect(archive.count % 512 == 0)

        guard Tool.has("cpio") else { return print("cpio is not installed") }
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.cpio", archive)
        let listing = try Tool.run("sh", ["-c", "cpio -itv --quiet < '\(path)'"]).text
        #expect(
            listing.split(separator: "\n").map { $0.split(separator: " ").first.map(String.init) ?? "" } == [
                "drwxr-xr-x", "drwx------", "drwxr-xr-x", "drwxr-xr-x", "drwxr-xr-x", "-rw-r--r--",
                "-rwxr-xr-x",
                "drwxr-xr-x", "lrwxrwxrwx",
            ])
        try Tool.run("mkdir", [directory.path("out")])
        try Tool.run(
            "sh", ["-c", "cpio -id --quiet --no-preserve-owner < '\(path)'"], directory: directory.path("out")
        )
        #expect(try fileBytes(directory.path("out/xhv/usr/lib/modules/6.1/a.ko")) == [1, 2, 3, 4, 5])
        #expect(try fileBytes(directory.path("out/xhv/run")) == Array("#!/bin/sh\n".utf8))
    }

    /// An image of every encoding with files added, put together as a loader or an edit puts it: read as Linux does.
    @Test(arguments: InitramfsReadingTests.codecs, [nil, "gzip", "zstd"])
    func whatIsAddedIsUnpacked(_ codec: String?, _ packing: String?) throws {
        guard let packer = ImageMaker.packer(codec), Tool.has(packer.program) else {
            return print("a packer is not installed")
        }
        let old = RawArchive.make { archive in
            archive.directory("usr")
            archive.directory("usr/lib")
            archive.link("lib", "usr/lib")
            archive.file("init", "old")
        }
        let image = try ImageMaker.packed(old, codec)
        let before = try InitramfsContents.read(image)
        let placement = try before.overlayPlacement()
        let overlay = try Self.overlay()
        try before.check(overlay, at: placement)
        let added = try overlay.bytes(for: placement, codec: packing.map { try Codec.named(CodecID($0)) })
        switch placement {
        case .before:
            #expect(codec == "lz4-legacy")
            #expect(added.count % 4 == 0)
        case .behind(let padding):
            #expect(codec != "lz4-legacy")
            #expect((image.count + padding) % 4 == 0)
        }
        let whole = placement == .before ? added + image : image + added
        let after = try InitramfsContents.read(whole)
        #expect(after.failure == nil)
        #expect(after.bytes(of: "xhv/lib/modules/6.1/a.ko") == [1, 2, 3, 4, 5])
        #expect(after.bytes(of: "xhv/usr/lib/modules/6.1/a.ko") == [1, 2, 3, 4, 5])
        #expect(after.file(at: "xhv/run")?.permissions == 0o755)
        #expect(after.text("init") == "old")
        // Files that are added change nothing of those that are there.
        #expect(
            before.files.allSatisfy { file in
                after.files.contains { $0.path == file.path && $0.size == file.size }
            })
        // And more can be added.
        let next = try after.overlayPlacement()
        if packing == nil { #expect(next == (codec == "lz4-legacy" ? .before : .behind(padding: 0))) }
    }

    /// Behind LZ4's legacy frames nothing is found: why the place is in front.
    @Test func behindLegacyFramesNothingIsFound() throws {
        let image = try Codec.lz4Legacy.encode(RawArchive.make { $0.file("a", "b") }.span8)
        let archive = try Self.overlay().archive()
        let contents = try InitramfsContents.read(image + archive)
        #expect(contents.failure?.isCode(InitramfsCode.badStream) == true)
        #expect(contents.file(at: "xhv") == nil)
        // A stream that was added to without need ends the same way.
        #expect(throws: StorageError.self) {
            try Self.overlay().bytes(for: .behind(padding: 0), codec: .lz4Legacy)
        }
    }

    /// Debian's own reader sees files in front of an image, and those of the image.
    @Test(arguments: ["gzip", "lz4-legacy", "zstd"]) func lsinitramfsSeesWhatIsInFront(_ codec: String) throws
    {
        guard let packer = ImageMaker.packer(codec), Tool.has(packer.program, "lsinitramfs", "cpio") else {
            return print("lsinitramfs is not installed")
        }
        let image = try ImageMaker.packed(RawArchive.make { $0.file("init", "old") }, codec)
        let directory = try TemporaryDirectory()
        let path = try directory.write("image", try Self.overlay().bytes(for: .before) + image)
        let names = try Tool.run("lsinitramfs", [path]).text.split(separator: "\n").map(String.init)
        for name in ["xhv", "xhv/lib/modules/6.1/a.ko", "xhv/run", "xhv/usr/lib", "init"] {
            #expect(names.contains(name), "\(name) in \(names)")
        }
    }

    @Test func whatWouldBreakTheImageIsRefused() throws {
        let old = RawArchive.make { archive in
            archive.directory("usr")
            archive.directory("usr/lib")
            archive.directory("conf")
            archive.link("lib", "usr/lib")
            archive.file("init", "old")
        }
        let contents = try InitramfsContents.read(old)
        func refusal(_ placement: OverlayPlacement, _ path: String) throws -> StorageError? {
            var overlay = InitramfsOverlay()
            try overlay.addFile(Array(path.utf8), [1])
            do {
                try contents.check(overlay, at: placement)
                return nil
            } catch { return error }
        }
        for placement in [OverlayPlacement.before, .behind(padding: 0)] {
            #expect(try refusal(placement, "lib/a.ko")?.isCode(InitramfsCode.badOverlay) == true)
            #expect(try refusal(placement, "init/a")?.isCode(InitramfsCode.badOverlay) == true)
            #expect(try refusal(placement, "usr")?.isCode(InitramfsCode.badOverlay) == true)
            #expect(try refusal(placement, "usr/lib/a.ko") == nil)
            #expect(try refusal(placement, "conf/x") == nil)
            #expect(try refusal(placement, "etc/x") == nil)
        }
        var directory = InitramfsOverlay()
        try directory.addDirectory(Array("lib".utf8))
        let replaced = #expect(throws: StorageError.self) {
            try contents.check(directory, at: .behind(padding: 0))
        }
        #expect(replaced?.isCode(InitramfsCode.badOverlay) == true)
        #expect(try refusal(.behind(padding: 0), "init") == nil)
        #expect(try refusal(.before, "init")?.isCode(InitramfsCode.badOverlay) == true)
        #expect(contents.placeOfNewFile(Array("lib/modules/a".utf8)) == Array("usr/lib/modules/a".utf8))
        #expect(contents.placeOfNewFile(Array("etc/a".utf8)) == Array("etc/a".utf8))
        #expect(contents.placeOfNewFile(Array("lib".utf8)) == Array("lib".utf8))
    }

    @Test func pathsOfAnOverlayAreSound() throws {
        var overlay = InitramfsOverlay()
        try overlay.addFile(Array("a/b".utf8), [])
        for path in ["", "/a", "a/", "../a", "a/../b", "a//b", ".", "TRAILER!!!", "a/b/c", "a/b", "a"] {
            let error = #expect(throws: StorageError.self) { try overlay.addFile(Array(path.utf8), []) }
            #expect(error?.isCode(InitramfsCode.badOverlay) == true, "\(path)")
        }
        #expect(throws: StorageError.self) { try overlay.addLink(Array("l".utf8), to: []) }
        // A directory may be named again.
        try overlay.addDirectory(Array("a".utf8))
        #expect(overlay.nodes.count == 2)
    }

    @Test func aFileSystemTakesNoOverlay() throws {
        var system = [UInt8](repeating: 0, count: 4096)
        system[1080] = 0x53
        system[1081] = 0xef
        let contents = try InitramfsContents.read(system)
        let error = #expect(throws: StorageError.self) { try contents.overlayPlacement() }
        #expect(error?.isCode(InitramfsCode.noPlace) == true)
    }
}
