import Foundation
import TestSupport
import Testing

/// Commands over large volumes and many files keep the memory that docs/limits.md says: a leak by file, level or byte would not.
@Suite(.enabled(if: Tool.has("mke2fs", "python3", "truncate"), "mke2fs, python3 or truncate is missing"))
struct MemoryOfManyTests {
    @Test(arguments: [
        [
            "mke2fs", "-t", "ext4", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", "-N", "65536",
            "v.img", "512G",
        ],
        // Something of the volume's own lies in each of 65,536 groups.
        [
            "mke2fs", "-F", "-O", "none,uninit_bg,filetype,sparse_super,large_file", "-E",
            "lazy_itable_init=1", "-N", "4194304", "v.img", "8T",
        ],
        ["mkfs.xfs", "-f", "-l", "size=64m", "-d", "file,name=v.img,size=8t"],
        ["mkfs.vfat", "-F", "32", "-s", "128", "v.img"],
    ])
    func checksOfLargeVolumes(_ make: [String]) throws {
        guard Tool.has(make[0]) else { return }
        let directory = try TemporaryDirectory()
        if make[0] == "mkfs.vfat" { _ = try directory.sparse("v.img", byteCount: 64 << 30) }
        try Tool.run(make[0], Array(make.dropFirst()), directory: directory.root)
        let check = try MemoryLimitTests.run(192, ["check", "v.img"], in: directory)
        #expect(check.status == 0, "\(check.text.prefix(200))\(check.errorText.prefix(200))")
        guard make[0] == "mkfs.vfat" else { return }
        // The first change counts the clusters too.
        let mkdir = try MemoryLimitTests.run(
            192, ["mkdir", "--volume", "disk", "v.img", "/d"], in: directory)
        #expect(mkdir.status == 0, "\(mkdir.errorText.prefix(200))")
    }

    @Test func manyFilesInAndOut() throws {
        let directory = try TemporaryDirectory()
        try Tool.run(
            "mke2fs", ["-q"] + EditCommandTests.ext4 + ["-b", "4096", "-N", "20000", "v.img", "256M"],
            directory: directory.root)
        let script = """
            import io, sys, tarfile
            with tarfile.open(sys.argv[1], 'w') as t:
                for number in range(6000):
                    if number % 100 == 0:
                        d = tarfile.TarInfo(f'd{number // 100}')
                        d.type, d.mode = tarfile.DIRTYPE, 0o755
                        t.addfile(d)
                    f = tarfile.TarInfo(f'd{number // 100}/a-file-of-some-name-{number}')
                    f.size = 100
                    t.addfile(f, io.BytesIO(b'x' * 100))
            """
        try Tool.run("python3", ["-c", script, directory.path("many.tar")])
        func run(_ mebibytes: Int, _ arguments: String...) throws {
            let result = try MemoryLimitTests.run(
                mebibytes, [arguments[0], "--volume", "disk"] + arguments.dropFirst(), in: directory)
            #expect(result.status == 0, "\(arguments): \(result.errorText.prefix(200))")
        }
        try run(256, "untar", "v.img", "many.tar", "/")
        // A piece and a thread for every core.
        let cores = ProcessInfo.processInfo.activeProcessorCount
        try run(192 + 64 * cores, "ls", "-R", "--json", "--hash", "sha256", "v.img", "/")
        try run(256, "rm", "-r", "v.img", "/d1", "/d2", "/d3")
        try run(192, "mkdir", "-p", "v.img", String(repeating: "/l", count: 1000))
        for _ in 0..<3 {
            let undo = try MemoryLimitTests.run(128, ["undo", "v.img"], in: directory)
            #expect(undo.status == 0, "\(undo.errorText.prefix(200))")
        }
    }

    /// What several names share is written over in its place.
    @Test func overAFileOfSeveralNames() throws {
        let directory = try TemporaryDirectory()
        try Tool.run(
            "mke2fs", ["-q"] + EditCommandTests.ext4 + ["-b", "4096", "v.img", "512M"],
            directory: directory.root)
        try directory.write("small", "x")
        try Fixture.diskgraft("put", "--volume", "disk", "v.img", "small", "/one", directory: directory.root)
        try Fixture.diskgraft("ln", "--volume", "disk", "v.img", "/one", "/two", directory: directory.root)
        _ = try directory.sparse("large", byteCount: 120 << 20)
        try Tool.run(
            "python3",
            [
                "-c",
                "import sys; f = open(sys.argv[1], 'r+b'); [f.write(bytes([1 + i % 250]) * 1048576) for i in range(120)]",
                directory.path("large"),
            ])
        let put = try MemoryLimitTests.run(
            256, ["put", "--volume", "disk", "v.img", "large", "/two"], in: directory)
        #expect(put.status == 0, "\(put.errorText.prefix(200))")
        let undo = try MemoryLimitTests.run(128, ["undo", "v.img"], in: directory)
        #expect(undo.status == 0, "\(undo.errorText.prefix(200))")
    }
}
