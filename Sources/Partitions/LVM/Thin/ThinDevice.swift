internal import Storage

/// A thin volume's bytes: blocks of the pool's data volume where they are mapped, zeros elsewhere. Read only:
/// writing would need the pool's allocator.
final class ThinDevice: BlockDevice {
    private let metadata: ThinMetadata
    private let mappings: UInt64
    private let data: any BlockDevice

    /// The size in bytes.
    let byteCount: UInt64
    /// The data volume's sector size.
    var sectorSize: UInt32 { data.sectorSize }
    /// The data volume's host files.
    var hostFiles: [any ByteFile] { data.hostFiles }

    init(
        _ metadata: ThinMetadata, device number: UInt64, data: any BlockDevice, byteCount: UInt64
    ) throws(StorageError) {
        self.metadata = metadata
        mappings = try metadata.mappings(ofDevice: number)
        self.data = data
        self.byteCount = byteCount
    }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        var done = 0
        while done < target.byteCount {
            let run = try run(at: offset + UInt64(done))
            let count = Int(min(run.byteCount, UInt64(target.byteCount - done)))
            if let place = run.place {
                var part = target.part(done..<done + count)
                try data.read(into: &part, at: place)
            } else {
                target.zero(done..<done + count)
            }
            done += count
        }
    }

    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        let run = try run(at: offset)
        let count = min(run.byteCount, byteCount - offset)
        guard let place = run.place else { return Extent(range: offset..<offset + count, kind: .zero) }
        let below = try data.nextExtent(at: place)
        let length = min(count, below.range.upperBound - place)
        let range = offset..<offset + length
        switch below.kind {
        case .plain, .memory, .zero: return Extent(range: range, kind: below.kind)
        case .absent: return Extent(range: range, kind: .zero)
        case .compressed, .computed: return Extent(range: range, kind: .computed)
        }
    }

    /// Where byte `offset` lies in the data volume (nil: nowhere), and how far that holds.
    private func run(at offset: UInt64) throws(StorageError) -> (place: UInt64?, byteCount: UInt64) {
        let size = metadata.dataBlockSize
        let (block, within) = offset.quotientAndRemainder(dividingBy: size)
        let found = try metadata.dataBlock(of: block, mappings: mappings)
        guard let target = found.value else {
            let end = (found.next *? size) ?? byteCount
            return (nil, max(min(end, byteCount), offset + 1) - offset)
        }
        guard let start = target *? size, start < data.byteCount, data.byteCount - start >= size else {
            throw StorageError(
                .corrupt, LVMCode.thinMetadata,
                "a thin volume is mapped to block \(target), behind the end of its pool", offset: offset)
        }
        return (start + within, size - within)
    }
}

private func *? (left: UInt64?, right: UInt64) -> UInt64? {
    guard let left else { return nil }
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? nil : product
}
