import Foundation
import TestSupport
import Testing

/// Commands on compressed files and on Proxmox's backups keep the memory that docs/limits.md says.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "python3"), "mke2fs, debugfs or python3 is missing"))
struct MemoryOfCompressedTests {
    /// More than what was decoded last, and such as no window reaches over.
    private static func disk(in directory: TemporaryDirectory) throws -> String {
        let path = try directory.sparse("disk.raw", byteCount: 160 << 20)
        let long = directory.path("long")
        try Tool.run("sh", ["-c", "head -c 50000000 /dev/urandom > \"$0\"", long])
        try Tool.run("mke2fs", ["-q", "-F", "-b", "4096", path])
        let commands = try directory.write("commands", "write \(long) one\nwrite \(long) two\n")
        try Tool.run("debugfs", ["-w", "-f", commands, path])
        return path
    }

    /// Reading of all kinds, from the end to the beginning too.
    private static func works(
        _ mebibytes: Int, _ image: String, named volume: String, like raw: String,
        in directory: TemporaryDirectory
    ) throws {
        for command in [
            ["info", image], ["map", "--json", image], ["ls", "-R", "--volume", volume, image, "/"],
            ["get", "--volume", volume, image, "/two", "got"],
            ["get", "--volume", volume, image, "/one", "got"],
        ] {
            try? FileManager.default.removeItem(atPath: directory.path("got"))
            let result = try MemoryLimitTests.run(mebibytes, command, in: directory)
            #expect(result.status == 0, "\(command): \(result.errorText.prefix(200))")
        }
        try Tool.run("cmp", [directory.path("got"), directory.path("long")])
        // What runs on every core has pieces of its own.
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let convert = try MemoryLimitTests.run(
            mebibytes + 64 * cores, ["convert", "--force", "-O", "raw", image, "out.raw"], in: directory)
        #expect(convert.status == 0, "\(convert.errorText.prefix(200))")
        if volume == "disk" { try Tool.run("cmp", [raw, directory.path("out.raw")]) }
    }

    @Test(arguments: [
        ("gzip", ["-1"], 192), ("bzip2", ["-1"], 192), ("lz4", ["-q", "-1"], 192), ("lzop", ["-1"], 192),
        ("xz", ["-0"], 192), ("zstd", ["-q", "-1"], 192),
        // Windows of 64 and of 128 MiB.
        ("xz", ["-0", "--lzma2=preset=0,dict=64MiB"], 256), ("zstd", ["-q", "-1", "--long=27"], 320),
    ])
    func compressedFiles(_ packer: String, _ options: [String], _ mebibytes: Int) throws {
        guard Tool.has(packer) else { return }
        let directory = try TemporaryDirectory()
        let raw = try Self.disk(in: directory)
        let words = (options + ["-c"]).joined(separator: " ")
        try Tool.run("sh", ["-c", "\(packer) \(words) < \"$0\" > \"$1\"", raw, directory.path("packed")])
        try Self.works(mebibytes, "packed", named: "disk", like: raw, in: directory)
        guard mebibytes > 192 else { return }
        // What is not enough is said, and is no damage.
        let refused = try MemoryLimitTests.run(
            mebibytes == 256 ? 112 : 176, ["map", "packed"], in: directory)
        #expect(refused.status == 0 || refused.errorText.contains("memory"), "\(refused.errorText)")
    }

    @Test func backupsOfProxmox() throws {
        let directory = try TemporaryDirectory()
        let raw = try Self.disk(in: directory)
        try Tool.run("python3", ["-c", Self.backup, raw, directory.path("guest.vma")])
        try Self.works(192, "guest.vma", named: "disk", like: raw, in: directory)
        guard Tool.has("zstd") else { return }
        try Tool.run("sh", ["-c", "zstd -q -1 < \"$0\" > \"$0.zst\"", directory.path("guest.vma")])
        try Self.works(192, "guest.vma.zst", named: "disk", like: raw, in: directory)
    }

    /// An extent of 59 clusters after the other, in reverse: no two follow each other.
    private static let backup = #"""
        import hashlib, struct, sys
        disk, path = sys.argv[1:3]
        data = open(disk, 'rb').read()
        identifier = bytes(range(16))
        blob = b'\0'
        def add(bytes):
            global blob
            place = len(blob)
            blob += struct.pack('<H', len(bytes)) + bytes
            return place
        head = bytearray(12288 + 4096)
        head[:4] = b'VMA\0'
        struct.pack_into('>I16sq', head, 4, 1, identifier, 1700000000)
        struct.pack_into('>I', head, 2044, add(b'qemu-server.conf\0'))
        struct.pack_into('>I', head, 3068, add(b'scsi0: local:vm-1-disk-0,size=160M\n'))
        name = add(b'drive-scsi0\0')
        struct.pack_into('>I4xQ', head, 4096 + 32, name, len(data))
        struct.pack_into('>III', head, 48, 12288, len(blob), len(head))
        head[12288:12288 + len(blob)] = blob
        head[32:48] = hashlib.md5(head).digest()
        with open(path, 'wb') as out:
            out.write(head)
            clusters = list(range(len(data) >> 16))[::-1]
            for start in range(0, len(clusters), 59):
                extent, body, blocks = bytearray(512), bytearray(), 0
                for slot, cluster in enumerate(clusters[start:start + 59]):
                    mask = 0
                    for block in range(16):
                        place = (cluster << 16) + block * 4096
                        part = data[place:place + 4096]
                        if part.count(0) == len(part): continue
                        mask |= 1 << block
                        blocks += 1
                        body += part
                    struct.pack_into('>HBBI', extent, 40 + slot * 8, mask, 0, 1, cluster)
                struct.pack_into('>4sHH16s', extent, 0, b'VMAE', 0, blocks, identifier)
                extent[24:40] = hashlib.md5(extent).digest()
                out.write(extent + body)
        """#
}
