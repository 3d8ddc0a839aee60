import Ext4
import HostIO
import Storage
import TestSupport
import Testing

/// One volume for each feature, filled by mke2fs from a tree on the host and read back equal to it.
@Suite(.enabled(if: Tool.has("mke2fs", "e2fsck", "debugfs"), "judges are missing"))
struct FeatureTests {
    /// What mke2fs is asked for.
    struct Shape: Sendable, CustomTestStringConvertible {
        var name: String
        var arguments: [String]
        /// Words of dumpe2fs -h that prove that the volume has the feature.
        var proof: String
        var testDescription: String { name }

        init(_ name: String, _ arguments: String, proof: String) {
            self.name = name
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.proof = proof
        }
    }

    static let plain = "ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file"
    static let modern =
        "\(plain),has_journal,extent,64bit,flex_bg,huge_file,metadata_csum,dir_nlink,extra_isize"

    static let shapes: [Shape] =
        [
            Shape("revision 0", "-b 1024 -r 0 -O none", proof: "0 (original)"),
            Shape(
                "no filetype", "-b 1024 -I 128 -O none,ext_attr,dir_index,sparse_super", proof: "dir_index"),
            Shape("indirect maps", "-b 1024 -I 128 -O none,\(plain)", proof: "Inode size:\t          128"),
            Shape(
                "inodes of 512 bytes", "-b 4096 -I 512 -O none,\(modern)", proof: "Inode size:\t          512"
            ),
            Shape(
                "inodes of 1024 bytes", "-b 4096 -I 1024 -O none,\(modern)",
                proof: "Inode size:\t          1024"),
            Shape("inline data", "-b 4096 -I 256 -O none,\(modern),inline_data", proof: "inline_data"),
            Shape(
                "meta_bg", "-b 1024 -I 256 -O none,\(modern),meta_bg,^resize_inode -g 1024", proof: "meta_bg"),
            Shape(
                "sparse_super2", "-b 1024 -I 256 -O none,\(modern),sparse_super2,^resize_inode,^sparse_super",
                proof: "sparse_super2"),
            Shape(
                "bigalloc", "-b 1024 -C 8192 -I 256 -O none,\(modern),bigalloc,^resize_inode",
                proof: "bigalloc"),
            Shape("ea_inode", "-b 1024 -I 256 -O none,\(modern),ea_inode", proof: "ea_inode"),
            Shape("large_dir", "-b 1024 -I 256 -O none,\(modern),large_dir", proof: "large_dir"),
            Shape(
                "csum_seed", "-b 1024 -I 256 -O none,\(modern),metadata_csum_seed",
                proof: "metadata_csum_seed"),
            Shape("orphan_file", "-b 4096 -I 256 -O none,\(modern),orphan_file", proof: "orphan_file"),
            Shape(
                "quota",
                "-b 1024 -I 256 -O none,\(modern),quota,project -E quotatype=usrquota:grpquota:prjquota",
                proof: "quota"),
            Shape("verity", "-b 4096 -I 256 -O none,\(modern),verity", proof: "verity"),
            Shape(
                "casefold", "-b 4096 -I 256 -O none,\(modern),casefold -E encoding=utf8", proof: "casefold"),
            Shape("encrypt", "-b 4096 -I 256 -O none,\(modern),encrypt", proof: "encrypt"),
            Shape("stable_inodes", "-b 4096 -I 256 -O none,\(modern),stable_inodes", proof: "stable_inodes"),
            Shape("no flex_bg", "-b 1024 -I 256 -O none,\(modern),^flex_bg", proof: "metadata_csum"),
            Shape("mmp", "-b 4096 -I 256 -O none,\(modern),mmp", proof: "mmp"),
            Shape(
                "64 KiB blocks", "-b 65536 -I 256 -O none,\(modern)", proof: "Block size:               65536"
            ),
        ]
        + [64, 128, 256, 512, 1024].map {
            Shape(
                "descriptors of \($0) bytes", "-b 4096 -I 256 -O none,\(modern) -E desc_size=\($0)",
                proof: "Group descriptor size:    \($0)")
        }
        + ["legacy", "half_md4", "tea"].map {
            Shape(
                "hash \($0)",
                "-b 1024 -I 256 -O none,\(modern)",
                proof: "Default directory hash:   \($0)")
        }

    /// A tree with something for every reader: small and long files, holes, a file past double indirection, many
    /// extents, many names, links of both kinds.
    private static func makeTree(_ path: String) throws {
        let script = """
            mkdir -p "$0/a/b/c" "$0/many" && cd "$0"
            printf hello > a/small && head -c 300000 /dev/urandom > a/large && : > a/empty
            for i in $(seq 0 399); do printf x | dd of=a/scattered bs=1 seek=$((i * 16384)) conv=notrunc status=none; done
            for i in $(seq 400); do : > "many/a name that takes some room $i"; done
            ln -s small a/short && ln -s "$(printf '%0200d' 7)" a/b/long && ln a/small a/b/hard && mkfifo a/b/c/pipe
            printf n > "a/$(printf 'not\\377utf8')"
            """
        try Tool.run("sh", ["-c", script, path])
    }

    @Test func readsAsTheTreeThatWasPutIn() throws {
        let directory = try TemporaryDirectory()
        let tree = directory.path("tree")
        try Self.makeTree(tree)
        var (expected, contents) = try Self.hostListing(tree)
        for shape in Self.shapes {
            let image = try directory.sparse(
                "image", byteCount: shape.name.hasPrefix("64") ? 256 << 20 : 48 << 20)
            if shape.name == "indirect maps" {
                // Past double indirection.
                let end = Array("the end".utf8)
                let deep = try HostFile.create(tree + "/a/deep")
                try deep.write(end, at: 70_000_000)
                expected["/a/deep"] = "1 the same"
                contents["/a/deep"] = [UInt8](repeating: 0, count: 70_000_000) + end
            }
            try Tool.run("mke2fs", ["-q", "-F", "-N", "4096", "-d", tree] + shape.arguments + [image])
            if shape.name.hasPrefix("hash ") {
                try Tool.run("tune2fs", ["-E", "hash_alg=\(shape.name.dropFirst(5))", image])
            }
            // Builds the index that mke2fs leaves out.
            try Tool.run("e2fsck", ["-fyD", image], expect: 0...1)
            let head = try Tool.run("dumpe2fs", ["-h", image]).text
            #expect(head.contains(shape.proof), "\(shape.name): \(head)")
            let volume = try Ext4FileSystem.open(FileDevice(image))
            let listed = try Self.listing(of: volume, contents)
            #expect(
                listed == expected, "\(shape.name): \(listed.filter { expected[$0.key] != $0.value }.keys)")
            #expect(volume.warnings == [], "\(shape.name)")
            // Found by name too: through the index where there is one.
            let many = try #require(try volume.lookUp(Array("many".utf8), in: volume.rootDirectory))
            for index in [1, 200, 400] {
                #expect(
                    try volume.lookUp(Array("a name that takes some room \(index)".utf8), in: many) != nil)
            }
            #expect(try volume.lookUp(Array("a name that takes some room 401".utf8), in: many) == nil)
            let report = try Ext4FileSystem.check(FileDevice(image))
            #expect(report.isSound, "\(shape.name): \(report.findings.prefix(3))")
            try Tool.run("rm", ["-f", image, tree + "/a/deep"])
            expected["/a/deep"] = nil
        }
    }

    /// The deepest tree that there can be, made by hand over a file of one extent; debugfs reads it as we do.
    @Test func extentTreesOfDepthFive() throws {
        let contents = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let image = try Image(.crc16, blockSize: 1024, files: ["file": contents])
        var bytes = try fileBytes(image.path)
        let before = try Ext4FileSystem.open(MemoryDevice(bytes))
        let file = try #require(try before.lookUp(Array("file".utf8), in: before.rootDirectory))
        let map = Int(try RawExt4(MemoryDevice(bytes)).inodeOffset(UInt32(file.rawValue))) + 0x28
        try #require(
            bytes.little(map + 2, as: UInt16.self) == 1 && bytes.little(map + 6, as: UInt16.self) == 0)
        let extent = Array(bytes[map + 12..<map + 24])
        let last = bytes.count / 1024 - 1
        func put(_ place: Int, depth: Int, capacity: UInt16) {
            bytes.storeLittle(UInt16(0xf30a), at: place)
            bytes.storeLittle(UInt16(1), at: place + 2)
            bytes.storeLittle(capacity, at: place + 4)
            bytes.storeLittle(UInt16(depth), at: place + 6)
            var entry = extent
            if depth > 0 {
                entry = [UInt8](repeating: 0, count: 12)
                entry.storeLittle(UInt32(last - depth + 1), at: 4)
            }
            bytes.replaceSubrange(place + 12..<place + 24, with: entry)
        }
        for depth in 0..<5 { put((last - depth) * 1024, depth: depth, capacity: 84) }
        put(map, depth: 5, capacity: 4)
        try image.directory.write("image", bytes)
        let volume = try Ext4FileSystem.open(MemoryDevice(bytes))
        #expect(isSame(try volume.contents(of: file), contents))
        #expect(isSame(try image.contents("/file"), contents))
        // A sixth level is none.
        put(map, depth: 6, capacity: 4)
        let deeper = try Ext4FileSystem.open(MemoryDevice(bytes))
        let error = #expect(throws: StorageError.self) { try deeper.contents(of: file) }
        #expect(error?.code == "bad-extent-node" && error?.offset != nil)
    }

    /// What each path is; of a regular file whether it has the contents that it should.
    private static func listing(
        of volume: Ext4FileSystem, _ contents: [String: [UInt8]]
    ) throws -> [String: String] {
        var result: [String: String] = [:]
        var pending: [(FileID, String)] = [(volume.rootDirectory, "")]
        while let (directory, path) = pending.popLast() {
            for entry in try volume.entries(of: directory) where entry.name != Array("lost+found".utf8) {
                let name = path + "/" + entry.name.displayText
                let attributes = try volume.attributes(of: entry.file)
                switch attributes.type {
                case .directory:
                    pending.append((entry.file, name))
                    result[name] = "directory"
                case .symbolicLink:
                    result[name] = "->" + (try volume.symbolicLinkTarget(of: entry.file)).displayText
                case .regular:
                    let bytes = try volume.contents(of: entry.file, limit: 80 << 20)
                    let hasAll = isSame(bytes, contents[name] ?? Array("n".utf8))
                    result[name] = "\(attributes.linkCount) \(hasAll ? "the same" : "other contents")"
                default: result[name] = attributes.type.rawValue
                }
            }
        }
        return result
    }

    private static func hostListing(
        _ tree: String
    ) throws -> (listing: [String: String], contents: [String: [UInt8]]) {
        var contents: [String: [UInt8]] = [:]
        var result: [String: String] = [:]
        let found = try Tool.run("find", [tree, "-mindepth", "1", "-printf", "%y %n %P\\0%l\\0"]).output
        let fields = found.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let parts = fields[index].split(separator: 32, maxSplits: 2).map { Array($0) }
            guard parts.count == 3 else { continue }
            let name = "/" + parts[2].displayText
            switch String(decoding: parts[0], as: UTF8.self) {
            case "d": result[name] = "directory"
            case "l": result[name] = "->" + fields[index + 1].displayText
            case "f":
                result[name] = "\(String(decoding: parts[1], as: UTF8.self)) the same"
                // Foundation cannot open a name that is not UTF-8.
                guard let path = String(validating: parts[2], as: UTF8.self) else { break }
                contents[name] = try fileBytes(tree + "/" + path)
            case "p": result[name] = "fifo"
            default: break
            }
        }
        return (result, contents)
    }
}
