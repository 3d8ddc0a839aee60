internal import Storage

/// The three sectors behind a group's superblock: free space (AGF), inodes (AGI), and the blocks that the trees grow
/// into (AGFL). Kept as read and patched in place.
struct GroupHeaders: Sendable {
    /// A header sector: its number, magic, and where it keeps its volume, LSN and checksum.
    struct Sector: Sendable {
        let number: Int
        let magic: UInt32
        let uuid: Int
        let lsn: Int
        let checksum: Int
        let name: String
    }

    static let freeSpace = Sector(
        number: 1, magic: 0x5841_4746, uuid: 64, lsn: 208, checksum: 216, name: "AGF")
    static let inodes = Sector(number: 2, magic: 0x5841_4749, uuid: 296, lsn: 320, checksum: 312, name: "AGI")
    static let freeList = Sector(number: 3, magic: 0x5841_464c, uuid: 8, lsn: 24, checksum: 32, name: "AGFL")

    enum FreeSpaceOffset {
        static let length = 12
        static let listFirst = 40
        static let listLast = 44
        static let listCount = 48
        static let freeCount = 52
        static let longest = 56
        static let treeBlockCount = 60
        static let reverseMapBlockCount = 80
        static let referencesBlockCount = 84
        static let referencesRoot = 88
        static let referencesLevel = 92
    }

    enum InodesOffset {
        static let length = 12
        static let count = 16
        static let root = 20
        static let level = 24
        static let freeCount = 28
        static let unlinked = 40
        static let freeRoot = 328
        static let freeLevel = 332
        static let blockCount = 336
        static let freeBlockCount = 340
        static let newest = 32
    }

    static let unlinkedListCount = 64

    let group: AGNumber
    var agf: [UInt8]
    var agi: [UInt8]
    var agfl: [UInt8]
    let hasChecksums: Bool

    func free(_ offset: Int) -> UInt32 { agf.big(offset) }
    func inode(_ offset: Int) -> UInt32 { agi.big(offset) }

    /// The ring of spare blocks: where its entries begin, and how many there may be.
    var listStart: Int { hasChecksums ? 36 : 0 }
    var listCapacity: Int { (agfl.count - listStart) / 4 }

    /// The spare blocks in use; nil where first, last and count do not agree.
    var spareBlocks: [AGBlock]? {
        let first = Int(free(FreeSpaceOffset.listFirst))
        let last = Int(free(FreeSpaceOffset.listLast))
        let count = Int(free(FreeSpaceOffset.listCount))
        guard first < listCapacity, last < listCapacity, count <= listCapacity else { return nil }
        guard count == 0 || (last - first + listCapacity) % listCapacity + 1 == count else { return nil }
        return (0..<count).map { AGBlock(agfl.big(listStart + (first + $0) % listCapacity * 4)) }
    }

    /// Root and levels of a tree; nil where the group has none of the kind.
    func root(_ kind: GroupTree) -> (block: AGBlock, levels: Int) {
        switch kind {
        case .freeByBlock: (AGBlock(free(16)), Int(free(28)))
        case .freeByCount: (AGBlock(free(20)), Int(free(32)))
        case .reverseMap: (AGBlock(free(24)), Int(free(36)))
        case .references:
            (AGBlock(free(FreeSpaceOffset.referencesRoot)), Int(free(FreeSpaceOffset.referencesLevel)))
        case .inodes: (AGBlock(inode(InodesOffset.root)), Int(inode(InodesOffset.level)))
        case .freeInodes: (AGBlock(inode(InodesOffset.freeRoot)), Int(inode(InodesOffset.freeLevel)))
        }
    }
}

extension VolumeView {
    /// A group's headers, checked against the superblock.
    func headers(of group: AGNumber) throws(StorageError) -> GroupHeaders {
        let headers = GroupHeaders(
            group: group, agf: try sector(GroupHeaders.freeSpace, of: group),
            agi: try sector(GroupHeaders.inodes, of: group),
            agfl: try sector(GroupHeaders.freeList, of: group), hasChecksums: geometry.hasChecksums)
        let length = geometry.blockCount(of: group)
        guard headers.free(GroupHeaders.FreeSpaceOffset.length) == length,
            headers.inode(GroupHeaders.InodesOffset.length) == length, headers.spareBlocks != nil
        else { throw badHeader(GroupHeaders.freeSpace, group) }
        return headers
    }

    private func sector(
        _ kind: GroupHeaders.Sector, of group: AGNumber
    ) throws(StorageError) -> [UInt8] {
        let position = geometry.position(ofSector: kind.number, in: group)
        let bytes = try buffer(at: position, count: geometry.sectorSize)
        let isList = kind.number == GroupHeaders.freeList.number
        // The list has a header since version 5 only.
        if isList, !geometry.hasChecksums { return bytes }
        guard bytes.big(0, as: UInt32.self) == kind.magic,
            bytes.big(isList ? 4 : 8, as: UInt32.self) == group.rawValue,
            isList || bytes.big(4, as: UInt32.self) == 1
        else { throw badHeader(kind, group) }
        guard geometry.hasChecksums else { return bytes }
        if !Checksum.holds(in: bytes, at: kind.checksum) {
            try checksumFailure(
                .groupChecksum,
                "the checksum of group \(group.rawValue)'s \(kind.name) is wrong; run xfs_repair",
                structure: kind.name, offset: position)
        }
        guard bytes[kind.uuid..<kind.uuid + 16].elementsEqual(geometry.blockUUID) else {
            throw badHeader(kind, group)
        }
        return bytes
    }

    private func badHeader(_ kind: GroupHeaders.Sector, _ group: AGNumber) -> StorageError {
        .xfs(
            .corrupt, .badGroupHeader, "group \(group.rawValue)'s \(kind.name) is damaged; run xfs_repair",
            structure: kind.name, offset: geometry.position(ofSector: kind.number, in: group))
    }
}
