internal import Storage

/// What a pending log does to the file, held in memory: reading goes on as if it had been done.
struct VHDXReplay: Sendable {
    /// 4 KiB pages by offset.
    private var pages: [UInt64: [UInt8]] = [:]
    /// Sorted, disjoint ranges that become zero, apart from the pages.
    private var zeros: [Range<UInt64>] = []
    /// The file is at least this long afterwards.
    var fileSize: UInt64 = 0

    static let pageSize: UInt64 = 4096

    var isEmpty: Bool { pages.isEmpty && zeros.isEmpty && fileSize == 0 }

    /// More separate zeroed ranges than this are refused by the log.
    static let zeroLimit = 4096
    var zeroCount: Int { zeros.count }

    /// Later changes hide earlier ones.
    mutating func add(_ change: VHDXLogEntry.Change) {
        let range = change.range
        var kept: [Range<UInt64>] = []
        for zero in zeros {
            if zero.lowerBound < range.lowerBound {
                kept.append(zero.lowerBound..<min(zero.upperBound, range.lowerBound))
            }
            if zero.upperBound > range.upperBound {
                kept.append(max(zero.lowerBound, range.upperBound)..<zero.upperBound)
            }
        }
        switch change {
        case .data(let offset, let bytes): pages[offset] = bytes
        case .zero:
            if UInt64(pages.count) < (range.upperBound - range.lowerBound) / Self.pageSize {
                pages = pages.filter { !range.contains($0.key) }
            } else {
                for offset in stride(from: range.lowerBound, to: range.upperBound, by: Int(Self.pageSize)) {
                    pages[offset] = nil
                }
            }
            kept.append(range)
        }
        zeros = kept.sorted { $0.lowerBound < $1.lowerBound }
    }

    /// Puts what it changes over bytes read from the file at `offset`.
    func apply(to bytes: inout [UInt8], at offset: UInt64) {
        guard !bytes.isEmpty else { return }
        let end = offset + UInt64(bytes.count)
        bytes.withMutableBytes { bytes in
            for zero in zeros {
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
        pages[offset / Self.pageSize * Self.pageSize] != nil || zeros.contains { $0.contains(offset) }
    }

    /// Whether anything in `range` is changed.
    func touches(_ range: Range<UInt64>) -> Bool {
        zeros.contains { $0.overlaps(range) } || pages.keys.contains { range.contains($0) }
    }

    /// Does it to the file, without a barrier.
    func write(to file: HostFile) throws(StorageError) {
        if file.byteCount < fileSize { try file.truncate(to: fileSize) }
        for zero in zeros where zero.lowerBound < file.byteCount {
            try file.writeZeroes(
                at: zero.lowerBound, count: min(zero.upperBound, file.byteCount) - zero.lowerBound)
        }
        for (offset, bytes) in pages.sorted(by: { $0.key < $1.key }) { try file.write(bytes, at: offset) }
    }
}
