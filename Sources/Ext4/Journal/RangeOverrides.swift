internal import Storage

/// Pieces of a file's map that replace what its inode's own map says: once settled sorted by file block, without
/// overlaps.
package struct RangeOverrides: Sendable {
    private var runs: [MappedRun] = []

    init() {}

    /// Pieces in the order of their records, settled: file block, count and block of the device (nil for a hole).
    package init(_ pieces: [(logical: UInt64, count: UInt64, block: UInt64?)]) {
        for piece in pieces {
            let place = piece.block.map { MappedRun.Place.written(BlockNumber($0)) } ?? .hole
            replace(with: MappedRun(logical: piece.logical, count: piece.count, place: place))
        }
        settle()
    }

    /// Where block `logical` lies: the outer nil where no piece covers it, the inner one for a hole.
    package func block(at logical: UInt64) -> UInt64?? {
        lookUp(logical).run.map { $0.firstBlock?.rawValue }
    }

    /// The index of the first piece that ends behind `logical`.
    private func index(endingAfter logical: UInt64) -> Int {
        runs.firstIndex(sortedBy: { $0.end > logical })
    }

    /// Puts a piece over those before it. Its end has 64 bits: the caller has checked. `settle` makes it count.
    mutating func replace(with run: MappedRun) { runs.append(run) }

    /// Sorts the pieces out, the newest on top. All at once, the newest first, each block painted once: piece by piece
    /// a hostile journal could make every one move all the others.
    mutating func settle() {
        let cuts = Set(runs.flatMap { [$0.logical, $0.end] }).sorted()
        let places = Dictionary(uniqueKeysWithValues: cuts.enumerated().map { ($0.element, $0.offset) })
        var owners = [Int?](repeating: nil, count: cuts.count)
        // The next segment at or behind each that nobody has painted.
        var free = Array(0...cuts.count)
        func nextFree(_ start: Int) -> Int {
            var found = start
            while free[found] != found { found = free[found] }
            var step = start
            while free[step] != step {
                let next = free[step]
                free[step] = found
                step = next
            }
            return found
        }
        for index in runs.indices.reversed() {
            guard let first = places[runs[index].logical], let end = places[runs[index].end] else { continue }
            var segment = nextFree(first)
            while segment < end {
                owners[segment] = index
                free[segment] = segment + 1
                segment = nextFree(segment + 1)
            }
        }
        var settled: [MappedRun] = []
        var last: Int?
        for (segment, owner) in owners.enumerated() {
            defer { last = owner }
            guard let owner else { continue }
            let count = cuts[segment + 1] - cuts[segment]
            if owner == last {
                settled[settled.count - 1].count += count
            } else {
                var piece = runs[owner].droppingFirst(cuts[segment] - runs[owner].logical)
                piece.count = count
                settled.append(piece)
            }
        }
        runs = settled
    }

    /// The piece that covers `logical`, from that block on; or how many blocks there are before the next piece.
    func lookUp(_ logical: UInt64) -> (run: MappedRun?, distance: UInt64) {
        let index = index(endingAfter: logical)
        guard index < runs.count else { return (nil, .max) }
        let run = runs[index]
        guard run.logical <= logical else { return (nil, run.logical - logical) }
        return (run.droppingFirst(logical - run.logical), 0)
    }
}
