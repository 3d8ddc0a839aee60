internal import Storage

/// What the check remembers of each inode: seven bytes an inode, in groups that have one in use.
struct InodeLedger {
    private struct Group {
        /// EXT4_FT_* of inodes in use, `unknownType` for a mode that says nothing, 0 where not in use.
        var types: [UInt8]
        var links: [UInt16]
        var references: [UInt32]
    }

    static let unknownType: UInt8 = 0xff

    private var groups: [UInt64: Group] = [:]
    private let inodesPerGroup: UInt32
    private(set) var count = 0

    init(_ geometry: Geometry) { inodesPerGroup = geometry.inodesPerGroup }

    private func position(_ number: UInt32) -> (group: UInt64, index: Int) {
        let (group, index) = (number &- 1).quotientAndRemainder(dividingBy: inodesPerGroup)
        return (UInt64(group), Int(index))
    }

    mutating func add(_ number: UInt32, type: UInt8, links: UInt16) {
        let (group, index) = position(number)
        let size = Int(inodesPerGroup)
        groups[
            group,
            default: Group(
                types: [UInt8](repeating: 0, count: size), links: [UInt16](repeating: 0, count: size),
                references: [UInt32](repeating: 0, count: size))
        ].types[index] = type
        groups[group]?.links[index] = links
        count += 1
    }

    /// EXT4_FT_*, 0 where the inode is not in use.
    func type(_ number: UInt32) -> UInt8 {
        let (group, index) = position(number)
        return groups[group]?.types[index] ?? 0
    }

    /// Notes that a directory entry names the inode.
    mutating func addReference(_ number: UInt32) {
        let (group, index) = position(number)
        groups[group]?.references[index] &+= 1
    }

    /// Whether inode `index` of a group is in use.
    func isUsed(group: UInt64, index: Int) -> Bool { groups[group]?.types[index] ?? 0 != 0 }

    /// Calls `body` for every inode in use, in order.
    func forEach(_ body: (_ number: UInt32, _ type: UInt8, _ links: UInt16, _ references: UInt32) -> Void) {
        for key in groups.keys.sorted() {
            guard let group = groups[key] else { continue }
            for index in group.types.indices where group.types[index] != 0 {
                // In range: the number was given to `add`.
                let number = UInt32(truncatingIfNeeded: key) &* inodesPerGroup &+ UInt32(index) &+ 1
                body(number, group.types[index], group.links[index], group.references[index])
            }
        }
    }

    /// EXT4_FT_* of a file type.
    static func code(_ type: FileType?) -> UInt8 {
        switch type {
        case .regular: 1
        case .directory: 2
        case .characterDevice: 3
        case .blockDevice: 4
        case .fifo: 5
        case .socket: 6
        case .symbolicLink: 7
        case nil: unknownType
        }
    }
}
