internal import Storage

/// What a pending log does to the file, held in memory: reading goes on as if it had been done.
struct VHDXReplay: Sendable {
    /// 4 KiB pages by offset.
    private var pages: [UInt64: [UInt8]] = [:]
    /// What becomes zero, apart from the pages.
    private var zeros = RangeSet<UInt64>()
    /// The file is at least this long afterwards.
    var fileSize: UInt64 = 0

    static let pageSize: UInt64 = 4096

    /// More separate zeroed ranges than this are refused by the log.
    static let zeroLimit = 4096
    var zeroCount: Int { zeros.ranges.count }

    /// Later changes hide earlier ones.
    mutating func add(_ change: VHDXLogEntry.Change) {
        let range = change.range
        switch change {
        case .data(let offset, let bytes):
            zeros.remove(contentsOf: range)
            pages[offset] = bytes
        case .zero:
            if UInt64(pages.count) < (range.upperBound - range.lowerBound) / Self.pageSize {
                pages = pages.filter { !range.contains($0.key) }
            } else {
                for offset in stride(from: range.lowerBound, to: range.upperBound, by: Int(Self.pageSize)) {
                    pages[offset] = nil
                }
            }
            zeros.insert(contentsOf: range)
        }
    }

    /// Puts what it changes over bytes read from the file at `offset`.
    func apply(to bytes: inout [UInt8], at offset: UInt64) {
        guard !bytes.isEmpty else { return }
        let end = offset + UInt64(bytes.count)
        bytes.withMutableBytes { bytes in
            for zero in zeros(overlapping: offset..<end) {
                let part = zero.clamped(to: offset..<end)
                bytes.zero(Int(part.lowerBound - offset)..<Int(part.upperBound - offset))
            }
            var page = offset / Self.pageSize * Self.pageSize
            while page < end {
                if let content = pages[page] {
                    let part = (page..<page + Self.pageSize).clamped(to: offset..<end)
                    bytes.copy(
                        content.span8.extracting(Int(part.lowerBound - page)..<Int(part.upperBound - page)),
                        to: Int(part.lowerBound - offset))
                }
                page += Self.pageSize
            }
        }
    }

    /// Whether the bytes from `offset` on are changed, and up to where that answer holds, at `limit` at most.
    func isChanged(at offset: UInt64, limit: UInt64) -> (Bool, end: UInt64) {
        let changed = contains(offset)
        var end = (offset / Self.pageSize + 1) * Self.pageSize
        while end < limit, contains(end) == changed { end += Self.pageSize }
        return (changed, min(end, limit))
    }

    private func contains(_ offset: UInt64) -> Bool {
        pages[offset / Self.pageSize * Self.pageSize] != nil || zeros.contains(offset)
    }

    private func zeros(overlapping range: Range<UInt64>) -> RangeSet<UInt64>.Ranges.SubSequence {
        let ranges = zeros.ranges
        let first = ranges.firstIndex(sortedBy: { $0.upperBound > range.lowerBound })
        let end = ranges[first...].firstIndex(sortedBy: { $0.lowerBound >= range.upperBound })
        return ranges[first..<end]
    }

    /// Whether anything in `range` is changed.
    func touches(_ range: Range<UInt64>) -> Bool {
        !zeros(overlapping: range).isEmpty || pages.keys.contains { range.contains($0) }
    }

    /// Does it to the file, without a barrier.
    func write(to file: any ByteFile) throws(StorageError) {
        if file.byteCount < fileSize { try file.truncate(to: fileSize) }
        for zero in zeros.ranges where zero.lowerBound < file.byteCount {
            try file.writeZeroes(
                at: zero.lowerBound, count: min(zero.upperBound, file.byteCount) - zero.lowerBound)
        }
        for (offset, bytes) in pages.sorted(by: { $0.key < $1.key }) { try file.write(bytes, at: offset) }
    }
}
