internal import Storage

/// A cluster of the guest's disk, counted from its start; clusters of the file are plain numbers.
struct QCOW2GuestCluster: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: QCOW2GuestCluster, right: QCOW2GuestCluster) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Consecutive guest clusters whose entries belong together: neighbours in the file, or all of one kind.
struct QCOW2Run {
    /// The first guest cluster.
    let first: QCOW2GuestCluster
    /// How many there are.
    private(set) var count: UInt64 = 0
    /// What the first entry says.
    private(set) var entry: QCOW2Entry = .unallocated
    private let header: QCOW2Header
    private var firstRaw: UInt64 = 0
    /// What the next entry must exceed the one before it by.
    private var step: UInt64 = 0
    private var firstPlace: UInt64 = 0

    init(first: QCOW2GuestCluster, header: QCOW2Header) {
        self.first = first
        self.header = header
    }

    /// Takes `count` clusters without an L2 table; false when they do not belong here.
    mutating func appendUnallocated(_ clusters: UInt64) -> Bool {
        guard count == 0 || firstRaw == 0 else { return false }
        count += clusters
        return true
    }

    /// Takes as many of `count` entries from byte `index` of `page` on as belong here; false when not all do.
    mutating func append(
        _ page: [UInt8], from index: Int, count entries: Int, at base: UInt64
    ) throws(StorageError) -> Bool {
        guard entries > 0 else { return true }
        var taken = 0
        if count == 0 {
            firstRaw = page.big(index)
            firstPlace = base + UInt64(index)
            entry = try QCOW2Entry(firstRaw, header: header, at: firstPlace)
            if case .plain = entry { step = header.clusterSize }
            taken = 1
            count = 1
            // Only bare entries are merged; a compressed cluster, or one with odd bits, stands alone.
            let isBare =
                switch entry {
                case .plain: true
                case .unallocated: firstRaw == 0
                case .zero(let host): host == nil && firstRaw == QCOW2Entry.zeroFlag
                case .compressed: false
                }
            guard isBare else { return false }
        }
        let span = page.span8
        var expected = firstRaw &+ count &* step
        while taken < entries {
            guard span.big(index + taken * 8, as: UInt64.self) == expected else { return false }
            expected &+= step
            count += 1
            taken += 1
        }
        return true
    }

    /// The run as an extent from guest byte `offset`, which lies in its first cluster, on.
    func extent(at offset: UInt64, fileEnd: UInt64) throws(StorageError) -> Extent {
        let bits = UInt64(header.clusterBits)
        let start = first.rawValue << bits
        let inside = offset - start
        var end = min((first.rawValue + count) << bits, header.virtualSize)
        switch entry {
        case .unallocated:
            return Extent(range: offset..<end, kind: .absent)
        case .zero:
            return Extent(range: offset..<end, kind: .zero)
        case .plain(let host, _):
            // A file that ends within a cluster: its writer did not pad, and the rest reads as zeros. One that
            // ends before a cluster has lost it.
            guard host < fileEnd else { throw beyondEnd(host) }
            let position = host + inside
            guard position < fileEnd else {
                return Extent(range: offset..<min(start + header.clusterSize, end), kind: .zero)
            }
            end = min(end, offset + (fileEnd - position))
            return Extent(range: offset..<end, kind: .plain(file: 0, offset: position))
        case .compressed(let bytes):
            guard bytes.lowerBound < fileEnd else { throw beyondEnd(bytes.lowerBound) }
            let unit = Extent.CompressedUnit(
                codec: header.codec, file: 0, hostRange: bytes, unitRange: start..<end)
            return Extent(range: offset..<end, kind: .compressed(unit))
        }
    }

    func beyondEnd(_ host: UInt64) -> StorageError {
        .qcow2(
            .clusterBeyondEnd,
            "a cluster lies at \(host.hex), past the file's end; the file is truncated or damaged",
            structure: "L2 table", offset: firstPlace)
    }
}
