import Storage
import TestSupport
import Testing

@testable import XFS

/// Rules of structures that no reader needs, and that the kernel or xfs_repair look at: neighbours of blocks, hints of inodes,
/// trees and leaves of attributes, links' headers, types in directories.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct KernelRuleTests {
    private let group = AGNumber(0)

    private func codes(_ device: MemoryDevice) throws -> Set<String> {
        var codes: Set<String> = []
        try XFSDriver.check(device) { codes.insert($0.code) }
        return codes
    }

    /// The image with a block of these bytes, its checksum mended; xfs_repair finds it wrong.
    private func changed(
        _ image: XFSImage, _ bytes: [UInt8], at position: UInt64, _ comment: Comment, isFound: Bool = true
    ) throws -> MemoryDevice {
        let device = try image.device()
        let geometry = try #require(try Superblock.read(from: device)).geometry()
        var bytes = bytes
        if geometry.hasChecksums {
            if bytes.big(0, as: UInt16.self) == Inode.magic {
                Checksum.update(&bytes, at: Inode.Offset.checksum)
            } else if let kind = BufferKind(bytes, geometry) {
                Checksum.update(&bytes, at: kind.checksum)
            }
        }
        try device.write(bytes, at: position)
        if isFound { #expect(try XFSImage(device.contents).defects() != "", comment) }
        return device
    }

    private func creating(_ device: MemoryDevice, in directory: String = "") -> String {
        code {
            let volume = try XFSFileSystem.open(device)
            _ = try volume.begin().createFile(
                Array("new".utf8), in: #require(try volume.find(directory)), contents: [1],
                attributes: NewFileAttributes(permissions: 0o600))
        }
    }

    @Test(arguments: GroupTree.allCases) func neighboursOfRoots(_ kind: GroupTree) throws {
        let image = try XFSImage(.rhel10, files: ["file": TreeModel.contents(9000)])
        let volume = try XFSFileSystem.open(image.device())
        let node = try volume.treeNode(
            volume.headers(of: group).root(kind).block, of: kind, in: group, level: 0)
        let position = volume.geometry.position(of: volume.geometry.block(node.block, in: group))
        for (offset, value) in [
            (GroupTreeNode.rightOffset, UInt32(0x10000)), (GroupTreeNode.leftOffset, 0x7fff_ffff),
            (GroupTreeNode.leftOffset, node.block.rawValue), (GroupTreeNode.rightOffset, 20),
        ] {
            var bytes = node.bytes
            bytes.storeBig(value, at: offset)
            // xfs_repair takes any block of the group.
            let device = try changed(image, bytes, at: position, "\(kind), \(value)", isFound: value != 20)
            #expect(try codes(device).contains("bad-tree"), "\(kind), \(value)")
            if kind != .references { #expect(creating(device) == "bad-tree", "\(kind), \(value)") }
        }
    }

    /// No kernel mounts a volume whose root directory it does not reach, wherever there is room for a change.
    @Test func theRootsTreeIsLookedAtFirst() throws {
        let image = try XFSImage(.rhel9, files: ["file": TreeModel.contents(9000)])
        let volume = try XFSFileSystem.open(image.device())
        let node = try volume.treeNode(
            volume.headers(of: group).root(.inodes).block, of: .inodes, in: group, level: 0)
        var bytes = node.bytes
        bytes.storeBig(UInt32(20), at: GroupTreeNode.rightOffset)
        let position = volume.geometry.position(of: volume.geometry.block(node.block, in: group))
        let device = try changed(image, bytes, at: position, "a neighbour", isFound: false)
        #expect(code { _ = try XFSFileSystem.open(device).begin() } == "bad-tree")
    }

    @Test func neighboursOfLeaves() throws {
        let image = try XFSImage(.tinyBlocks, more: XFSImage.directory("d", 5200))
        let volume = try XFSFileSystem.open(image.device())
        var leaves: [GroupTreeNode] = []
        for group in 0..<2 where leaves.count < 3 {
            leaves = []
            try volume.forEachLeaf(of: .inodes, in: volume.headers(of: AGNumber(UInt32(group)))) {
                (leaf) throws(StorageError) in leaves.append(leaf)
            }
        }
        try #require(leaves.count > 2)
        let last = leaves.count - 1
        for (index, offset, other) in [
            (0, GroupTreeNode.rightOffset, leaves[2].block), (1, GroupTreeNode.leftOffset, leaves[2].block),
            (last, GroupTreeNode.rightOffset, leaves[0].block),
            (0, GroupTreeNode.leftOffset, leaves[1].block),
        ] {
            var bytes = leaves[index].bytes
            bytes.storeBig(other.rawValue, at: offset)
            let position = volume.geometry.position(
                of: volume.geometry.block(leaves[index].block, in: leaves[index].group))
            let device = try changed(image, bytes, at: position, "leaf \(index)", isFound: false)
            #expect(try codes(device).contains("bad-tree"), "leaf \(index)")
        }
    }

    @Test func neighboursOfMapBlocks() throws {
        let device = try XFSImage(.smallBlocks, files: ["file": TreeModel.contents(600 << 10)]).device()
        var volume = try XFSFileSystem.open(device)
        let file = try #require(try volume.find("file"))
        let transaction = try volume.begin()
        for block in stride(from: UInt64(1), to: 600, by: 2) {
            try transaction.punchHole(in: file, block << 10..<(block + 1) << 10)
        }
        try transaction.prepare().commit()
        let image = try XFSImage(device.contents)
        try #require(try image.defects() == "")
        volume = try XFSFileSystem.open(device)
        let inode = try volume.inode(InodeNumber(file.rawValue))
        var blocks: [FSBlock] = []
        try volume.forEachExtent(of: inode) { (node) throws(StorageError) in
            blocks.append(node)
        } _: { (_) throws(StorageError) in
            true
        }
        let leaves = try blocks.filter { try volume.block($0).big(4, as: UInt16.self) == 0 }
        try #require(leaves.count > 2)
        for (index, offset, value) in [
            (1, 16, UInt64(1) << 40), (1, 8, leaves[2].rawValue), (0, 16, leaves[2].rawValue),
            (leaves.count - 1, 16, leaves[0].rawValue), (1, 8, leaves[1].rawValue),
        ] {
            var bytes = try volume.block(leaves[index])
            bytes.storeBig(value, at: offset)
            let position = volume.geometry.position(of: leaves[index])
            let damaged = try self.changed(image, bytes, at: position, "leaf \(index)")
            #expect(try codes(damaged).contains("bad-map"), "leaf \(index)")
            let opened = try XFSFileSystem.open(damaged)
            #expect(code { try opened.begin().replaceContents(of: file, with: [1]) } == "bad-map")
            #expect(code { _ = try opened.contents(of: file) } == "bad-map", "leaf \(index)")
        }
    }

    /// Hints without a length and lengths without a hint, or longer than can be.
    @Test func hints() throws {
        let image = try XFSImage(
            .rhel9, files: ["file": TreeModel.contents(9000)],
            more: XFSImage.directory("short", 3) + ["pipe p--644 0 0"])
        let volume = try XFSFileSystem.open(image.device())
        let inherit: [(Int, UInt8)] = [(90, 0x10)]
        let cases: [(path: String, bytes: [(Int, UInt8)])] = [
            ("short", inherit), ("file", [(90, 8)]), ("short", [(90, 8), (75, 4)]),
            ("short", inherit + [(73, 0x40)]), ("file", [(90, 8), (73, 0x10)]), ("file", [(75, 1)]),
            ("file", [(127, 4)]), ("file", [(131, 4)]), ("file", [(127, 4), (129, 0x40)]),
            ("pipe", [(127, 4), (131, 4)]), ("pipe", [(127, 1)]), ("short", [(91, 4)]),
        ]
        for (path, values) in cases {
            var inode = try volume.inode(InodeNumber(#require(try volume.find(path)).rawValue))
            for (offset, value) in values { inode.bytes[offset] |= value }
            let device = try changed(image, inode.bytes, at: inode.position, "\(path): \(values)")
            #expect(try codes(device) == ["inode-fields"], "\(path): \(values)")
            if path == "short", values[0].0 == 90 {
                #expect(creating(device, in: path) == "bad-inode", "\(values)")
            }
            let opened = try XFSFileSystem.open(device)
            #expect(try opened.find(path).map { try opened.attributes(of: $0).type } == inode.type)
        }
        // What the kernel makes.
        for (path, values) in [
            ("short", inherit + [(75, 4)]), ("file", [(90, 8), (75, 4)]), ("file", [(127, 4), (131, 32)]),
        ] {
            var inode = try volume.inode(InodeNumber(#require(try volume.find(path)).rawValue))
            for (offset, value) in values { inode.bytes[offset] |= value }
            Checksum.update(&inode.bytes, at: Inode.Offset.checksum)
            let device = try image.device()
            try device.write(inode.bytes, at: inode.position)
            #expect(try XFSImage(device.contents).defects() == "", "\(path): \(values)")
            #expect(try codes(device) == [], "\(path): \(values)")
        }
    }

    @Test(arguments: [Profile.rhel6, .rhel9]) func attributes(_ profile: Profile) throws {
        let image = try FuzzTests.image(profile)
        let volume = try XFSFileSystem.open(image.device())
        try #require(try codes(image.device()) == [])
        let file = try #require(try volume.find("many"))
        let inode = try volume.inode(InodeNumber(file.rawValue))
        let root = try #require(try volume.attributeBlock(0, of: inode))
        try #require(root.kind == .node && root.count > 1)
        let leaf = try #require(try volume.attributeBlock(UInt64(root.value(0)), of: inode))
        let fields = volume.geometry.hasChecksums ? 56 : 12
        func judge(
            _ block: HashBlock, _ what: Comment, _ code: String = "bad-attributes", isRefused: Bool = true,
            _ change: (inout [UInt8]) -> Void
        ) throws {
            var bytes = block.bytes
            change(&bytes)
            let device = try changed(image, bytes, at: block.position, what)
            #expect(try codes(device) == [code], what)
            guard isRefused else { return }
            let opened = try XFSFileSystem.open(device)
            let refusal = XFSTests.code {
                try opened.begin().setExtendedAttribute(Array("user.one".utf8), of: file, to: [1])
            }
            #expect(refusal == code, what)
        }
        try judge(root, "a pointer", isRefused: false) { $0.storeBig(UInt32.max, at: root.start + 8 + 4) }
        try judge(root, "a hash", isRefused: false) { $0.storeBig(UInt32(1), at: root.start + 8) }
        try judge(leaf, "a neighbour", isRefused: false) { $0.storeBig(UInt32(7), at: 4) }
        try judge(leaf, "the count") { $0.storeBig(UInt16(0), at: fields) }
        try judge(leaf, "the bytes in use") { $0[fields + 3] ^= 4 }
        try judge(leaf, "the first name") { $0[fields + 5] ^= 4 }
        try judge(leaf, "a begun one", "incomplete-attribute", isRefused: false) {
            $0[leaf.start + 6] |= 0x80
        }
    }

    /// How much of a link's target a block says that it holds.
    @Test func linksInBlocks() throws {
        let target = String(repeating: "x", count: 900)
        let image = try XFSImage(.smallBlocks, more: ["link l--777 0 0 \(target)"])
        let volume = try XFSFileSystem.open(image.device())
        let link = try #require(try volume.find("link"))
        let run = try volume.run(of: volume.inode(InodeNumber(link.rawValue)), at: 0)
        guard case .written(let block) = run.place else {
            Issue.record("the link is in its inode")
            return
        }
        for value in [UInt32(899), 901, 0x8000_0384] {
            var bytes = try volume.block(block)
            bytes.storeBig(value, at: 8)
            let device = try changed(image, bytes, at: volume.geometry.position(of: block), "\(value) bytes")
            #expect(try codes(device).contains("bad-symbolic-link"), "\(value) bytes")
            let opened = try XFSFileSystem.open(device)
            #expect(code { _ = try opened.symbolicLinkTarget(of: link) } == "bad-symbolic-link")
        }
    }

    @Test func typesInDirectories() throws {
        let image = try XFSImage(
            .rhel9, more: XFSImage.directory("block", 30) + XFSImage.directory("leaf", 300))
        let volume = try XFSFileSystem.open(image.device())
        for path in ["block", "leaf"] {
            let directory = try volume.inode(InodeNumber(#require(try volume.find(path)).rawValue))
            let (position, block) = try volume.dataBlock(0, of: directory)
            let first = block.layout.firstOffset
            // The type is behind the name.
            let places = [first + 9 + Int(block.bytes[first + 8])]
            for place in places {
                try #require(block.bytes[place] == 5)
                for value in [UInt8(0), 1, 8, 0x2a] {
                    var bytes = block.bytes
                    bytes[place] = value
                    let device = try changed(image, bytes, at: position, "\(path), type \(value)")
                    #expect(!(try codes(device)).isDisjoint(with: ["directory-entry", "bad-directory"]))
                }
            }
            var bytes = block.bytes
            let dot = block.layout.dataHeaderSize + 10
            try #require(bytes[dot] == 2)
            bytes[dot] = 1
            if let kind = BufferKind(bytes, volume.geometry) { Checksum.update(&bytes, at: kind.checksum) }
            let device = try image.device()
            try device.write(bytes, at: position)
            #expect(try codes(device) == ["directory-entry"], "\(path)")
        }
    }

    /// Attributes of the first form, in which the border between the forks has one place.
    @Test(arguments: [256, 512]) func firstFormOfAttributes(_ inodeSize: Int) throws {
        let old = Profile(name: "attr1", options: ["-m", "crc=0", "-i", "attr=1,size=\(inodeSize)"])
        let device = try XFSImage(
            old, files: ["file": TreeModel.contents(9000)],
            more: XFSImage.directory("short", 6) + XFSImage.directory("block", 60)
                + ["pipe p--644 0 0", "link l--777 0 0 \(String(repeating: "x", count: 140))"]
        ).device()
        let paths = ["file", "short", "block", "pipe", "link"]
        let names = ["security.a", "security.b", "security.long"].map { Array($0.utf8) }
        let values = [[1, 2, 3], TreeModel.contents(40), TreeModel.contents(3000)]
        for (name, value) in zip(names, values) {
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            for path in paths {
                try transaction.setExtendedAttribute(name, of: #require(try volume.find(path)), to: value)
            }
            try transaction.prepare().commit()
            #expect(try XFSImage(device.contents).defects() == "")
            #expect(try codes(device) == [])
        }
        let volume = try XFSFileSystem.open(device)
        for path in paths {
            let held = try volume.extendedAttributes(of: #require(try volume.find(path)))
            #expect(
                Dictionary(uniqueKeysWithValues: held.map { ($0.name, $0.value) })
                    == Dictionary(uniqueKeysWithValues: zip(names, values)), "\(path)")
        }
        #expect(try volume.contents(of: #require(try volume.find("file"))) == TreeModel.contents(9000))
        #expect(try volume.symbolicLinkTarget(of: #require(try volume.find("link"))).count == 140)
    }
}
