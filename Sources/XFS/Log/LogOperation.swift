internal import Storage

/// One operation of a record's payload (struct xlog_op_header): whose, how long, what for; its bytes follow.
struct LogOperation: Sendable {
    static let headerByteCount = 12

    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        static let start = Flags(rawValue: 1)
        static let commit = Flags(rawValue: 2)
        /// The rest of it follows in the next record.
        static let continues = Flags(rawValue: 4)
        /// It is the rest of one of the record before.
        static let continued = Flags(rawValue: 8)
        static let unmount = Flags(rawValue: 0x20)
    }

    let transaction: UInt32
    let flags: Flags
    /// Where its bytes lie in the payload.
    let range: Range<Int>

    /// The operation at `offset`; nil where it does not fit.
    init?(_ payload: [UInt8], at offset: Int) {
        guard offset >= 0, payload.count - offset >= Self.headerByteCount else { return nil }
        transaction = payload.big(offset)
        let length = Int(payload.big(offset + 4, as: UInt32.self))
        flags = Flags(rawValue: payload[offset + 9])
        let start = offset + Self.headerByteCount
        guard length <= payload.count - start else { return nil }
        range = start..<start + length
    }
}

/// A transaction of the log while it is read: its items, each in regions.
struct LogTransaction: Sendable {
    static let headerByteCount = 16
    static let headerMagic: UInt32 = 0x5452_414e

    /// An item: what it is of says the first word, which is in the order of the machine that wrote it.
    struct Item: Sendable {
        var total = 0
        var regions: [[UInt8]] = []

        var type: UInt16 { regions.first.flatMap { $0.count >= 2 ? $0.little(0) : nil } ?? 0 }
    }

    /// Of the record that it began in.
    let lsn: LogSequence
    var header: [UInt8] = []
    var items: [Item] = []
    var byteCount = 0

    init(_ lsn: LogSequence) { self.lsn = lsn }

    /// Adds a region; false where it cannot be one (xlog_recover_add_to_trans).
    mutating func add(_ region: [UInt8]) -> Bool {
        guard !region.isEmpty else { return true }
        byteCount += region.count
        if header.count < Self.headerByteCount {
            guard header.isEmpty, region.count <= Self.headerByteCount, region.count >= 4,
                region.little(0, as: UInt32.self) == Self.headerMagic
            else { return false }
            header = region
            return true
        }
        if items.last.map({ $0.regions.count == $0.total }) ?? true {
            // The first region says how many there are.
            guard region.count >= 4 else { return false }
            let total = Int(region.little(2, as: UInt16.self))
            guard (1...1024).contains(total) else { return false }
            items.append(Item(total: total))
        }
        items[items.count - 1].regions.append(region)
        return true
    }

    /// Adds the rest of the last region; false where there is none (xlog_recover_add_to_cont_trans).
    mutating func extend(_ rest: [UInt8]) -> Bool {
        byteCount += rest.count
        if items.isEmpty {
            guard header.count + rest.count <= Self.headerByteCount else { return false }
            header += rest
            return true
        }
        let item = items.count - 1
        guard let region = items[item].regions.indices.last else { return false }
        items[item].regions[region] += rest
        return true
    }
}
