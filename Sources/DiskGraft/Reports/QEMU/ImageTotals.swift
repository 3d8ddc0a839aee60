internal import ImageFormats
internal import Storage

/// What an image's own tables come to, in the terms of `qemu-img check`. Its parents do not count.
struct ImageTotals: Equatable, Sendable {
    /// Clusters, blocks or grains of the disk.
    var total: UInt64
    /// Those that have a place in the file.
    var allocated: UInt64 = 0
    /// Those that do not follow the one before them in the file; compressed ones never do.
    var fragmented: UInt64 = 0
    var compressed: UInt64 = 0

    /// Walks an image's map; nil when the format has no units.
    init?(_ image: OpenedImage) throws(StorageError) {
        guard let unit = image.info.unitSize, unit > 0, image.info.format != .raw else { return nil }
        let map = image.disk.map
        total = map.byteCount.dividedRoundingUp(by: unit)
        // qemu begins anew with each L2 table.
        let tableSpan = image.info.format == .qcow2 ? unit *? (unit / 8) : nil
        var expected: UInt64?
        var table: UInt64?
        var counted: UInt64 = 0
        var position: UInt64 = 0
        while position < map.byteCount {
            try Cancellation.check()
            let extent = try map.extent(at: position)
            let end = min(extent.range.upperBound, map.byteCount)
            // A unit of which several extents tell counts once.
            let first = max(position / unit, counted)
            let last = end.dividedRoundingUp(by: unit)
            let count = last > first ? last - first : 0
            switch extent.kind {
            case .plain(_, let offset) where count > 0:
                allocated += count
                let start = offset &- (position - position / unit * unit)
                let ownTable = tableSpan.map { position / $0 }
                if ownTable == table, let expected, expected != start { fragmented += 1 }
                expected = start &+ count * unit
                table = tableSpan.map { (end - 1) / $0 }
                counted = last
            case .compressed where count > 0:
                allocated += count
                compressed += count
                fragmented += count
                counted = last
            default:
                break
            }
            position = max(end, position + 1)
        }
    }
}
