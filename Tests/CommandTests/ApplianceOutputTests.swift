import Foundation
import TestSupport
import Testing

/// Appliances that are made, judged by tar, sha256sum, sha1sum and qemu-img.
@Suite(
    .enabled(
        if: Tool.has("qemu-img", "tar", "sha256sum", "sfdisk", "mke2fs", "debugfs"), "judges are missing"))
struct ApplianceOutputTests {
    /// Description first, manifest behind it, disks in their order; each digest is right, and the disks are the guest's.
    @Test func anOVAOfAPatchedGuest() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        let second = directory.path("data.img")
        try Tool.run("sh", ["-c", "head -c 3000000 /dev/urandom > \"$0\"", second])
        let ova = directory.path("web.ova")
        try Fixture.diskgraft("migrate", raw, second, ova, "--to", "vmware")
        let names = try Tool.run("tar", ["-tf", ova]).text.split(separator: "\n")
        #expect(names == ["web.ovf", "web.mf", "web-disk1.vmdk", "web-disk2.vmdk"])
        let out = directory.path("out")
        try Tool.run("mkdir", [out])
        try Tool.run("tar", ["-xf", ova, "-C", out])
        let manifest = String(decoding: try fileBytes(out + "/web.mf"), as: UTF8.self)
        for name in names where name != "web.mf" {
            let digest = try Tool.run("sha256sum", ["\(out)/\(name)"]).text.prefix(64)
            #expect(manifest.contains("SHA256(\(name))= \(digest)\n"))
        }
        try Tool.run("qemu-img", ["convert", "-O", "raw", out + "/web-disk1.vmdk", out + "/1.raw"])
        try Tool.run("qemu-img", ["convert", "-O", "raw", out + "/web-disk2.vmdk", out + "/2.raw"])
        try MigrationTests.judge(out + "/1.raw", against: raw)
        // Sectors are whole in a VMDK.
        let bytes = try fileBytes(second)
        let copied = try fileBytes(out + "/2.raw")
        #expect(copied.starts(with: bytes) && copied.dropFirst(bytes.count).allSatisfy { $0 == 0 })
        let ovf = String(decoding: try fileBytes(out + "/web.ovf"), as: UTF8.self)
        let length = try fileBytes(out + "/web-disk1.vmdk").count
        #expect(ovf.contains("ovf:size=\"\(length)\"") && ovf.contains("ovf:href=\"web-disk2.vmdk\""))
        // It is read back as it lies.
        try Fixture.diskgraft("compare", "--disk", "1", ova, out + "/1.raw")
        let compared = try Fixture.diskgraft("compare", ova, out + "/1.raw", expect: 64...64)
        #expect(compared.errorText.contains("web-disk1.vmdk, web-disk2.vmdk"))
        try Fixture.diskgraft("compare", "--disk", "1", raw, out + "/1.raw", expect: 64...64)
        try Fixture.diskgraft("convert", "--disk", "2", ova, directory.path("back.raw"))
        #expect(try fileBytes(directory.path("back.raw")) == copied)
        #expect(try Fixture.diskgraft("plan", ova, "--to", "vmware").text.contains("web.ova says: BIOS"))
    }

    /// The places that a description states are kept by a copy.
    @Test func aCopyOfADescribedMachine() throws {
        let directory = try TemporaryDirectory()
        for (name, size) in [("a.vmdk", "1M"), ("b.vmdk", "2M")] {
            try Tool.run("qemu-img", ["create", "-q", "-f", "vmdk", directory.path(name), size])
        }
        let ovf = try directory.write("web.ovf", DescriptionCommandTests.ovf(["a.vmdk", "b.vmdk"]))
        let ova = directory.path("copy.ova")
        try Fixture.diskgraft("convert", ovf, ova)
        let info = try Fixture.diskgraft("info", ova).text
        #expect(
            info.contains("copy-disk1.vmdk, pvscsi at 0") && info.contains("copy-disk2.vmdk, pvscsi at 1"))
        #expect(info.contains("00:50:56:aa:bb:01"))
    }

    /// Pieces of a mebibyte with their SHA-1, the first and the last also where they are zeros; read back as it lies.
    @Test func anXVA() throws {
        let directory = try TemporaryDirectory()
        let disk = directory.path("disk.img")
        try Tool.run("truncate", ["-s", "5246464", disk])
        try Tool.run(
            "sh",
            [
                "-c", "head -c 1000 /dev/urandom | dd of=\"$0\" bs=1 seek=2500000 conv=notrunc status=none",
                disk,
            ])
        let xva = directory.path("web.xva")
        try Fixture.diskgraft("convert", "-O", "xva", disk, xva)
        let names = try Tool.run("tar", ["-tf", xva]).text.split(separator: "\n").map(String.init)
        #expect(names.first == "ova.xml")
        let pieces = names.filter { !$0.hasSuffix(".checksum") && $0 != "ova.xml" }
        #expect(pieces == ["00000000", "00000002", "00000005"].map { "Ref:10000/\($0)" })
        let out = directory.path("out")
        try Tool.run("mkdir", [out])
        try Tool.run("tar", ["-xf", xva, "-C", out])
        for piece in pieces {
            let digest = try Tool.run("sha1sum", ["\(out)/\(piece)"]).text.prefix(40)
            #expect(String(decoding: try fileBytes("\(out)/\(piece).checksum"), as: UTF8.self) == digest)
        }
        try Fixture.diskgraft("convert", xva, directory.path("back.img"))
        #expect(try fileBytes(directory.path("back.img")) == fileBytes(disk))
    }

    /// Nothing is made where it cannot be, and nothing half-made is left.
    @Test func whatIsNotPacked() throws {
        let directory = try TemporaryDirectory()
        let raw = try Fixture.guest(in: directory)
        for (arguments, status) in [
            (["migrate", raw, directory.path("a.ova"), "--to", "kvm"], 64),
            (["migrate", raw, directory.path("a.xva"), "--to", "vmware"], 64),
            (["migrate", raw, directory.path("a.ova"), "--to", "vmware", "--vm", "ovf"], 64),
            (["convert", raw, directory.path("no/a.ova")], 1),
            (["convert", "--salvage", raw, directory.path("a.ova")], 64),
        ] {
            try Tool.run(Fixture.command, arguments, expect: Int32(status)...Int32(status))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.root)
        #expect(names == ["guest.img"])
    }
}
