internal import Storage

extension VolumeCheck {
    /// Every block of a group is free, or something's, and one thing's unless files share it.
    func checkUse(_ group: AGNumber) {
        let place = geometry.position(ofSector: 1, in: group)
        func say(_ code: CheckCode, _ text: String, _ range: Range<UInt64>, _ severity: Severity = .damage) {
            sink.add(
                code, "\(range.count) blocks from \(range.lowerBound) on in group \(group.rawValue) \(text)",
                structure: "allocation group", offset: place, severity: severity)
        }
        let groupUse = use[Int(group.rawValue)]
        let (data, shared) = Self.overlay(groupUse.data)
        let said = groupUse.shared.filter { $0.references > 1 }
        if GroupTree.references.exists(in: geometry) {
            if Self.merged(said) != Self.merged(shared) {
                sink.add(
                    .references,
                    "group \(group.rawValue) does not count how often files share blocks as they do",
                    structure: "reference count tree", offset: place)
            }
        } else if let first = shared.first {
            say(.multiplyClaimed, "belong to several files", UInt64(first.start)..<first.end)
        }
        // Sorted by place: whatever begins before what came before it ends is used twice.
        var all: [(range: Range<UInt64>, isFree: Bool)] = groupUse.free.map { ($0, true) }
        all += (groupUse.fixed + data).map { ($0, false) }
        all.sort { $0.range.lowerBound < $1.range.lowerBound }
        var end: UInt64 = 0
        var isFree = false
        for piece in all {
            if piece.range.lowerBound < end {
                let both = piece.range.lowerBound..<min(end, piece.range.upperBound)
                let code = piece.isFree != isFree ? CheckCode.usedAndFree : .multiplyClaimed
                say(code, piece.isFree != isFree ? "are free and in use" : "are used by several things", both)
            } else if piece.range.lowerBound > end {
                say(.lostBlocks, "are neither free nor in use", end..<piece.range.lowerBound, .leak)
            }
            if piece.range.upperBound > end {
                end = piece.range.upperBound
                isFree = piece.isFree
            }
        }
        let length = UInt64(geometry.blockCount(of: group))
        if end < length { say(.lostBlocks, "are neither free nor in use", end..<length, .leak) }
    }

    /// The union of ranges, and the parts of it that several of them have, with how many.
    private static func overlay(
        _ ranges: [Range<UInt64>]
    ) -> (union: [Range<UInt64>], shared: [ReferenceRecord]) {
        var edges: [(place: UInt64, change: Int)] = []
        for range in ranges {
            edges.append((range.lowerBound, 1))
            edges.append((range.upperBound, -1))
        }
        edges.sort { $0.place < $1.place }
        var union: [Range<UInt64>] = []
        var shared: [ReferenceRecord] = []
        var depth = 0
        var start: UInt64 = 0
        var index = 0
        while index < edges.count {
            let place = edges[index].place
            if depth > 0, place > start {
                if let last = union.last, last.upperBound == start {
                    union[union.count - 1] = last.lowerBound..<place
                } else {
                    union.append(start..<place)
                }
                if depth > 1 {
                    shared.append(
                        ReferenceRecord(
                            start: UInt32(truncatingIfNeeded: start),
                            count: UInt32(truncatingIfNeeded: place - start),
                            references: UInt32(truncatingIfNeeded: depth)))
                }
            }
            while index < edges.count, edges[index].place == place {
                depth += edges[index].change
                index += 1
            }
            start = place
        }
        return (union, shared)
    }

    /// Neighbours of the same count as one.
    private static func merged(_ records: [ReferenceRecord]) -> [ReferenceRecord] {
        var result: [ReferenceRecord] = []
        for record in records {
            if let last = result.last, last.end == UInt64(record.start), last.references == record.references
            {
                result[result.count - 1].count &+= record.count
            } else {
                result.append(record)
            }
        }
        return result
    }
}
