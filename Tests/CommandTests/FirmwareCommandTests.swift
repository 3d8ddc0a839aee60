import DiskGraft
import Foundation
import Storage
import TestSupport
import Testing

/// A loader where a machine with an empty variable store looks for it: partitions made by mkfs.vfat and mtools, judged by
/// mtools and fsck.vfat.
@Suite(
    .enabled(
        if: Tool.has("mkfs.vfat", "fsck.vfat", "mcopy", "mmd", "mdir", "sfdisk", "mke2fs", "qemu-img"),
        "mkfs.vfat, fsck.vfat, mtools, sfdisk, mke2fs or qemu-img is missing"))
struct FirmwareCommandTests {
    private static let rootUUID = "11111111-1111-4111-8111-111111111111"
    private static let espByteCount = 8 << 20
    private static let shim = TestProgram.shim(issuer: "Microsoft Corporation UEFI CA 2011")
    private static let grub = TestProgram.grub(prefix: "/EFI/debian", issuer: "Debian Secure Boot CA")

    /// The loaders of a Debian with Secure Boot.
    private static let debian: [String: [UInt8]] = [
        "EFI/debian/shimx64.efi": shim, "EFI/debian/grubx64.efi": grub,
        "EFI/debian/mmx64.efi": TestProgram.bytes(), "EFI/debian/fbx64.efi": TestProgram.bytes(),
        "EFI/debian/grub.cfg": Array(
            "search.fs_uuid \(rootUUID) root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n"
                .utf8),
    ]

    /// A GPT disk: these files on an EFI system partition, then a Debian.
    private static func disk(
        _ files: [String: [UInt8]], in directory: TemporaryDirectory, root more: [String: String] = [:],
        hasMenu: Bool = true
    ) throws -> String {
        let image = try directory.sparse("disk.raw", byteCount: 64 << 20)
        try Tool.run(
            "sfdisk", ["-q", image], input: "label: gpt\n2048,\(espByteCount >> 9),U\n20480,65536,L\n")
        let esp = directory.path("esp")
        try Tool.run("mkfs.vfat", ["-i", "abcd1234", "-n", "ESP", "-C", esp, "\(espByteCount >> 10)"])
        var made: Set<String> = []
        for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
            var folder = ""
            for part in path.split(separator: "/").dropLast() {
                folder += "/\(part)"
                if made.insert(folder).inserted { try Tool.run("mmd", ["-i", esp, "::\(folder)"]) }
            }
            try Tool.run("mcopy", ["-i", esp, try directory.write("file", bytes), "::/\(path)"])
        }
        try Tool.run(
            "dd", ["if=\(esp)", "of=\(image)", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"])
        var contents = [
            "etc/os-release": "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n",
            "etc/fstab":
                "UUID=\(rootUUID) / ext4 defaults 0 1\nUUID=ABCD-1234 /boot/efi vfat umask=0077 0 1\n",
            "boot/vmlinuz-6.1.0": "kernel", "boot/initrd.img-6.1.0": "-rom1fs-", "boot/efi/.keep": "",
        ]
        if hasMenu {
            contents["boot/grub/grub.cfg"] =
                "menuentry 'Debian' {\n\tlinux /boot/vmlinuz-6.1.0 root=UUID=\(rootUUID) ro\n\tinitrd /boot/initrd.img-6.1.0\n}\n"
        }
        contents.merge(more) { $1 }
        let tree = directory.path("tree")
        for (path, text) in contents {
            let place = "\(tree)/\(path)"
            try FileManager.default.createDirectory(
                atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: place))
        }
        let ext = directory.path("ext")
        try Tool.run(
            "mke2fs",
            [
                "-q", "-F", "-O", "has_journal,ext_attr,dir_index,filetype,extent,64bit,metadata_csum", "-U",
                rootUUID, "-d", tree, ext, "32M",
            ])
        try Tool.run(
            "dd", ["if=\(ext)", "of=\(image)", "bs=1M", "seek=10", "conv=notrunc,sparse", "status=none"])
        return image
    }

    private func file(_ path: String, of image: String, in directory: TemporaryDirectory) throws -> [UInt8] {
        let out = directory.path("out")
        try Tool.run("mcopy", ["-n", "-i", "\(image)@@1M", "::/\(path)", out])
        defer { try? FileManager.default.removeItem(atPath: out) }
        return try fileBytes(out)
    }

    private func requireSound(_ image: String, in directory: TemporaryDirectory) throws {
        let volume = directory.path("volume")
        try Tool.run(
            "dd", ["if=\(image)", "of=\(volume)", "bs=1M", "skip=1", "count=8", "status=none"])
        try Tool.run("fsck.vfat", ["-n", volume])
    }

    @Test func theLoaderIsPutThereAndTakenBack() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.disk(Self.debian, in: directory)
        let before = try fileBytes(image)
        let shown = try Fixture.diskgraft("inspect", image).text
        #expect(shown.contains("p1:/EFI/BOOT/BOOTX64.EFI (loader; not there)"), "\(shown)")
        let plan = try Fixture.diskgraft("plan", image, "--to", "vmware").text
        #expect(
            plan.contains("copy /boot/efi/EFI/debian/shimx64.efi to /boot/efi/EFI/BOOT/BOOTX64.EFI"),
            "\(plan)")
        #expect(plan.contains("signed under Microsoft Corporation UEFI CA 2011"), "\(plan)")
        #expect(plan.contains("→ /boot/vmlinuz-6.1.0 (kernel)"), "\(plan)")
        #expect(try fileBytes(image) == before)
        try Fixture.diskgraft("patch", image, "--to", "vmware")
        #expect(try file("EFI/BOOT/BOOTX64.EFI", of: image, in: directory) == Self.shim)
        #expect(try file("EFI/BOOT/grubx64.efi", of: image, in: directory) == Self.grub)
        let names = try Tool.run("mdir", ["-b", "-i", "\(image)@@1M", "::/EFI/BOOT"]).text
        #expect(names.split(separator: "\n").count == 3, "\(names)")
        try requireSound(image, in: directory)
        #expect(try Fixture.diskgraft("patch", image, "--to", "vmware").text.contains("nothing to do"))
        // The way back to a BIOS takes nothing away.
        _ = try Fixture.diskgraft("plan", image, "--to", "hyperv", expect: 2...2)
        try Fixture.diskgraft("undo", image)
        #expect(try fileBytes(image) == before)
    }

    @Test func migrateAndNever() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.disk(Self.debian, in: directory)
        let before = try fileBytes(image)
        let copy = directory.path("copy.raw")
        try Fixture.diskgraft("migrate", image, copy, "--to", "hyperv-gen2", "-O", "raw")
        #expect(try file("EFI/BOOT/BOOTX64.EFI", of: copy, in: directory) == Self.shim)
        try requireSound(copy, in: directory)
        let never = try Fixture.diskgraft("patch", image, "--to", "kvm", "--efi-fallback", "never").text
        #expect(never.contains("EFI/BOOT/BOOTX64.EFI is not there") && never.contains("nothing to do"))
        #expect(try fileBytes(image) == before)
        let wrong = try Fixture.diskgraft(
            "plan", image, "--to", "kvm", "--efi-fallback", "x", expect: 64...64)
        #expect(wrong.errorText.contains("auto or never"), "\(wrong.errorText)")
    }

    @Test(arguments: ["full", "dirty", "damaged"])
    func aPartitionThatCannotBeWritten(_ fault: String) throws {
        let directory = try TemporaryDirectory()
        var files = Self.debian
        if fault == "full" { files["filler"] = [UInt8](repeating: 7, count: (Self.espByteCount - 250_000)) }
        let image = try Self.disk(files, in: directory)
        var bytes = try fileBytes(image)
        let words: String
        switch fault {
        case "full":
            // What is left is less than one of the loaders.
            for (size, count) in [(40_000, 8), (4000, 12), (500, 40)] {
                let rest = try directory.write("rest", [UInt8](repeating: 7, count: size))
                for number in 0..<count {
                    let name = "::/rest-\(size)-\(number)"
                    try Tool.run("mcopy", ["-i", "\(image)@@1M", rest, name], expect: nil)
                }
            }
            bytes = try fileBytes(image)
            words = "more are needed"
        case "dirty":
            bytes[(1 << 20) + 0x25] |= 1
            words = "not unmounted"
        default:
            // The first cluster of the directory EFI is free in the table.
            let table = (1 << 20) + 512 * Int(bytes[(1 << 20) + 14])
            bytes.replaceSubrange(table + 3..<table + 12, with: [UInt8](repeating: 0, count: 9))
            words = "/EFI cannot be read"
        }
        let faulty = try directory.write("faulty.raw", bytes)
        for arguments in [
            ["plan", faulty], ["patch", faulty], ["migrate", faulty, directory.path("x.raw")],
        ] {
            let result = try Tool.run(Fixture.command, arguments + ["--to", "kvm"], expect: 2...2)
            #expect((result.text + result.errorText).contains(words), "\(result.text)\(result.errorText)")
            #expect(try fileBytes(faulty) == bytes)
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path("x.raw")))
    }

    /// systemd-boot's entries on the partition are edited like those elsewhere.
    @Test func entriesOnThePartition() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.disk(
            [
                "EFI/systemd/systemd-bootx64.efi": TestProgram.systemdBoot,
                "loader/loader.conf": Array("default debian\n".utf8),
                "loader/entries/debian.conf": Array(
                    "title Debian\r\nlinux /vmlinuz\r\ninitrd /initrd\r\noptions root=/dev/sda2 ro".utf8),
                "vmlinuz": [1, 2, 3], "initrd": Array("-rom1fs-".utf8),
            ], in: directory, root: ["boot/efi/.keep": ""], hasMenu: false)
        let plan = try Fixture.diskgraft("patch", image, "--to", "kvm").text
        #expect(
            try file("loader/entries/debian.conf", of: image, in: directory)
                == Array(
                    "title Debian\r\nlinux /vmlinuz\r\ninitrd /initrd\r\noptions root=UUID=\(Self.rootUUID) ro"
                        .utf8))
        #expect(try file("EFI/BOOT/BOOTX64.EFI", of: image, in: directory) == TestProgram.systemdBoot)
        #expect(plan.contains("→ /boot/efi/vmlinuz (kernel)"), "\(plan)")
        try requireSound(image, in: directory)
        #expect(try Fixture.diskgraft("patch", image, "--to", "kvm").text.contains("nothing to do"))
    }
}
