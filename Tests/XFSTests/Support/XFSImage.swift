import Foundation
import Storage
import TestSupport

/// A kind of volume, as distributions make them.
struct Profile: Sendable, CustomStringConvertible {
    var name: String
    var options: [String]
    var blockSize = 4096
    var description: String { name }

    /// RHEL 7 and its kin.
    static let rhel7 = Profile(
        name: "rhel7",
        options: ["-m", "crc=1,finobt=0,reflink=0,bigtime=0,inobtcount=0,rmapbt=0", "-i", "sparse=0"])
    /// RHEL 8.
    static let rhel8 = Profile(
        name: "rhel8", options: ["-m", "finobt=1,reflink=1,bigtime=0,inobtcount=0", "-i", "sparse=1"])
    /// RHEL 9, Amazon Linux 2023, Debian 12.
    static let rhel9 = Profile(name: "rhel9", options: ["-m", "bigtime=1,inobtcount=1"])
    /// RHEL 10, Debian 13: with a reverse map and large counts of extents.
    static let rhel10 = Profile(
        name: "rhel10", options: ["-m", "rmapbt=1,bigtime=1,inobtcount=1", "-i", "nrext64=1"])
    static let smallBlocks = Profile(
        name: "1k", options: ["-b", "size=1024", "-m", "bigtime=1,inobtcount=1"], blockSize: 1024)
    static let largeSectors = Profile(
        name: "4k sectors", options: ["-s", "size=4096", "-i", "size=1024", "-l", "su=32k"])
    static let largeDirectories = Profile(name: "64k directories", options: ["-n", "size=65536"])
    /// RHEL 6: version 4, entries without types.
    static let rhel6 = Profile(name: "rhel6", options: ["-m", "crc=0", "-n", "ftype=0"])
    static let tinyBlocks = Profile(
        name: "512", options: ["-m", "crc=0", "-b", "size=512"], blockSize: 512)

    /// Early kernels: free blocks are counted in the superblock.
    static let earlyCounters = Profile(
        name: "early counters",
        options: ["-m", "crc=0", "-b", "size=512", "-l", "lazy-count=0"], blockSize: 512)

    static let all = [
        rhel7, rhel8, rhel9, rhel10, smallBlocks, largeSectors, largeDirectories, rhel6, tinyBlocks,
    ]
}

/// A volume that mkfs.xfs made.
struct XFSImage {
    static let tools = Tool.has("mkfs.xfs", "xfs_repair", "xfs_db")
    static let skipMessage = "xfsprogs is not installed"
    /// mkfs.xfs makes volumes of less than 300 MB for its own tests only.
    private static let small = "TEST_DIR=/ TEST_DEV=/ QA_CHECK_FS=/ exec mkfs.xfs -q -f -d agcount=2 \"$@\""

    let directory: TemporaryDirectory
    let path: String

    /// A volume of these files and the directories above them; `more` are lines of mkfs.xfs's prototype that go into
    /// the root.
    init(
        _ profile: Profile, files: [String: [UInt8]] = [:], more: [String] = [], byteCount: UInt64 = 32 << 20
    ) throws {
        directory = try TemporaryDirectory()
        path = try directory.sparse("image", byteCount: byteCount)
        var lines = ["/dev/null", "0 0", "d--755 0 0"]
        lines += try Self.lines(files, below: "", directory) + more + ["$", "$"]
        let prototype = try directory.write("prototype", lines.joined(separator: "\n") + "\n")
        try Tool.run("sh", ["-c", Self.small, "sh"] + profile.options + ["-p", prototype, path])
    }

    /// An image of these bytes.
    init(_ bytes: [UInt8]) throws {
        directory = try TemporaryDirectory()
        path = try directory.write("image", bytes)
    }

    /// A copy of an image, with these writes made.
    init(_ other: String, with writes: [OrderedWrites.Write]) throws {
        directory = try TemporaryDirectory()
        path = directory.path("image")
        try Tool.run("cp", ["--sparse=always", other, path])
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        for write in writes {
            try handle.seek(toOffset: write.offset)
            try handle.write(contentsOf: Data(write.bytes()))
        }
        try handle.close()
    }

    private static func lines(
        _ files: [String: [UInt8]], below prefix: String, _ directory: TemporaryDirectory
    ) throws -> [String] {
        var lines: [String] = []
        let names = Set(
            files.keys.filter { $0.hasPrefix(prefix) }.map { path in
                path.dropFirst(prefix.count).prefix { $0 != "/" }
            })
        for name in names.sorted() {
            let path = prefix + name
            if let contents = files[path] {
                let source = try directory.write("contents/" + path, contents)
                lines.append("\(name) ---644 0 0 \(source)")
            } else {
                lines +=
                    ["\(name) d--755 0 0"] + (try self.lines(files, below: path + "/", directory)) + ["$"]
            }
        }
        return lines
    }

    /// Lines of a directory of `count` entries, called `entry-0` and so on.
    static func directory(_ name: String, _ count: Int) -> [String] {
        ["\(name) d--755 0 0"] + (0..<count).map { "entry-\($0) p--644 0 0" } + ["$"]
    }

    func bytes() throws -> [UInt8] { try fileBytes(path) }

    func device() throws -> MemoryDevice { MemoryDevice(try bytes()) }

    /// What xfs_repair says against it; empty when it is sound.
    func defects() throws -> String {
        let result = try Tool.run("xfs_repair", ["-n", path], expect: nil)
        return result.status == 0 ? "" : result.errorText + result.text
    }

    /// Runs xfs_db's expert commands.
    func edit(_ commands: [String]) throws {
        try Tool.run("xfs_db", ["-x"] + commands.flatMap { ["-c", $0] } + [path])
    }
}

/// What an error says, for comparisons.
func code(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "none"
    } catch let error as StorageError {
        return error.code
    } catch {
        return "\(error)"
    }
}

extension FileTree {
    func find(_ path: String) throws -> FileID? {
        var file = rootDirectory
        for name in path.split(separator: "/") {
            guard let next = try lookUp(Array(name.utf8), in: file) else { return nil }
            file = next
        }
        return file
    }
}

extension Array where Element == UInt8 {
    var text: String { String(decoding: self, as: UTF8.self) }
}
