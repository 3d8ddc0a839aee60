internal import Storage

/// What the check remembers of each inode in use: twelve bytes an inode, in pages of the 64 of a chunk, and of directories
/// where they lie.
struct InodeLedger {
    /// An inode in use.
    struct Record {
        /// Nil where the inode is not in use.
        var type: FileType?
        var isMetadata = false
        var links: UInt32 = 0
        /// Names that were found, "." and ".." of directories among them.
        var names: UInt32 = 0
    }

    /// Where a directory lies.
    struct Place {
        /// What ".." says, and where the directory's name was found.
        var parent: InodeNumber?
        var namedIn: InodeNumber?
    }

    private static let pageSize: UInt64 = 64
    /// 32 million inodes at best.
    private let limits: XFSFileSystem.CheckLimits

    private var pages: [UInt64: [Record]] = [:]
    private var places: [InodeNumber: Place] = [:]

    init(_ limits: XFSFileSystem.CheckLimits) { self.limits = limits }

    private static func position(_ number: InodeNumber) -> (page: UInt64, index: Int) {
        let (page, index) = number.rawValue.quotientAndRemainder(dividingBy: pageSize)
        return (page, Int(index))
    }

    /// Notes an inode in use. Throws `memoryBound` when there are more than memory should hold.
    mutating func add(_ number: InodeNumber, _ record: Record) throws(StorageError) {
        let (page, index) = Self.position(number)
        if pages[page] == nil {
            guard pages.count < limits.inodePages else { throw Self.tooMany("inodes are in use") }
            pages[page] = [Record](repeating: Record(), count: Int(Self.pageSize))
        }
        pages[page]?[index] = record
        if record.type == .directory {
            guard places.count < limits.directories else { throw Self.tooMany("directories are there") }
            places[number] = Place()
        }
    }

    private static func tooMany(_ what: String) -> StorageError {
        .memoryBound(
            "xfs",
            "more \(what) than are checked in half a GiB of memory, 32 million inodes at best; use xfs_repair",
            structure: "inode")
    }

    /// An inode in use; nil: it is not.
    subscript(number: InodeNumber) -> Record? {
        let (page, index) = Self.position(number)
        guard let record = pages[page]?[index], record.type != nil else { return nil }
        return record
    }

    /// Where a directory lies.
    func place(of directory: InodeNumber) -> Place { places[directory] ?? Place() }

    /// Counts a name of an inode in use.
    mutating func addName(of number: InodeNumber) {
        let (page, index) = Self.position(number)
        pages[page]?[index].names &+= 1
    }

    /// Says where a directory lies; nothing for what is no directory in use.
    mutating func setPlace(of directory: InodeNumber, _ change: (inout Place) -> Void) {
        guard var place = places[directory] else { return }
        change(&place)
        places[directory] = place
    }

    /// The directories, by number.
    func directories() throws(StorageError) -> [InodeNumber] {
        try Array(places.keys).sortedUnlessStopped(by: <)
    }

    /// Calls `body` with every inode in use, by number.
    func forEach(_ body: (InodeNumber, FileType, Record) throws(StorageError) -> Void) throws(StorageError) {
        for page in try Array(pages.keys).sortedUnlessStopped(by: <) {
            try Cancellation.check()
            for (index, record) in (pages[page] ?? []).enumerated() {
                guard let type = record.type else { continue }
                try body(InodeNumber(page * Self.pageSize + UInt64(index)), type, record)
            }
        }
    }
}
