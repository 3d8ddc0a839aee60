internal import Storage

/// The replay of a log into memory: what the kernel does at the next mount, without a byte written.
final class LogReplay {
    /// What changes may take in memory.
    static let byteLimit = 512 << 20

    /// The device as it is after the replay.
    let device: OverlayDevice
    let geometry: Geometry
    private(set) var warnings: [String] = []
    private(set) var openIntents: Set<LoggedIntent> = []
    private(set) var transactionCount = 0
    private var cancelled: [LoggedBuffer.Place: Int] = [:]
    let ring: LogRing

    init(_ reader: LogReader, on base: any BlockDevice) throws(StorageError) {
        device = OverlayDevice(base, byteLimit: Self.byteLimit)
        geometry = reader.geometry
        ring = reader.ring
        try reader.forEachTransaction { (transaction) throws(StorageError) in
            try noteCancelled(transaction)
        }
        try reader.forEachTransaction { (transaction) throws(StorageError) in
            transactionCount += 1
            try replay(transaction)
        }
        if openIntents.contains(where: \.changesTree) {
            warnings.append(
                "the log has an operation that was begun and not ended: what is read may lack a part of it")
        }
    }

    func isCancelled(_ place: LoggedBuffer.Place) -> Bool { cancelled[place] != nil }

    func warn(_ text: String) { if !warnings.contains(text) { warnings.append(text) } }

    private func noteCancelled(_ transaction: LogTransaction) throws(StorageError) {
        for item in transaction.items where item.type == LogItemType.buffer {
            let buffer = try buffer(item)
            if buffer.isCancelled { cancelled[buffer.place, default: 0] += 1 }
        }
    }

    private func buffer(_ item: LogTransaction.Item) throws(StorageError) -> LoggedBuffer {
        guard let buffer = LoggedBuffer(item) else { throw bad("a changed buffer") }
        return buffer
    }

    func bad(_ what: String) -> StorageError {
        .xfs(
            .corrupt, .badLog, "\(what) in the log cannot be one; run xfs_repair", structure: "log",
            offset: ring.position(of: 0))
    }

    /// Buffers and new inodes first, then inodes, then the lists of unlinked inodes, then what is cancelled
    /// (xlog_recover_reorder_trans).
    private func replay(_ transaction: LogTransaction) throws(StorageError) {
        var lists: [LoggedBuffer] = []
        var ends: [LoggedBuffer] = []
        for item in transaction.items {
            switch item.type {
            case LogItemType.buffer:
                let buffer = try buffer(item)
                if buffer.isCancelled {
                    ends.append(buffer)
                } else if buffer.isInodeList {
                    lists.append(buffer)
                } else {
                    try replay(buffer, transaction.lsn)
                }
            case LogItemType.inodeCreate:
                guard let creation = LoggedInodeCreation(item) else { throw bad("a creation of inodes") }
                try replay(creation)
            default:
                guard let (intent, isDone) = LoggedIntent.of(item) else { continue }
                if isDone { openIntents.remove(intent) } else { openIntents.insert(intent) }
            }
        }
        for item in transaction.items where item.type == LogItemType.inode {
            guard let inode = LoggedInode(item) else { throw bad("a changed inode") }
            try replay(inode, transaction.lsn)
        }
        for buffer in lists where !isCancelled(buffer.place) { try replayList(buffer) }
        for buffer in ends {
            guard let count = cancelled[buffer.place] else { continue }
            cancelled[buffer.place] = count > 1 ? count - 1 : nil
        }
    }

    /// A range of the volume that the log names.
    func requireRange(_ position: UInt64, _ count: Int) throws(StorageError) {
        guard count > 0, position <= device.byteCount, UInt64(count) <= device.byteCount - position else {
            throw bad("a place outside the volume")
        }
    }
}
