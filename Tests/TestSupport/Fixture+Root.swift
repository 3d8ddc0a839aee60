internal import Foundation

extension Fixture {
    /// A disk of one partition that holds `contents` (a file), with 1 MiB before it.
    public static func disk(_ contents: String, type: String, in directory: TemporaryDirectory) throws
        -> String
    {
        let size = try FileManager.default.attributesOfItem(atPath: contents)[.size] as? UInt64 ?? 0
        let disk = try directory.sparse("disk.img", byteCount: size + (2 << 20))
        try Tool.run(
            "sfdisk", ["-q", "--no-reread", "--no-tell-kernel", disk],
            input: "label: dos\nstart=2048, size=\(size / 512), type=\(type)\n")
        try Tool.run(
            "dd", ["if=\(contents)", "of=\(disk)", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"])
        try addBootCode(to: disk)
        return disk
    }

    /// Puts something into the first sector that a BIOS would start.
    public static func addBootCode(to disk: String) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: disk))
        try file.write(contentsOf: Data([0xeb, 0x63, 0x90]))
        try file.close()
    }

    /// An ext4 file system of 8 MiB that holds a directory's tree.
    public static func fileSystem(_ path: String, _ tree: String) throws {
        try Tool.run("truncate", ["-s", "8M", path])
        try Tool.run(
            "mke2fs", ["-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^resize_inode", "-d", tree, path])
    }

    /// A disk whose only partition is an ext4 root with these files.
    public static func root(
        _ files: [String: String], name: String = "guest", in directory: TemporaryDirectory
    ) throws -> String {
        for (path, text) in files.merging(standIns(for: files), uniquingKeysWith: { own, _ in own }) {
            try directory.write("\(name)-tree/\(path)", text)
        }
        let file = directory.path("\(name)-fs")
        try fileSystem(file, directory.path("\(name)-tree"))
        let image = try disk(file, type: "83", in: directory)
        let place = directory.path("\(name).img")
        try FileManager.default.moveItem(atPath: image, toPath: place)
        return place
    }

    /// What a guest's menus load, where none of it is among its files; of one without menus, a kernel.
    private static func standIns(for files: [String: String]) -> [String: String] {
        let isGuest = files.keys.contains { ["etc/fstab", "etc/os-release"].contains($0) }
        let hasKernel = files.keys.contains { $0.contains("vmlinu") || $0.contains("bzImage") }
        guard isGuest, !hasKernel else { return [:] }
        var found = ["boot/kernel": "stand-in"]
        for (path, text) in files where path.hasPrefix("boot/") {
            let words = text.split { $0.isWhitespace || "{};=".contains($0) }
            for (command, file) in zip(words, words.dropFirst())
            where ["linux", "linux16", "linuxefi", "kernel", "initrd", "initrd16", "initrdefi"].contains(
                command)
                && file.first == "/"
            {
                found[String(file.dropFirst())] = command.hasPrefix("initrd") ? emptyArchive : "stand-in"
            }
        }
        return found
    }

    /// An initramfs without a file: the last member of a cpio archive alone.
    public static let emptyArchive =
        "070701" + String(repeating: "0", count: 32) + "00000001" + String(repeating: "0", count: 48)
        + "0000000B00000000TRAILER!!!\0\0\0\0"
}
