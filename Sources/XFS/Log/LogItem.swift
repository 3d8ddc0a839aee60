internal import Storage

/// What items of the log are of: the first word of their first region.
enum LogItemType {
    static let extentFree: UInt16 = 0x1236
    static let extentFreeDone: UInt16 = 0x1237
    static let inode: UInt16 = 0x123b
    static let buffer: UInt16 = 0x123c
    static let inodeCreate: UInt16 = 0x123f
    static let reverseMap: UInt16 = 0x1240
    static let reverseMapDone: UInt16 = 0x1241
    static let references: UInt16 = 0x1242
    static let referencesDone: UInt16 = 0x1243
    static let fileMap: UInt16 = 0x1244
    static let fileMapDone: UInt16 = 0x1245
    static let attribute: UInt16 = 0x1246
    static let attributeDone: UInt16 = 0x1247
    static let exchange: UInt16 = 0x1248
    static let exchangeDone: UInt16 = 0x1249
}

/// A buffer of the device, changed in chunks of 128 bytes (struct xfs_buf_log_format), little-endian.
struct LoggedBuffer: Sendable {
    static let chunk = 128
    /// The longest buffer there is.
    static let maximumByteCount = 1 << 18

    /// A place on the device: 512-byte units.
    struct Place: Hashable, Sendable {
        let block: UInt64
        let count: UInt16
    }

    let place: Place
    /// Only the pointers of inodes to the next unlinked one.
    let isInodeList: Bool
    let isCancelled: Bool
    /// Chunks that follow each other, and their bytes.
    let runs: [(offset: Int, bytes: [UInt8])]

    var position: UInt64 { place.block &* 512 }
    var byteCount: Int { Int(place.count) * 512 }

    /// Nil where the regions do not fit what the format says.
    init?(_ item: LogTransaction.Item) {
        guard let format = item.regions.first, format.count >= 24 else { return nil }
        let flags: UInt16 = format.little(4)
        isInodeList = flags & 1 != 0
        isCancelled = flags & 2 != 0
        place = Place(block: format.little(8), count: format.little(6))
        let length = Int(place.count) * 512
        guard length <= Self.maximumByteCount else { return nil }
        guard !isCancelled else {
            runs = []
            return
        }
        let words = Int(format.little(16, as: UInt32.self))
        guard words <= (format.count - 20) / 4 else { return nil }
        func isLogged(_ chunk: Int) -> Bool {
            chunk < words * 32
                && format.little(20 + chunk / 32 * 4, as: UInt32.self) & 1 << UInt32(chunk % 32) != 0
        }
        var runs: [(offset: Int, bytes: [UInt8])] = []
        var chunk = 0
        var region = 1
        while chunk < words * 32 {
            guard isLogged(chunk) else {
                chunk += 1
                continue
            }
            let first = chunk
            while isLogged(chunk) { chunk += 1 }
            guard region < item.regions.count else { return nil }
            // A region holds a run of chunks, or the beginning of one where it was cut at a page's end.
            let bytes = item.regions[region]
            let count = min((chunk - first) * Self.chunk, bytes.count)
            guard count > 0, count % Self.chunk == 0, first * Self.chunk + count <= length else { return nil }
            runs.append((first * Self.chunk, Array(bytes.prefix(count))))
            chunk = first + count / Self.chunk
            region += 1
        }
        self.runs = runs
    }
}

/// A changed inode (struct xfs_inode_log_format): its core in the order of the machine that wrote it, and its forks.
struct LoggedInode: Sendable {
    struct Fields: OptionSet, Sendable {
        let rawValue: UInt32
        static let dataLocal = Fields(rawValue: 0x2)
        static let dataExtents = Fields(rawValue: 0x4)
        static let dataRoot = Fields(rawValue: 0x8)
        static let device = Fields(rawValue: 0x10)
        static let attributesLocal = Fields(rawValue: 0x40)
        static let attributesExtents = Fields(rawValue: 0x80)
        static let attributesRoot = Fields(rawValue: 0x100)
        /// Map blocks got another owner: extents were swapped.
        static let owners: Fields = [Fields(rawValue: 0x200), Fields(rawValue: 0x400)]
        static let data: Fields = [.dataLocal, .dataExtents, .dataRoot]
        static let attributes: Fields = [.attributesLocal, .attributesExtents, .attributesRoot]
    }

    let number: InodeNumber
    let fields: Fields
    let device: UInt32
    /// The buffer that holds the inode.
    let cluster: LoggedBuffer.Place
    let core: [UInt8]
    let dataFork: [UInt8]?
    let attributeFork: [UInt8]?

    init?(_ item: LogTransaction.Item) {
        guard let format = item.regions.first, item.regions.count >= 2, format.count >= 52 else { return nil }
        // A machine of 32 bits has no padding before the number.
        let shift = format.count >= 56 ? 4 : 0
        fields = Fields(rawValue: format.little(4))
        number = InodeNumber(format.little(12 + shift))
        device = format.little(20 + shift)
        guard let block = UInt64(exactly: format.little(36 + shift, as: Int64.self)),
            let count = UInt16(exactly: format.little(44 + shift, as: Int32.self))
        else { return nil }
        cluster = LoggedBuffer.Place(block: block, count: count)
        core = item.regions[1]
        let hasData = !fields.isDisjoint(with: .data)
        let hasAttributes = !fields.isDisjoint(with: .attributes)
        guard item.regions.count >= 2 + (hasData ? 1 : 0) + (hasAttributes ? 1 : 0) else { return nil }
        dataFork = hasData ? item.regions[2] : nil
        attributeFork = hasAttributes ? item.regions[hasData ? 3 : 2] : nil
    }
}

/// Inodes that were made (struct xfs_icreate_log), big-endian.
struct LoggedInodeCreation: Sendable {
    let group: AGNumber
    let block: AGBlock
    let count: UInt32
    let length: UInt32
    let generation: UInt32

    init?(_ item: LogTransaction.Item) {
        guard let format = item.regions.first, format.count >= 28 else { return nil }
        group = AGNumber(format.big(4))
        block = AGBlock(format.big(8))
        count = format.big(12)
        length = format.big(20)
        generation = format.big(24)
    }
}

/// What a transaction meant to go on with, and did not: named by type and number.
struct LoggedIntent: Hashable, Sendable {
    let type: UInt16
    let number: UInt64

    private static let pairs: [(open: UInt16, done: UInt16)] = [
        (LogItemType.extentFree, LogItemType.extentFreeDone),
        (LogItemType.reverseMap, LogItemType.reverseMapDone),
        (LogItemType.references, LogItemType.referencesDone),
        (LogItemType.fileMap, LogItemType.fileMapDone),
        (LogItemType.attribute, LogItemType.attributeDone),
        (LogItemType.exchange, LogItemType.exchangeDone),
    ]

    /// A reader sees another tree until it is done.
    var changesTree: Bool {
        [LogItemType.fileMap, LogItemType.attribute, LogItemType.exchange].contains(type)
    }

    /// The intent that an item opens or ends; nil for other items.
    static func of(_ item: LogTransaction.Item) -> (intent: LoggedIntent, isDone: Bool)? {
        let type = item.type
        guard let format = item.regions.first, format.count >= 16,
            let pair = pairs.first(where: { $0.open == type || $0.done == type })
        else { return nil }
        return (LoggedIntent(type: pair.open, number: format.little(8)), pair.done == type)
    }
}
