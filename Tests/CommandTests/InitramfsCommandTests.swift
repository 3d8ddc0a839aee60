import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Tool.has("mke2fs", "cpio", "gzip", "lz4"), "a packer is missing"))
struct InitramfsCommandTests {
    /// A volume with initramfs images in it.
    private static func volume(_ directory: TemporaryDirectory) throws -> String {
        try directory.write("root/boot/broken", Array("0707".utf8))
        try directory.write("tree/conf/initramfs.conf", "MODULES=dep\n")
        try directory.write("tree/conf/modules", "virtio-blk\n")
        try directory.write("tree/usr/lib/modules/6.1/ata_piix.ko", "x")
        let pack = "find . -mindepth 1 | sort | cpio -o -H newc --quiet"
        try Tool.run(
            "sh",
            [
                "-ec",
                "ln -s usr/lib lib; \(pack) | gzip > ../root/boot/initrd; \(pack) | lz4 -l > ../root/boot/lz4 2>/dev/null; \(pack) | head -c 600 > ../root/boot/cut",
            ], directory: directory.path("tree"))
        let image = try directory.sparse("disk.img", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-O", "extent,filetype", "-d", directory.path("root"), image])
        return image
    }

    @Test func whatAnImageHoldsIsShown() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(directory)
        func run(_ arguments: String...) throws -> Tool.Result {
            try Tool.run(
                Fixture.command, ["initramfs", image, "--volume", "disk"] + arguments, expect: 0...1)
        }
        let text = try run("/boot/initrd", "--files").text
        for line in [
            "initramfs-tools", "6.1", "behind it", "gzip", "ata_piix", "virtio_blk",
            "conf/initramfs.conf  generator", "lib -> usr/lib",
        ] {
            #expect(text.contains(line), "\(line) in \(text)")
        }
        #expect(try run("/boot/lz4").text.contains("before it"))

        let object = try JSONSerialization.jsonObject(with: Data(try run("/boot/initrd", "--json").output))
        let json = try #require(object as? [String: Any])
        #expect(json["generator"] as? String == "initramfs-tools")
        #expect(json["isHostOnly"] as? Bool == true)
        #expect(json["releases"] as? [String] == ["6.1"])
        let files = try #require(json["files"] as? [[String: Any]])
        #expect(files.compactMap { $0["path"] as? String }.contains("usr/lib/modules/6.1/ata_piix.ko"))

        let broken = try run("/boot/broken")
        #expect(broken.status == 1)
        #expect(broken.errorText.contains("does not unpack all of it"))
        // What stands before the damage is shown.
        for options in [["--files"], ["--json"]] {
            let cut = try Tool.run(
                Fixture.command, ["initramfs", image, "--volume", "disk", "/boot/cut"] + options,
                expect: 1...1)
            #expect(cut.text.contains("conf/initramfs.conf"), "\(cut.text)")
        }
    }
}
