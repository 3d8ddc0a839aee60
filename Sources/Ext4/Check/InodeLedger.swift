internal import Storage

/// What the check remembers of each inode: eight bytes an inode, in pages of those that lie around one in use.
struct InodeLedger {
    private struct Record {
        var references: UInt32 = 0
        var links: UInt16 = 0
        /// EXT4_FT_*, `unknownType` for a mode that says nothing, 0 where the inode is not in use.
        var type: UInt8 = 0
    }

    static let unknownType: UInt8 = 0xff
    private static let pageSize: UInt32 = 128
    /// 64 million inodes, half a GiB.
    private let pageLimit: Int

    private var pages: [UInt32: [Record]] = [:]
    private let inodesPerGroup: UInt32
    private(set) var count = 0

    init(_ geometry: Geometry, pageLimit: Int) {
        inodesPerGroup = geometry.inodesPerGroup
        self.pageLimit = pageLimit
    }

    private func position(_ number: UInt32) -> (page: UInt32, index: Int) {
        let (page, index) = (number &- 1).quotientAndRemainder(dividingBy: Self.pageSize)
        return (page, Int(index))
    }

    /// Notes an inode in use. Throws when there are more than memory should hold.
    mutating func add(_ number: UInt32, type: UInt8, links: UInt16) throws(StorageError) {
        let (page, index) = position(number)
        if pages[page] == nil {
            guard pages.count < pageLimit else {
                throw .memoryBound(
                    "ext4",
                    "more inodes are in use than are checked in half a GiB of memory, 64 million at best; use e2fsck",
                    structure: "inode table")
            }
            pages[page] = [Record](repeating: Record(), count: Int(Self.pageSize))
        }
        pages[page]?[index].type = type
        pages[page]?[index].links = links
        count += 1
    }

    /// EXT4_FT_*, 0 where the inode is not in use.
    func type(_ number: UInt32) -> UInt8 {
        let (page, index) = position(number)
        return pages[page]?[index].type ?? 0
    }

    /// Notes that a directory entry names the inode.
    mutating func addReference(_ number: UInt32) {
        let (page, index) = position(number)
        pages[page]?[index].references &+= 1
    }

    /// Whether inode `index` of a group is in use.
    func isUsed(group: UInt64, index: Int) -> Bool {
        type(UInt32(truncatingIfNeeded: group) &* inodesPerGroup &+ UInt32(index) &+ 1) != 0
    }

    /// Calls `body` for every inode in use, in order.
    func forEach(_ body: (_ number: UInt32, _ type: UInt8, _ links: UInt16, _ references: UInt32) -> Void) {
        for key in pages.keys.sorted() {
            guard let page = pages[key] else { continue }
            for (index, record) in page.enumerated() where record.type != 0 {
                // In range: the number was given to `add`.
                let number = key &* Self.pageSize &+ UInt32(index) &+ 1
                body(number, record.type, record.links, record.references)
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
