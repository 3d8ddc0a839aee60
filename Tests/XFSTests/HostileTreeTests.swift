import Storage
import TestSupport
import Testing

@testable import XFS

/// Trees and chains that lie, with checksums mended: a change of the volume ends, soon, with an error.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct HostileTreeTests {
    private let group = AGNumber(0)

    /// What replacing a file's contents says.
    private func replacing(_ device: MemoryDevice) throws -> String {
        let volume = try XFSFileSystem.open(device)
        let file = try #require(try volume.find("file"))
        return code { try volume.begin().replaceContents(of: file, with: TreeModel.contents(30_000)) }
    }

    private func checked(_ device: MemoryDevice) throws -> Set<String> {
        var codes: Set<String> = []
        try XFSDriver.check(device) { codes.insert($0.code) }
        return codes
    }

    /// Records that end where no number of 32 bits reaches.
    @Test(arguments: [GroupTree.freeByBlock, .freeByCount, .reverseMap, .references])
    func recordsLongerThanTheirGroup(_ kind: GroupTree) throws {
        let image = try XFSImage(.rhel10, files: ["file": TreeModel.contents(9000)])
        let volume = try XFSFileSystem.open(image.device())
        let headers = try volume.headers(of: group)
        let node = try volume.treeNode(headers.root(kind).block, of: kind, in: group, level: 0)
        let position = volume.geometry.position(of: volume.geometry.block(node.block, in: group))
        for start in [nil, UInt32(20)] {
            for count in [UInt32.max, 0] {
                var bytes = node.bytes
                let last = max(node.count - 1, 0)
                if let start { bytes.storeBig(start, at: node.recordOffset(last)) }
                bytes.storeBig(count, at: node.recordOffset(last) + 4)
                if kind == .references { bytes.storeBig(UInt32(3), at: node.recordOffset(last) + 8) }
                bytes.storeBig(UInt16(last + 1), at: GroupTreeNode.countOffset)
                Checksum.update(&bytes, at: BlockStamp.shortTree.checksum)
                let device = try image.device()
                try device.write(bytes, at: position)
                #expect(try replacing(device) == "bad-tree", "\(count) blocks")
                #expect(try checked(device).contains("bad-tree"), "\(count) blocks")
            }
        }
    }

    /// A tree of eight levels in which all pointers of a block lead to one below.
    @Test(arguments: [GroupTree.references, .reverseMap]) func pointersToOneBlock(_ kind: GroupTree) throws {
        let device = try XFSImage(.rhel10, files: ["file": TreeModel.contents(9000)]).device()
        let volume = try XFSFileSystem.open(device)
        let geometry = volume.geometry
        let headers = try volume.headers(of: group)
        let leaf = try volume.treeNode(headers.root(kind).block, of: kind, in: group, level: 0)
        let first = geometry.blockCount(of: group) - 20
        var below = leaf.block
        for level in 1..<8 {
            let number = AGBlock(first + UInt32(level))
            let position = geometry.position(of: geometry.block(number, in: group))
            var bytes = leaf.bytes
            for index in 56..<bytes.count { bytes[index] = 0 }
            let capacity = volume.capacity(of: kind, level: level)
            bytes.storeBig(UInt16(level), at: 4)
            bytes.storeBig(UInt16(capacity), at: GroupTreeNode.countOffset)
            bytes.storeBig(position / 512, at: BlockStamp.shortTree.place)
            let pointers = 56 + capacity * kind.keyByteCount
            for index in 0..<capacity { bytes.storeBig(below.rawValue, at: pointers + index * 4) }
            Checksum.update(&bytes, at: BlockStamp.shortTree.checksum)
            try device.write(bytes, at: position)
            below = number
        }
        var agf = headers.agf
        agf.storeBig(below.rawValue, at: kind.rootPlace.root)
        agf.storeBig(UInt32(8), at: kind.rootPlace.levels)
        Checksum.update(&agf, at: GroupHeaders.freeSpace.checksum)
        try device.write(agf, at: geometry.position(ofSector: 1, in: group))
        let clock = ContinuousClock()
        let start = clock.now
        let transaction = try XFSFileSystem.open(device).begin()
        let run = XFSTransaction.BlockRun(group: group, start: first, count: 1)
        let refusal = code {
            if kind == .references { _ = try transaction.unshare(run) }
            // Nobody's record: all are looked at.
            try transaction.leave(run, XFSTransaction.BlockOwner(owner: 7777))
        }
        #expect(refusal == "bad-tree")
        #expect(try checked(device).contains("bad-tree"))
        #expect(clock.now - start < .seconds(30))
    }

    /// The last leaf of hashes says that the first one follows it; a list of gaps says that it is of other blocks.
    @Test func leavesInACircle() throws {
        let device = try XFSImage(.rhel9, more: XFSImage.directory("d", 2000)).device()
        let volume = try XFSFileSystem.open(device)
        let directory = try volume.inode(InodeNumber(#require(try volume.find("d")).rawValue))
        let root = try volume.rootBlock(directory)
        try #require(root.kind == .node && root.count > 1)
        var last = try volume.firstLeaf(of: directory)
        while last.next != 0 {
            last = try #require(try volume.hashBlock(UInt64(last.next), ofDirectory: directory))
        }
        let (list, listPosition) = try volume.gapBlock(0, of: directory)
        for (offset, value, position, held, checksum) in [
            (0, root.value(0), last.position, last.bytes, BlockStamp.hashTree.checksum),
            (48, 2016, listPosition, list, BlockStamp.directory.checksum),
        ] {
            let changed = MemoryDevice(device.contents)
            var bytes = held
            bytes.storeBig(value, at: offset)
            Checksum.update(&bytes, at: checksum)
            try changed.write(bytes, at: position)
            let transaction = try XFSFileSystem.open(changed).begin()
            let refusal = code {
                for number in 0..<2000 {
                    _ = try transaction.createFile(
                        Array("another name that takes room \(number)".utf8),
                        in: FileID(directory.number.rawValue), contents: [],
                        attributes: NewFileAttributes(permissions: 0o644))
                }
            }
            #expect(refusal == "bad-directory")
            #expect(try checked(changed) == ["bad-directory"], "byte \(offset)")
        }
    }

    /// Several hundred names that all claim the blocks of one value.
    @Test func valuesThatShareBlocks() throws {
        let large = Profile(name: "16k", options: ["-b", "size=16384"], blockSize: 16384)
        let device = try XFSImage(large, files: ["file": [1]]).device()
        let volume = try XFSFileSystem.open(device)
        let file = try #require(try volume.find("file"))
        let transaction = try volume.begin()
        try transaction.setExtendedAttribute(
            Array("user.long".utf8), of: file, to: [UInt8](repeating: 7, count: 1 << 16))
        try transaction.prepare().commit()
        let held = try XFSFileSystem.open(device)
        let leaf = try #require(
            try held.attributeBlock(0, of: held.inode(InodeNumber(file.rawValue))))
        try #require(leaf.kind == .attributes && leaf.count == 1)
        var bytes = leaf.bytes
        for index in 1..<400 {
            bytes.replaceSubrange(
                leaf.start + index * 8..<leaf.start + index * 8 + 8, with: bytes[leaf.start..<leaf.start + 8])
        }
        // The leaf counts what it says that it holds.
        bytes.storeBig(UInt16(400), at: 56)
        bytes.storeBig(bytes.big(58, as: UInt16.self) * 400, at: 58)
        Checksum.update(&bytes, at: BlockStamp.hashTree.checksum)
        try device.write(bytes, at: leaf.position)
        let hostile = try XFSFileSystem.open(device)
        let refusal = code {
            try hostile.begin().setExtendedAttribute(Array("user.one".utf8), of: file, to: [1])
        }
        #expect(refusal == "attributes-full")
    }

    /// More groups than half of what a number holds: the search goes round their end.
    @Test func groupsBeyondTwoThousandMillion() throws {
        var superblock = try #require(try Superblock.read(from: XFSImage(.tinyBlocks).device()))
        let count = UInt32.max - 1
        superblock.bytes.storeBig(UInt32(32768), at: Superblock.Offset.groupBlockCount)
        superblock.bytes[Superblock.Offset.groupBlockLog] = 15
        superblock.bytes.storeBig(count, at: Superblock.Offset.groupCount)
        superblock.bytes.storeBig(UInt64(count) * 32768, at: Superblock.Offset.blockCount)
        let geometry = try superblock.geometry()
        #expect(geometry.group(5, behind: AGNumber(count - 2)) == AGNumber(3))
        #expect(geometry.group(count - 1, behind: AGNumber(count - 1)) == AGNumber(count - 2))
        #expect(geometry.group(0, behind: AGNumber(7)) == AGNumber(7))
        // A last group without room for its own head, and groups that are shorter and longer than there are.
        superblock.bytes.storeBig(UInt64(count - 1) * 32768 + 63, at: Superblock.Offset.blockCount)
        #expect(code { _ = try superblock.geometry() } == "bad-superblock")
        for (log, groups) in [(UInt8(14), UInt32(5)), (31, 5)] {
            superblock.bytes[Superblock.Offset.groupBlockLog] = log
            superblock.bytes.storeBig(UInt32(1) << UInt32(log), at: Superblock.Offset.groupBlockCount)
            superblock.bytes.storeBig(groups, at: Superblock.Offset.groupCount)
            superblock.bytes.storeBig(
                UInt64(groups) << UInt64(log), at: Superblock.Offset.blockCount)
            let refusal = code { _ = try superblock.geometry() }
            #expect(refusal == (log == 14 ? "bad-superblock" : "none"), "2^\(log) blocks")
        }
    }

    /// The group's head and the log as free space, and as what trees grow into.
    @Test func blocksThatAreNeverFree() throws {
        let image = try XFSImage(.rhel9, files: ["file": TreeModel.contents(9000)])
        let volume = try XFSFileSystem.open(image.device())
        let geometry = volume.geometry
        let log = FSBlock(volume.superblock.long(Superblock.Offset.logStart))
        let logGroup = AGNumber(UInt32(geometry.group(of: log)))
        for (place, blocks) in [(group, UInt32(0)), (logGroup, geometry.groupBlock(of: log).rawValue)] {
            let device = try image.device()
            let headers = try volume.headers(of: place)
            for kind in [GroupTree.freeByBlock, .freeByCount] {
                let node = try volume.treeNode(headers.root(kind).block, of: kind, in: place, level: 0)
                var bytes = node.bytes
                let last = node.recordOffset(node.count - 1)
                bytes.storeBig(blocks, at: last)
                bytes.storeBig(UInt32(200), at: last + 4)
                for other in 0..<node.count - 1 {
                    bytes.storeBig(UInt32(1), at: node.recordOffset(other) + 4)
                }
                Checksum.update(&bytes, at: BlockStamp.shortTree.checksum)
                try device.write(
                    bytes, at: geometry.position(of: geometry.block(node.block, in: place)))
            }
            let transaction = try XFSFileSystem.open(device).begin()
            let refusal = code {
                _ = try transaction.takeBlocks(XFSTransaction.BlockRequest(count: 9), near: place)
            }
            #expect(refusal == "bad-tree", "block \(blocks)")
        }
        let device = try image.device()
        var list = try volume.headers(of: group).agfl
        for index in stride(from: 36, to: list.count, by: 4) { list.storeBig(UInt32(0), at: index) }
        Checksum.update(&list, at: GroupHeaders.freeList.checksum)
        try device.write(list, at: geometry.position(ofSector: 3, in: group))
        let transaction = try XFSFileSystem.open(device).begin()
        #expect(code { _ = try transaction.takeTreeBlock(.freeByBlock, group) } == "bad-tree")
    }
}
