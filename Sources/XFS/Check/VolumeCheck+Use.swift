internal import Storage

extension VolumeCheck {
    /// Every block of a group is free, or something's, and one thing's unless files share it.
    func checkUse(_ group: AGNumber) throws(StorageError) {
        let place = geometry.position(ofSector: 1, in: group)
        func say(_ code: CheckCode, _ text: String, _ range: Range<UInt64>, _ severity: Severity = .damage) {
            sink.add(
                code, "\(range.count) blocks from \(range.lowerBound) on in group \(group.rawValue) \(text)",
                structure: "allocation group", offset: place, severity: severity)
        }
        // What was judged is not held any more.
        let groupUse = use[Int(group.rawValue)]
        use[Int(group.rawValue)] = GroupUse()
        let (data, shared) = try Self.overlay(groupUse.data)
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
        var all = groupUse.fixed
        all += data
        all += groupUse.free.map { Piece(start: $0.start, end: UInt32(clamping: $0.end), isFree: true) }
        try all.sortUnlessStopped { $0.start < $1.start }
        var end: UInt32 = 0
        var isFree = false
        for (turn, piece) in all.enumerated() {
            try Cancellation.check(turn: turn)
            if piece.start < end {
                let both = UInt64(piece.start)..<UInt64(min(end, piece.end))
                let code = piece.isFree != isFree ? CheckCode.usedAndFree : .multiplyClaimed
                say(code, piece.isFree != isFree ? "are free and in use" : "are used by several things", both)
            } else if piece.start > end {
                say(.lostBlocks, "are neither free nor in use", UInt64(end)..<UInt64(piece.start), .leak)
            }
            if piece.end > end {
                end = piece.end
                isFree = piece.isFree
            }
        }
        let length = UInt64(geometry.blockCount(of: group))
        if end < length { say(.lostBlocks, "are neither free nor in use", UInt64(end)..<length, .leak) }
    }

    /// The union of ranges, and the parts of it that several of them have, with how many.
    private static func overlay(
        _ pieces: [Piece]
    ) throws(StorageError) -> (union: [Piece], shared: [ReferenceRecord]) {
        let starts = try pieces.map(\.start).sortedUnlessStopped(by: <)
        let ends = try pieces.map(\.end).sortedUnlessStopped(by: <)
        var union: [Piece] = []
        var shared: [ReferenceRecord] = []
        var depth = 0
        var start: UInt32 = 0
        var (begun, ended) = (0, 0)
        while ended < ends.count {
            try Cancellation.check(turn: ended)
            let place = begun < starts.count ? min(starts[begun], ends[ended]) : ends[ended]
            if depth > 0, place > start {
                if let last = union.last, last.end == start {
                    union[union.count - 1].end = place
                } else {
                    union.append(Piece(start: start, end: place))
                }
                if depth > 1 {
                    shared.append(
                        ReferenceRecord(
                            start: start, count: place - start,
                            references: UInt32(truncatingIfNeeded: depth)))
                }
            }
            while begun < starts.count, starts[begun] == place {
                depth += 1
                begun += 1
            }
            while ended < ends.count, ends[ended] == place {
                depth -= 1
                ended += 1
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
