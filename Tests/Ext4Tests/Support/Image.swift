import Storage
import TestSupport
import Testing

/// A feature set that guests have: what mke2fs is asked for.
struct Profile: Sendable, CustomTestStringConvertible {
    let name: String
    let options: [String]
    var hasJournal = true

    var testDescription: String { name }

    static let ext3 = Profile(
        name: "P1 ext3",
        options: [
            "-t", "ext3", "-O",
            "none,has_journal,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file", "-I", "128",
        ])
    static let crc16 = Profile(
        name: "P2 ext4 uninit_bg",
        options: [
            "-t", "ext4", "-O",
            "none,has_journal,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file,extent,flex_bg,huge_file,uninit_bg,dir_nlink,extra_isize",
            "-I", "256",
        ])
    static let crc16Wide = Profile(
        name: "P3 ext4 uninit_bg 64bit",
        options: [
            "-t", "ext4", "-O",
            "none,has_journal,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file,extent,64bit,flex_bg,huge_file,uninit_bg,dir_nlink,extra_isize",
            "-I", "256",
        ])
    static let checksums = Profile(
        name: "P4 ext4 metadata_csum",
        options: [
            "-t", "ext4", "-O",
            "none,has_journal,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file,extent,64bit,flex_bg,huge_file,metadata_csum,dir_nlink,extra_isize",
            "-I", "256",
        ])
    static let seeded = Profile(
        name: "P5 ext4 csum_seed orphan_file",
        options: [
            "-t", "ext4", "-O",
            "none,has_journal,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file,extent,64bit,flex_bg,huge_file,metadata_csum,metadata_csum_seed,orphan_file,dir_nlink,extra_isize",
            "-I", "256",
        ])
    static let ext2 = Profile(
        name: "P6 ext2",
        options: [
            "-t", "ext2", "-O", "none,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file", "-I",
            "128",
        ],
        hasJournal: false)
    static let inline = Profile(
        name: "inline_data",
        options: [
            "-t", "ext4", "-O",
            "none,has_journal,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file,extent,64bit,flex_bg,huge_file,metadata_csum,inline_data,dir_nlink,extra_isize",
            "-I", "256",
        ])

    /// Checksums over everything and no journal: an ordered commit that must keep them.
    static let unjournaled = Profile(
        name: "metadata_csum without a journal",
        options: [
            "-t", "ext4", "-O",
            "none,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file,extent,64bit,flex_bg,huge_file,metadata_csum,dir_nlink,extra_isize",
            "-I", "256",
        ],
        hasJournal: false)

    static let all = [ext3, crc16, crc16Wide, checksums, seeded, ext2]
}

/// An image made by mke2fs.
struct Image {
    let directory: TemporaryDirectory
    let path: String

    /// A volume of `profile` with blocks of `blockSize` bytes that holds `files` (path to contents). On `garbage`
    /// whatever mke2fs does not write is not zero.
    init(
        _ profile: Profile, blockSize: Int, files: [String: [UInt8]] = [:], byteCount: UInt64? = nil,
        more: [String] = [], garbage: Bool = false, prepare: (String) throws -> Void = { _ in }
    ) throws {
        directory = try TemporaryDirectory()
        let tree = directory.path("tree")
        try directory.write("tree/.keep", [])
        for (name, contents) in files { try directory.write("tree/\(name)", contents) }
        try prepare(tree)
        let size = byteCount ?? (blockSize == 65536 ? 192 << 20 : 24 << 20)
        path =
            garbage
            ? try directory.write("image", [UInt8](repeating: 0xdb, count: Int(size)))
            : try directory.sparse("image", byteCount: size)
        let onGarbage = garbage ? ["-E", "nodiscard,lazy_itable_init=1"] : []
        try Tool.run(
            "mke2fs",
            ["-q", "-F", "-b", String(blockSize), "-d", tree] + profile.options + more + onGarbage + [path])
    }

    /// An image that is there.
    init(directory: TemporaryDirectory, path: String) {
        self.directory = directory
        self.path = path
    }

    /// What e2fsck finds wrong; empty when it is clean.
    func defects() throws -> String {
        let result = try Tool.run("e2fsck", ["-fn", path], expect: nil)
        guard result.status == 0 else { return result.text + result.errorText }
        let (counted, claimed) = try freeCounts()
        return counted == claimed ? "" : "the groups have \(counted) free, the superblock says \(claimed)"
    }

    /// Free blocks and inodes, summed over the groups and by the superblock. e2fsck -n passes over a superblock that
    /// differs.
    func freeCounts() throws -> (groups: [Int], superblock: [Int]) {
        var groups = [0, 0]
        var superblock = [0, 0]
        for line in try Tool.run("dumpe2fs", [path]).text.split(separator: "\n") {
            let words = line.split(whereSeparator: { " ,:".contains($0) })
            if line.hasPrefix("Free blocks:") { superblock[0] = Int(words[2]) ?? -1 }
            if line.hasPrefix("Free inodes:") { superblock[1] = Int(words[2]) ?? -1 }
            if line.hasPrefix("  "), words.count > 4, words[1...2] == ["free", "blocks"] {
                groups[0] += Int(words[0]) ?? -1
                groups[1] += Int(words[3]) ?? -1
            }
        }
        return (groups, superblock)
    }

    /// What debugfs prints for a command.
    func debugfs(_ command: String, writing: Bool = false) throws -> String {
        try Tool.run("debugfs", (writing ? ["-w"] : []) + ["-R", command, path]).text
    }

    /// A file's contents by debugfs.
    func contents(_ name: String) throws -> [UInt8] {
        let target = directory.path("dumped")
        try Tool.run("rm", ["-f", target])
        try Tool.run("debugfs", ["-R", "dump \(name) \(target)", path])
        return try fileBytes(target)
    }
}
