import Foundation
import TestSupport
import Testing

/// A long change is cut off in its first part, which holds nothing but contents; the guest then stores the same file itself, and
/// gets the same space for it: no sector there is one that the change does not know. What the change relied on tells.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "strace", "cmp"), "judges are missing"))
struct GuestStoresTheSameTests {
    enum Kind: String, CaseIterable {
        case ext4, ext4Short, ext2, fat, xfs, ext4OnQCOW2

        var isThere: Bool {
            switch self {
            case .fat: Tool.has("mkfs.vfat", "mcopy", "fsck.vfat")
            case .xfs: Tool.has("mkfs.xfs", "xfs_repair") && LoopDevices.areThere
            case .ext4OnQCOW2: Tool.has("qemu-img", "qemu-io")
            default: true
            }
        }
    }

    private static let size = 44 << 20

    private static func volume(_ kind: Kind, in directory: TemporaryDirectory) throws -> String {
        let image = try directory.sparse("disk.img", byteCount: kind == .xfs ? 320 << 20 : 160 << 20)
        switch kind {
        case .ext4, .ext4OnQCOW2:
            try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + ["-b", "4096", image])
        // A journal that a part of the contents' map fills.
        case .ext4Short:
            try Tool.run(
                "mke2fs", ["-q", "-F"] + EditCommandTests.ext3 + ["-b", "4096", "-J", "size=4", image])
        case .ext2: try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext2 + ["-b", "4096", image])
        case .fat: try Tool.run("mkfs.vfat", ["-F", "32", image])
        case .xfs: try Tool.run("mkfs.xfs", ["-q", image])
        }
        guard kind == .ext4OnQCOW2 else { return image }
        try Tool.run("qemu-img", ["convert", "-O", "qcow2", image, directory.path("disk.qcow2")])
        return directory.path("disk.qcow2")
    }

    /// Stores `file` as the guest would.
    private static func store(_ file: String, _ kind: Kind, _ image: String, in directory: TemporaryDirectory)
        throws
    {
        switch kind {
        case .ext4, .ext4Short, .ext2: try Tool.run("debugfs", ["-w", "-R", "write \(file) mine", image])
        case .fat: try Tool.run("mcopy", ["-i", image, file, "::mine"])
        case .xfs:
            let device = try LoopDevices.attach(image)
            defer { _ = try? Tool.run("losetup", ["-d", device]) }
            let point = directory.path("mnt")
            try Tool.run("mkdir", ["-p", point])
            try Tool.run("mount", [device, point])
            defer { _ = try? Tool.run("umount", [point]) }
            try Tool.run("cp", [file, point + "/mine"])
        case .ext4OnQCOW2:
            // What a mount does first, with all the rest left out.
            try Tool.run("qemu-io", ["-c", "write -P 9 1076 4", image])
        }
    }

    @Test(arguments: Kind.allCases, [2, 3, 5])
    func whatTheGuestStoredStays(_ kind: Kind, _ call: Int) throws {
        guard kind.isThere else { return }
        let directory = try TemporaryDirectory()
        let image = try Self.volume(kind, in: directory)
        // The same byte all over: wherever blocks of it lie, they are alike.
        let file = try directory.write("file", [UInt8](repeating: 0x41, count: Self.size))
        try Tool.run("cp", ["--sparse=always", image, image + ".before"])
        // Killed at that write to the image.
        try Tool.run(
            "strace",
            [
                "-f", "-o", "/dev/null", "-P", image, "-e", "trace=pwrite64", "-e",
                "inject=pwrite64:signal=KILL:when=\(call)", Fixture.command, "put", "--volume", "disk", image,
                file,
                "/mine",
            ], expect: nil)
        try Fixture.diskgraft("ls", "--volume", "disk", image, "/", expect: 2...2)

        // Where nobody did anything it goes back.
        let copy = directory.path("copy")
        try Tool.run("mkdir", [copy])
        let other = copy + "/" + (image as NSString).lastPathComponent
        try Tool.run("cp", ["-a", "--sparse=always", image, image + ".undo", copy])
        try Fixture.diskgraft("undo", other)
        #expect(try Tool.run("cmp", [image + ".before", other], expect: nil).status == 0)

        try Self.store(file, kind, image, in: directory)
        try Tool.run("cp", ["--sparse=always", image, image + ".now"])
        for command in [["undo", image], ["mkdir", "--volume", "disk", image, "/new"]] {
            let refused = try Tool.run(Fixture.command, command, expect: 2...2)
            #expect(refused.errorText.contains("cut off"), "\(command): \(refused.errorText)")
            #expect(try Tool.run("cmp", [image + ".now", image], expect: nil).status == 0, "\(command)")
        }
        // Left as it is, it holds what the guest stored.
        try Fixture.diskgraft("undo", "--discard", image, expect: 0...1)
        guard kind != .ext4OnQCOW2 else { return }
        let out = directory.path("out")
        try Fixture.diskgraft("get", "--volume", "disk", image, "/mine", out)
        #expect(try Tool.run("cmp", [file, out], expect: nil).status == 0)
        switch kind {
        case .fat: try Tool.run("fsck.vfat", ["-n", image])
        case .xfs: try Tool.run("xfs_repair", ["-n", image])
        default:
            // Without a journal it is left to e2fsck to finish.
            if kind == .ext2 { try Tool.run("e2fsck", ["-p", image], expect: 0...1) }
            try Tool.run("e2fsck", ["-fn", image])
        }
    }
}
