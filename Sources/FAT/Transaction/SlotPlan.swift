internal import Storage

/// Where new slots of a directory go. Nothing is changed by planning.
struct SlotPlan: Sendable {
    /// One behind the other, as many as were asked for.
    var places: [UInt64]
    /// Free slots behind the end mark and in front of `places`: they would hide what is behind them.
    var fills: [UInt64] = []
    /// Slots behind the end mark that are not empty, which nobody sees yet.
    var rubbish: [UInt64] = []
    /// Clusters that the directory gets, and the one that they are linked to.
    var added: [ClusterNumber] = []
    var last: ClusterNumber?
}

extension FATTransaction {
    /// Finds `count` free slots that follow each other: within one sector where it can be, so that they are there all at
    /// once. Throws `root-full`, `directory-full` and `no-space`.
    ///
    /// `more` is how many clusters the operation takes besides.
    func plan(
        _ count: Int, in directory: DirectoryPlace, more: UInt64
    ) throws(StorageError) -> SlotPlan {
        var slots: [(place: UInt64, isFree: Bool)] = []
        var end: Int?
        var rubbish: [UInt64] = []
        try forEachSlot(of: directory, pastEnd: true) { slot, place in
            if end == nil, slot.isEnd { end = slots.count }
            if end != nil, !slot.bytes.span8.isAllZero { rubbish.append(place) }
            slots.append((place, end != nil || slot.isDeleted))
            return true
        }
        if let start = Self.run(of: count, in: slots, end: end) {
            try requireSpace(more)
            return made(start, count, slots, end, rubbish)
        }
        guard case .chain(let first) = directory else {
            throw .fat(
                .refused, .rootFull,
                "the root directory has \(slots.count) slots and no \(count) free ones that follow each other"
            )
        }
        let perCluster = geometry.clusterSize / DirectorySlot.byteCount
        let needed = count.dividedRoundingUp(by: perCluster)
        guard (slots.count + needed * perCluster) * DirectorySlot.byteCount <= Geometry.directoryByteLimit
        else {
            throw .fat(.refused, .directoryFull, "the directory has as many names as one can have")
        }
        try requireSpace(more + UInt64(needed))
        let before = slots.count
        let last = try chain(from: first, limit: geometry.clusterCount).last
        let added = try takeClusters(needed)
        for cluster in added {
            let offset = geometry.byteOffset(of: cluster)
            for index in 0..<perCluster {
                slots.append((offset + UInt64(index * DirectorySlot.byteCount), true))
            }
        }
        guard let start = Self.run(of: count, in: slots, end: end ?? before) else {
            throw .fat(.refused, .directoryFull, "the directory has no room for \(count) slots")
        }
        var plan = made(start, count, slots, end ?? before, rubbish)
        plan.added = added
        plan.last = last
        return plan
    }

    private func made(
        _ start: Int, _ count: Int, _ slots: [(place: UInt64, isFree: Bool)], _ end: Int?, _ rubbish: [UInt64]
    ) -> SlotPlan {
        let reachesEnd = end.map { start + count > $0 } ?? false
        return SlotPlan(
            places: slots[start..<start + count].map(\.place),
            fills: end.map { $0 < start ? slots[$0..<start].map(\.place) : [] } ?? [],
            rubbish: reachesEnd ? rubbish : [])
    }

    /// The index of the first of `count` free slots: within one sector, else any.
    private static func run(of count: Int, in slots: [(place: UInt64, isFree: Bool)], end: Int?) -> Int? {
        var length = 0
        var any: Int?
        for (index, slot) in slots.enumerated() {
            let follows = index > 0 && slots[index - 1].place + UInt64(DirectorySlot.byteCount) == slot.place
            length = slot.isFree ? length + 1 : 0
            guard length >= count else { continue }
            let start = index + 1 - count
            if any == nil { any = start }
            if slots[start].place / unit == slot.place / unit, follows || count == 1 { return start }
            // Behind the end mark nothing changes any more but the sector's edges.
            if let end, start > end + 2 * Int(unit) / DirectorySlot.byteCount { break }
        }
        return any
    }

    /// Carries out what a plan needs before its slots are used.
    func apply(_ plan: SlotPlan) throws(StorageError) {
        let empty = [UInt8](repeating: 0, count: DirectorySlot.byteCount)
        for place in plan.rubbish { try patch(empty, at: place, in: .contents) }
        for cluster in plan.added {
            try patch(
                [UInt8](repeating: 0, count: geometry.clusterSize), at: geometry.byteOffset(of: cluster),
                in: .contents)
        }
        try link(plan.added)
        if let last = plan.last, let first = plan.added.first {
            try patchTable(last.rawValue, to: first.rawValue, in: .linked)
        }
        var fill = empty
        fill[0] = DirectorySlot.deletedMark
        for place in plan.fills { try patch(fill, at: place, in: .longNames) }
    }
}
