import Storage
import TestSupport
import Testing

@testable import XFS

/// Each thing that can be wrong, by its code.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct DamageTests {
    private let image: XFSImage
    private let bytes: [UInt8]
    private let geometry: Geometry

    init() throws {
        image = try XFSImage(
            .rhel9, files: ["file": TreeModel.contents(9000)],
            more: XFSImage.directory("leaf", 300) + ["link l--777 0 0 target"])
        bytes = try image.bytes()
        geometry = try #require(try Superblock.read(from: MemoryDevice(bytes))).geometry()
    }

    private func opening(_ change: (inout [UInt8]) -> Void) -> String {
        var copy = bytes
        change(&copy)
        return code { _ = try XFSFileSystem.open(MemoryDevice(copy)) }
    }

    /// With the superblock's checksum put right.
    private func openingMended(_ offset: Int, _ value: [UInt8]) -> String {
        opening { copy in
            copy.replaceSubrange(offset..<offset + value.count, with: value)
            var sector = Array(copy[0..<geometry.sectorSize])
            Checksum.update(&sector, at: Superblock.Offset.checksum)
            copy.replaceSubrange(0..<geometry.sectorSize, with: sector)
        }
    }

    @Test func superblocks() {
        #expect(opening { $0[0] = 0 } == "bad-magic")
        #expect(opening { $0[110] ^= 1 } == "superblock-checksum")
        #expect(openingMended(100, [0xb4, 0xa3]) == "unsupported-version")
        #expect(openingMended(216, [0, 0, 2, 1]) == "unsupported-feature")
        for (offset, value) in [
            (4, [UInt8(0), 0, 0x0f, 0]), (84, [0, 0, 0, 1]), (88, [0, 0, 0, 9]), (120, [13]), (122, [12]),
            (124, [31]), (126, [1]), (192, [9]), (102, [0x80, 0]),
        ] { #expect(openingMended(offset, value) == "bad-superblock", "byte \(offset)") }
        // A log that is not there.
        #expect(openingMended(48, [0, 0, 0, 9, 0, 0, 0, 0]) == "bad-log")
    }

    @Test func checksumsCanBeIgnored() throws {
        var copy = bytes
        copy[110] ^= 1
        let root = geometry.position(of: geometry.block(of: geometry.rootInode))
        copy[Int(root) + geometry.offset(of: geometry.rootInode) + Inode.Offset.accessTime + 7] ^= 1
        let volume = try XFSFileSystem.open(MemoryDevice(copy), options: .init(ignoresChecksums: true))
        #expect(try volume.entries(of: volume.rootDirectory).count == 3)
        #expect(volume.warnings.count == 2)
        copy[110] ^= 1
        let strict = try XFSFileSystem.open(MemoryDevice(copy))
        #expect(code { _ = try strict.entries(of: strict.rootDirectory) } == "inode-checksum")
    }

    /// Changes an inode and mends its checksum.
    private func changed(_ path: String, _ change: (inout [UInt8]) -> Void) throws -> XFSFileSystem {
        let volume = try XFSFileSystem.open(MemoryDevice(bytes))
        var inode = try volume.inode(#require(try volume.find(path)))
        change(&inode.bytes)
        Checksum.update(&inode.bytes, at: Inode.Offset.checksum)
        let device = MemoryDevice(bytes)
        try device.write(inode.bytes, at: inode.position)
        return try XFSFileSystem.open(device)
    }

    private func reading(_ path: String, _ change: (inout [UInt8]) -> Void) throws -> String {
        let volume = try changed(path, change)
        return code {
            let file = try #require(try volume.find(path))
            switch try volume.attributes(of: file).type {
            case .directory: _ = try volume.entries(of: file)
            case .symbolicLink: _ = try volume.symbolicLinkTarget(of: file)
            default: _ = try volume.contents(of: file)
            }
        }
    }

    @Test func inodes() throws {
        #expect(try reading("file") { $0[0] = 0 } == "bad-inode")
        #expect(
            try reading("file") {
                $0[Inode.Offset.mode] = 0; $0[Inode.Offset.mode + 1] = 0
            } == "free-inode")
        #expect(try reading("file") { $0[Inode.Offset.number + 7] ^= 1 } == "bad-inode")
        #expect(try reading("file") { $0[Inode.Offset.uuid] ^= 1 } == "bad-inode")
        #expect(try reading("file") { $0[Inode.Offset.format] = 7 } == "bad-inode")
        #expect(try reading("file") { $0[Inode.Offset.forkOffset] = 0xff } == "bad-inode")
        #expect(try reading("file") { $0[Inode.Offset.extentCount + 2] = 0xff } == "bad-inode")
        #expect(try reading("file") { $0[Inode.Offset.flags + 1] |= 1 } == "real-time")
        // The first extent's block, beyond the volume.
        #expect(try reading("file") { $0[176 + 8] = 0x7f } == "bad-map")
        #expect(try reading("link") { $0[Inode.Offset.size + 6] = 0xff } == "bad-inode")
        #expect(try reading("leaf") { $0[176 + 8] = 0x7f } == "bad-map")
        #expect(try reading("file") { $0[Inode.Offset.format] = 3 } == "bad-map")
    }

    /// Another block of the directory in the place of the first.
    @Test func blocksThatBelongElsewhere() throws {
        let volume = try XFSFileSystem.open(MemoryDevice(bytes))
        let leaf = try volume.inode(#require(try volume.find("leaf")))
        let (first, _) = try volume.directoryBlock(0, of: leaf)
        for (name, offset, expected) in [
            ("owner", 40 + 7, "bad-directory"), ("place", 8 + 7, "bad-directory"),
            ("uuid", 24, "bad-directory"),
            ("name", 64 + 9, "directory-checksum"),
        ] {
            var block = try volume.buffer(at: first, count: geometry.directoryBlockSize)
            block[offset] ^= 1
            if name != "name" { Checksum.update(&block, at: 4) }
            let device = MemoryDevice(bytes)
            try device.write(block, at: first)
            let damaged = try XFSFileSystem.open(device)
            #expect(
                code { _ = try damaged.entries(of: FileID(leaf.number.rawValue)) } == expected, "\(name)")
        }
    }

    // MARK: The check

    private func findings(_ change: (MemoryDevice) throws -> Void) throws -> Set<String> {
        let device = MemoryDevice(bytes)
        try change(device)
        var codes: Set<String> = []
        try XFSDriver.check(device) { codes.insert($0.code) }
        return codes
    }

    /// Changes a sector of a group's head and mends its checksum.
    private func header(
        _ sector: GroupHeaders.Sector, _ device: MemoryDevice, _ change: (inout [UInt8]) -> Void
    ) throws {
        let place = geometry.position(ofSector: sector.number, in: AGNumber(0))
        var bytes = try device.bytes(at: place, count: geometry.sectorSize)
        change(&bytes)
        Checksum.update(&bytes, at: sector.checksum)
        try device.write(bytes, at: place)
    }

    @Test func theCheckSeesCounts() throws {
        #expect(try findings { _ in } == [])
        #expect(try findings { try header(GroupHeaders.freeSpace, $0) { $0[55] ^= 1 } } == ["group-counts"])
        #expect(try findings { try header(GroupHeaders.freeSpace, $0) { $0[59] ^= 1 } } == ["group-counts"])
        #expect(try findings { try header(GroupHeaders.freeSpace, $0) { $0[63] ^= 1 } } == ["group-counts"])
        #expect(try findings { try header(GroupHeaders.inodes, $0) { $0[31] ^= 1 } } == ["group-counts"])
        #expect(
            try findings { device in
                var sector = try device.bytes(at: 0, count: geometry.sectorSize)
                sector[Superblock.Offset.freeBlockCount + 7] ^= 1
                Checksum.update(&sector, at: Superblock.Offset.checksum)
                try device.write(sector, at: 0)
            } == ["superblock-counts"])
        #expect(
            try findings { device in
                let place = geometry.position(ofSector: 0, in: AGNumber(1))
                var sector = try device.bytes(at: place, count: geometry.sectorSize)
                sector[Superblock.Offset.uuid] ^= 1
                try device.write(sector, at: place)
            } == ["superblock-copy"])
    }

    @Test func theCheckSeesTrees() throws {
        let volume = try XFSFileSystem.open(MemoryDevice(bytes))
        let headers = try volume.headers(of: AGNumber(0))
        func leaf(_ kind: GroupTree, _ change: (inout [UInt8]) -> Void) throws -> Set<String> {
            let node = try volume.treeNode(headers.root(kind).block, of: kind, in: AGNumber(0), level: 0)
            var bytes = node.bytes
            change(&bytes)
            Checksum.update(&bytes, at: BlockStamp.shortTree.checksum)
            let place = geometry.position(of: geometry.block(node.block, in: AGNumber(0)))
            return try findings { try $0.write(bytes, at: place) }
        }
        // A free run one block longer, and one shorter, in one of the trees.
        #expect(try leaf(.freeByBlock) { $0[56 + 3] -= 1 }.isSuperset(of: ["trees-differ", "used-and-free"]))
        #expect(try leaf(.freeByBlock) { $0[56 + 3] += 1 }.isSuperset(of: ["trees-differ", "lost-blocks"]))
        #expect(try leaf(.freeByCount) { $0[56 + 3] += 1 } == ["trees-differ"])
        #expect(try leaf(.freeByBlock) { $0[0] = 0 }.contains("bad-tree"))
        #expect(try leaf(.freeByBlock) { $0[5] = 1 }.contains("bad-tree"))
        // A free inode that is said to be in use, and one in use that is said to be free.
        #expect(try leaf(.freeInodes) { $0[56 + 8] ^= 0x80 }.contains("trees-differ"))
        #expect(try leaf(.inodes) { $0[56 + 15] ^= 1 }.contains("bad-tree"))
        #expect(
            try leaf(.references) {
                $0[7] = 1; $0[59] = 20; $0[63] = 1; $0[67] = 2
            }.contains("references"))
    }

    @Test func theCheckSeesInodes() throws {
        func inode(_ path: String, _ change: (inout [UInt8]) -> Void) throws -> Set<String> {
            let volume = try changed(path, change)
            var codes: Set<String> = []
            try XFSDriver.check(volume.store.device) { codes.insert($0.code) }
            return codes
        }
        #expect(try inode("file") { $0[Inode.Offset.linkCount + 3] = 2 } == ["link-count"])
        #expect(try inode("leaf") { $0[Inode.Offset.linkCount + 3] = 3 } == ["link-count"])
        #expect(try inode("file") { $0[Inode.Offset.blockCount + 7] ^= 4 } == ["inode-blocks"])
        #expect(
            try inode("file") {
                $0[Inode.Offset.mode] = 0; $0[Inode.Offset.mode + 1] = 0
            }.contains("free-inode"))
        // The extent a block longer: the next block is free.
        #expect(
            try inode("file") { $0[176 + 15] += 1 }.isSuperset(of: ["inode-blocks", "used-and-free"]))
        #expect(try inode("link") { $0[Inode.Offset.mode] = 0x81 }.contains("bad-inode"))
    }
}
