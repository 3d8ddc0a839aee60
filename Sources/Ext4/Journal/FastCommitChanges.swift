internal import Storage

/// What the records of fast commits make of a volume, kept in memory: inodes, pieces of file maps, names. Nothing
/// else of the volume differs for a reader; bitmaps and counters are not told, and have to be counted again by who
/// replays onto a disk. (Linux documentation, filesystems/ext4/journal: "Fast commits".)
struct FastCommitChanges: Sendable {
    /// A name's inode.
    struct Name: Sendable, Equatable {
        var inode: UInt32
        var typeCode: UInt8
    }

    /// Inode records as they are now.
    private(set) var inodes: [UInt32: Inode] = [:]
    /// Changed pieces of files' maps.
    private(set) var maps: [UInt32: RangeOverrides] = [:]
    /// Names by directory: what they stand for now, nil for those that are gone.
    private(set) var names: [UInt32: [[UInt8]: Name?]] = [:]
    /// Directories that have no blocks yet that could be read, and their parents.
    private(set) var newDirectories: [UInt32: UInt32] = [:]

    /// Replays the records in their order over `base`, the volume as after the full commits.
    ///
    /// - Throws: `corrupt` for a record that cannot be true of this volume.
    init(
        _ area: FastCommitArea, of journal: Journal, over base: Ext4FileSystem
    ) throws(StorageError) {
        var current: (number: UInt32, bytes: [UInt8])?
        for record in area.records {
            if current?.number != record.block {
                current = (record.block, try journal.file.block(record.block))
            }
            guard let bytes = current?.bytes else { continue }
            let value = FastCommitValue(bytes: Array(bytes[record.value]), record: record)
            switch record.tag {
            case .addRange: try addRange(value, base)
            case .deleteRange: try deleteRange(value, base)
            case .inode: try replaceInode(value, base)
            case .create: try addName(value, base, isNew: true)
            case .link: try addName(value, base, isNew: false)
            case .unlink: try removeName(value, base)
            case .head, .tail, .padding: break
            }
        }
        for number in maps.keys { maps[number]?.settle() }
    }

    // MARK: Maps

    private mutating func addRange(_ value: FastCommitValue, _ base: Ext4FileSystem) throws(StorageError) {
        let number = try value.inodeNumber(at: 0, base.geometry)
        let logical = UInt64(value.bytes.little(4) as UInt32)
        // The rest is an extent as in a leaf of the tree.
        let run = ExtentNode(bytes: [UInt8](repeating: 0, count: 12) + value.bytes[4..<16]).extent(0)
        guard run.count > 0, logical + run.count <= Ext4FileSystem.extentLimit,
            let first = run.firstBlock, base.geometry.contains(first, count: run.count)
        else { throw value.damage("maps blocks that the volume does not have") }
        maps[number, default: RangeOverrides()].replace(with: run)
    }

    private mutating func deleteRange(
        _ value: FastCommitValue, _ base: Ext4FileSystem
    ) throws(StorageError) {
        let number = try value.inodeNumber(at: 0, base.geometry)
        let logical = UInt64(value.bytes.little(4) as UInt32)
        let count = UInt64(value.bytes.little(8) as UInt32)
        guard count > 0 else { return }
        maps[number, default: RangeOverrides()]
            .replace(with: MappedRun(logical: logical, count: count, place: .hole))
    }

    // MARK: Inodes

    /// The record as these changes have it so far.
    private func inode(_ number: UInt32, _ base: Ext4FileSystem) throws(StorageError) -> Inode {
        if let changed = inodes[number] { return changed }
        return try base.rawInode(InodeNumber(number))
    }

    private mutating func replaceInode(
        _ value: FastCommitValue, _ base: Ext4FileSystem
    ) throws(StorageError) {
        let number = try value.inodeNumber(at: 0, base.geometry)
        let record = Array(value.bytes.dropFirst(4))
        guard record.count >= 128, record.count <= base.geometry.inodeSize else {
            throw value.damage("holds an inode of \(record.count) bytes")
        }
        var inode = try inode(number, base)
        // A number that is used again: nothing of the file that had it before is left.
        let isNew =
            inode.mode == 0 || inode.linkCount == 0
            || inode.generation != record.little(Inode.Offset.generation)
        if isNew {
            inode.bytes = [UInt8](repeating: 0, count: base.geometry.inodeSize)
            maps[number] = nil
            newDirectories[number] = nil
        }
        let hadExtents = inode.flags.contains(.extents)
        inode.bytes.replaceSubrange(0..<Inode.Offset.map, with: record[0..<Inode.Offset.map])
        inode.bytes.replaceSubrange(
            Inode.Offset.generation..<record.count, with: record[Inode.Offset.generation...])
        guard 128 + inode.extraSize <= inode.bytes.count else {
            throw value.damage("holds an inode with \(inode.extraSize) extra bytes")
        }
        if inode.flags.contains(.extents) {
            // The tree stays: changes of it come as ranges.
            if isNew || !hadExtents { inode.bytes.replaceSubrange(Inode.mapRange, with: Self.emptyTree) }
        } else if inode.type != .regular && inode.type != .directory || inode.flags.contains(.inlineData) {
            inode.bytes.replaceSubrange(Inode.mapRange, with: record[Inode.mapRange])
        }
        inodes[number] = inode
    }

    /// The root of an extent tree with room for four entries and none in it.
    private static let emptyTree: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: Inode.mapRange.count)
        bytes.storeLittle(ExtentNode.magic, at: 0)
        bytes.storeLittle(UInt16(4), at: 4)
        return bytes
    }()

    /// Counts a link more or less. An inode's own record, which comes behind the names, has the last word.
    private mutating func changeLinks(
        _ number: UInt32, by change: Int, _ base: Ext4FileSystem
    ) throws(StorageError) {
        var inode = try inode(number, base)
        guard let count = UInt16(exactly: Int(inode.linkCount) + change) else { return }
        inode.linkCount = count
        inodes[number] = inode
    }

    // MARK: Names

    private func lookUp(
        _ name: [UInt8], in directory: UInt32, _ base: Ext4FileSystem
    ) throws(StorageError) -> Name? {
        if let known = names[directory]?[name] { return known }
        guard newDirectories[directory] == nil else { return nil }
        return try base.find(name, in: base.inode(InodeNumber(directory)))
            .map { Name(inode: $0.inode.rawValue, typeCode: $0.typeCode) }
    }

    private mutating func addName(
        _ value: FastCommitValue, _ base: Ext4FileSystem, isNew: Bool
    ) throws(StorageError) {
        let (parent, number, name) = try value.name(base.geometry)
        var inode = try inode(number, base)
        guard let type = inode.type else { throw value.damage("names inode \(number), which is unused") }
        if isNew {
            // For a directory too, and its parent's count stays: the kernel's replay does so, and e2fsck mends it.
            inode.linkCount = 1
            inodes[number] = inode
            if type == .directory {
                newDirectories[number] = parent
                names[number] = [:]
            }
        }
        let old = try lookUp(name, in: parent, base)
        guard old?.inode != number else { return }
        if !isNew { try changeLinks(number, by: 1, base) }
        names[parent, default: [:]].updateValue(
            Name(inode: number, typeCode: base.hasFileTypes ? type.directoryCode : 0), forKey: name)
    }

    private mutating func removeName(
        _ value: FastCommitValue, _ base: Ext4FileSystem
    ) throws(StorageError) {
        let (parent, number, name) = try value.name(base.geometry)
        if try lookUp(name, in: parent, base)?.inode == number {
            names[parent, default: [:]].updateValue(nil, forKey: name)
        }
        try changeLinks(number, by: -1, base)
    }
}

/// The value of one record, and how its fields lie.
private struct FastCommitValue {
    let bytes: [UInt8]
    let record: FastCommitArea.Record

    func damage(_ text: String) -> StorageError {
        .journal(
            .corrupt, .fastCommitRecord,
            "a fast commit \(text) (block \(record.block) of the journal); run e2fsck",
            structure: "fast commit")
    }

    func inodeNumber(at offset: Int, _ geometry: Geometry) throws(StorageError) -> UInt32 {
        let number: UInt32 = bytes.little(offset)
        guard number > 0, number <= geometry.inodeCount else {
            throw damage("concerns inode \(number), which does not exist")
        }
        return number
    }

    func name(
        _ geometry: Geometry
    ) throws(StorageError) -> (parent: UInt32, inode: UInt32, name: [UInt8]) {
        let name = Array(bytes.dropFirst(8))
        guard name.count <= 255, !name.contains(0), !name.contains(UInt8(ascii: "/")) else {
            throw damage("holds a name that cannot be one")
        }
        return (try inodeNumber(at: 0, geometry), try inodeNumber(at: 4, geometry), name)
    }
}
