import Initramfs
import Storage
import TestSupport

/// Makes images with the programs that make real ones.
struct ImageMaker {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Programs by the name that a member's encoding has; nil packs nothing.
    static let packers: [(codec: String?, program: String, arguments: [String])] = [
        (nil, "cat", []), ("gzip", "gzip", ["-c"]), ("bzip2", "bzip2", ["-c"]),
        ("xz", "xz", ["-c", "--check=crc32"]), ("lzma", "xz", ["-c", "--format=lzma"]),
        ("lz4-legacy", "lz4", ["-l", "-c"]), ("lzo", "lzop", ["-c"]), ("zstd", "zstd", ["-q", "-c"]),
    ]

    static func packer(_ codec: String?) -> (program: String, arguments: [String])? {
        packers.first { $0.codec == codec }.map { ($0.program, $0.arguments) }
    }

    /// Runs shell commands in an empty directory of that name, and packs what they made by cpio.
    func archive(_ name: String, _ commands: String, format: String = "newc") throws -> [UInt8] {
        let root = directory.path(name)
        try Tool.run("mkdir", ["-p", root])
        try Tool.run("sh", ["-ec", commands], directory: root)
        return try Tool.run(
            "sh", ["-ec", "find . -mindepth 1 | LC_ALL=C sort | cpio -o -H \(format) --quiet"],
            directory: root
        ).output
    }

    func packed(_ bytes: [UInt8], _ codec: String?) throws -> [UInt8] {
        guard let packer = Self.packer(codec) else { throw Failure(description: "no packer") }
        let path = try directory.write("unpacked", bytes)
        return try Tool.run(packer.program, packer.arguments + [path]).output
    }

    static func packed(_ bytes: [UInt8], _ codec: String?) throws -> [UInt8] {
        try ImageMaker().packed(bytes, codec)
    }
}

/// An archive entry by entry, for what no program would write.
struct RawArchive {
    var bytes: [UInt8] = []

    mutating func add(
        _ name: String, mode: UInt32 = 0o100644, _ contents: [UInt8] = [], inode: UInt32 = 1,
        links: UInt32 = 1,
        magic: String = "070701", size: UInt32? = nil, nameSize: UInt32? = nil, check: UInt32 = 0
    ) {
        func hex(_ value: UInt32) -> String {
            let text = String(value, radix: 16, uppercase: true)
            return String(repeating: "0", count: 8 - text.count) + text
        }
        let fields: [UInt32] = [
            inode, mode, 0, 0, links, 0, size ?? UInt32(contents.count), 0, 0, 0, 0,
            nameSize ?? UInt32(name.utf8.count + 1), check,
        ]
        bytes += Array((magic + fields.map(hex).joined()).utf8)
        bytes += Array(name.utf8) + [0]
        pad()
        bytes += contents
        pad()
    }

    mutating func directory(_ name: String) { add(name, mode: 0o040755, links: 2) }
    mutating func link(_ name: String, _ target: String) { add(name, mode: 0o120777, Array(target.utf8)) }

    mutating func file(_ name: String, _ text: String) { add(name, Array(text.utf8)) }

    /// The archive with its end.
    func ended() -> [UInt8] {
        var copy = self
        copy.add("TRAILER!!!", mode: 0)
        return copy.bytes
    }

    mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }

    static func make(_ body: (inout RawArchive) -> Void) -> [UInt8] {
        var archive = RawArchive()
        body(&archive)
        return archive.ended()
    }
}

extension InitramfsContents {
    static func read(_ bytes: [UInt8], limits: InitramfsLimits = InitramfsLimits()) throws
        -> InitramfsContents
    {
        try InitramfsImage(ByteSource(bytes), limits: limits).contents { _, _ in true }
    }

    func text(_ path: String) -> String? {
        bytes(of: path).map { String(decoding: $0, as: UTF8.self) }
    }

    var paths: [String] { files.map { String(decoding: $0.path, as: UTF8.self) } }
}
