internal import Storage

/// Pieces of a file's map that replace what its inode's own map says: sorted by file block, without overlaps.
struct RangeOverrides: Sendable {
    private var runs: [MappedRun] = []

    /// The index of the first piece that ends behind `logical`.
    private func index(endingAfter logical: UInt64) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].end <= logical { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Puts a piece over what was there. Its end has 64 bits: the caller has checked.
    mutating func replace(with run: MappedRun) {
        let first = index(endingAfter: run.logical)
        var last = first
        var pieces: [MappedRun] = []
        while last < runs.count, runs[last].logical < run.end {
            let old = runs[last]
            if old.logical < run.logical {
                pieces.append(
                    MappedRun(logical: old.logical, count: run.logical - old.logical, place: old.place))
            }
            last += 1
            guard old.end > run.end else { continue }
            pieces.append(run)
            pieces.append(old.droppingFirst(run.end - old.logical))
            return runs.replaceSubrange(first..<last, with: pieces)
        }
        runs.replaceSubrange(first..<last, with: pieces + [run])
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
