import Foundation
import TestSupport
import Testing

/// A long change is cut off in its first part, which holds nothing but contents; the guest then stores the same file itself, and
/// gets the same space for it: no sector there is one that the change does not know. What the change relied on tells.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "strace", "cmp"), "judges are missing"))
struct GuestStoresTheSameTests {
    enum Kind: String, CaseIterable {
        case ext4, ext4Short, ext2, fat, xfs, ext4OnQCOW2, ext4OnVHDX, ext4OnVHD, ext4OnVMDK, ext4OnLVM,
            ext4OnMirror

        var isThere: Bool {
            switch self {
            case .fat: Tool.has("mkfs.vfat", "mcopy", "fsck.vfat")
            case .xfs: Tool.has("mkfs.xfs", "xfs_repair") && LoopDevices.areThere
            case .ext4OnQCOW2, .ext4OnVHDX, .ext4OnVHD, .ext4OnVMDK: Tool.has("qemu-img", "qemu-io")
            case .ext4OnMirror: Tool.has("python3")
            default: true
            }
        }

        /// qemu's name of the image's format, where it is not raw.
        var format: String? {
            switch self {
            case .ext4OnQCOW2: "qcow2"
            case .ext4OnVHDX: "vhdx"
            case .ext4OnVHD: "vpc"
            case .ext4OnVMDK: "vmdk"
            default: nil
            }
        }

        /// The volume's name.
        var volume: String {
            switch self {
            case .ext4OnLVM: "vg/data"
            case .ext4OnMirror: "md0"
            default: "disk"
            }
        }

        /// Where it lies on the disk.
        var offset: Int { self == .ext4OnLVM ? LVMFixture.dataStart : 0 }
    }

    private static let size = 44 << 20

    private static func volume(_ kind: Kind, in directory: TemporaryDirectory) throws -> String {
        let image = try directory.sparse("disk.img", byteCount: kind == .xfs ? 320 << 20 : 160 << 20)
        switch kind {
        case .ext4OnLVM:
            let text = LVMFixture.group(
                physical: [LVMFixture.first], logical: LVMFixture.linear("data", "\"pv0\", 0", count: 160),
                extents: 161)
            // The rest of the disk is zeros.
            let head = LVMFixture(LVMFixture.first, megabytes: 162).bytes(text).prefix(LVMFixture.dataStart)
            try directory.write("disk.img", Array(head))
            try Tool.run("truncate", ["-s", "162M", image])
            try Tool.run(
                "mke2fs",
                ["-q", "-F"] + EditCommandTests.ext4 + [
                    "-b", "4096", "-E", "offset=\(LVMFixture.dataStart)", image, "40960",
                ])
        case .ext4OnMirror:
            try Tool.run(
                "mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + ["-b", "4096", image, "40700"])
            try Tool.run("cp", ["--sparse=always", image, directory.path("second.img")])
            try Tool.run("python3", ["-c", mirror, image, directory.path("second.img")])
        case .ext4, .ext4OnQCOW2, .ext4OnVHDX, .ext4OnVHD, .ext4OnVMDK:
            try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + ["-b", "4096", image])
        // A journal that a part of the contents' map fills.
        case .ext4Short:
            try Tool.run(
                "mke2fs", ["-q", "-F"] + EditCommandTests.ext3 + ["-b", "4096", "-J", "size=4", image])
        case .ext2: try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext2 + ["-b", "4096", image])
        case .fat: try Tool.run("mkfs.vfat", ["-F", "32", image])
        case .xfs: try Tool.run("mkfs.xfs", ["-q", image])
        }
        guard let format = kind.format else { return image }
        try Tool.run("qemu-img", ["convert", "-O", format, image, directory.path("disk.\(format)")])
        return directory.path("disk.\(format)")
    }

    /// Superblocks of version 1.0, at the members' ends, so that what is mirrored begins where they do.
    private static let mirror = """
        import os, struct, sys
        for role, path in enumerate(sys.argv[1:]):
            place = (os.path.getsize(path) // 512 - 16) // 8 * 8
            size = (place - 256) // 128 * 128
            block = bytearray(256 + 2 * 4)
            def put(offset, form, *values): struct.pack_into('<' + form, block, offset, *values)
            put(0, 'IIII', 0xa92b4efc, 1, 0, 0)
            block[16:32] = bytes([0x5a]) * 16
            block[32:38] = b'host:0'
            put(72, 'iIQIi', 1, 0, size, 0, 2)
            put(128, 'QQQ', 0, size, place)
            put(160, 'I', role)
            block[168:184] = bytes([role + 1]) * 16
            put(200, 'QQ', 10, 2**64 - 1)
            put(220, 'I', 4)
            put(256, 'HHHH', 0, 1, 0xffff, 0xffff)
            total = sum(struct.unpack('<66I', block))
            put(216, 'I', ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
            with open(path, 'r+b') as f:
                f.seek(place * 512)
                f.write(block)
        """

    /// Stores `file` as the guest would.
    private static func store(_ file: String, _ kind: Kind, _ image: String, in directory: TemporaryDirectory)
        throws
    {
        switch kind {
        case .ext4, .ext4Short, .ext2, .ext4OnLVM, .ext4OnMirror:
            // Of a mirror in both of its members.
            for member in [image] + (kind == .ext4OnMirror ? [directory.path("second.img")] : []) {
                try Tool.run(
                    "debugfs", ["-w", "-R", "write \(file) mine", "\(member)?offset=\(kind.offset)"])
            }
        case .fat: try Tool.run("mcopy", ["-i", image, file, "::mine"])
        case .xfs:
            let device = try LoopDevices.attach(image)
            defer { _ = try? Tool.run("losetup", ["-d", device]) }
            let point = directory.path("mnt")
            try Tool.run("mkdir", ["-p", point])
            try Tool.run("mount", [device, point])
            defer { _ = try? Tool.run("umount", [point]) }
            try Tool.run("cp", [file, point + "/mine"])
        case .ext4OnQCOW2, .ext4OnVHDX, .ext4OnVHD, .ext4OnVMDK:
            // What a mount does first, with all the rest left out.
            try Tool.run("qemu-io", ["-f", kind.format ?? "raw", "-c", "write -P 9 1076 4", image])
        }
    }

    @Test(arguments: Kind.allCases, [2, 3, 5])
    func whatTheGuestStoredStays(_ kind: Kind, _ call: Int) throws {
        guard kind.isThere else { return }
        let directory = try TemporaryDirectory()
        let image = try Self.volume(kind, in: directory)
        let images = [image] + (kind == .ext4OnMirror ? [directory.path("second.img")] : [])
        let with = images.dropFirst().flatMap { ["--with", $0] }
        // The same byte all over: wherever blocks of it lie, they are alike.
        let file = try directory.write("file", [UInt8](repeating: 0x41, count: Self.size))
        for image in images { try Tool.run("cp", ["--sparse=always", image, image + ".before"]) }
        // Killed at that write to the image.
        try Tool.run(
            "strace",
            [
                "-f", "-o", "/dev/null", "-P", image, "-e", "trace=pwrite64", "-e",
                "inject=pwrite64:signal=KILL:when=\(call)", Fixture.command, "put", "--volume", kind.volume,
                image,
                file, "/mine",
            ] + with, expect: nil)
        try Tool.run(Fixture.command, ["ls", "--volume", kind.volume, image, "/"] + with, expect: 2...2)

        // Where nobody did anything it goes back.
        let copy = directory.path("copy")
        try Tool.run("mkdir", [copy])
        func other(_ image: String) -> String { copy + "/" + (image as NSString).lastPathComponent }
        for image in images {
            try Tool.run("cp", ["-a", "--sparse=always", image, copy])
            if FileManager.default.fileExists(atPath: image + ".undo") {
                try Tool.run("cp", ["-a", image + ".undo", copy])
            }
        }
        try Tool.run(
            Fixture.command, ["undo", other(image)] + images.dropFirst().flatMap { ["--with", other($0)] })
        for image in images {
            #expect(try Tool.run("cmp", [image + ".before", other(image)], expect: nil).status == 0)
        }

        try Self.store(file, kind, image, in: directory)
        for image in images { try Tool.run("cp", ["--sparse=always", image, image + ".now"]) }
        for command in [["undo", image], ["mkdir", "--volume", kind.volume, image, "/new"]] {
            let refused = try Tool.run(Fixture.command, command + with, expect: 2...2)
            #expect(refused.errorText.contains("cut off"), "\(command): \(refused.errorText)")
            for image in images {
                #expect(try Tool.run("cmp", [image + ".now", image], expect: nil).status == 0, "\(command)")
            }
        }
        // Left as it is, it holds what the guest stored.
        try Tool.run(Fixture.command, ["undo", "--discard", image] + with, expect: 0...1)
        guard kind.format == nil else { return }
        let out = directory.path("out")
        try Tool.run(Fixture.command, ["get", "--volume", kind.volume, image, "/mine", out] + with)
        #expect(try Tool.run("cmp", [file, out], expect: nil).status == 0)
        switch kind {
        case .fat: try Tool.run("fsck.vfat", ["-n", image])
        case .xfs: try Tool.run("xfs_repair", ["-n", image])
        default:
            // Without a journal it is left to e2fsck to finish.
            if kind == .ext2 { try Tool.run("e2fsck", ["-p", image], expect: 0...1) }
            for image in images { try Tool.run("e2fsck", ["-fn", "\(image)?offset=\(kind.offset)"]) }
        }
    }
}
