internal import Storage

/// Where a device's clusters lie in a backup: runs of clusters that follow each other in one extent.
struct VMAClusters {
    /// Clusters `first` to `first + count - 1`, which are the extent's entries from `entry` on.
    struct Run {
        let first: UInt32
        let extent: UInt32
        let entry: UInt8
        var count: UInt8
    }

    private(set) var runs: [Run] = []
    private var isSorted = true

    /// Notes that cluster `number` is entry `entry` of extent `extent`; extents come in order, and entries within each.
    mutating func note(_ number: UInt32, extent: UInt32, entry: UInt8) {
        if let last = runs.last {
            if last.extent == extent, UInt64(last.first) + UInt64(last.count) == UInt64(number),
                UInt16(last.entry) + UInt16(last.count) == UInt16(entry)
            {
                runs[runs.count - 1].count += 1
                return
            }
            if number < last.first { isSorted = false }
        }
        runs.append(Run(first: number, extent: extent, entry: entry, count: 1))
    }

    /// Puts them in order. Returns a cluster that is there twice; nil where none is.
    mutating func sort() -> UInt32? {
        if !isSorted { runs.sort { $0.first < $1.first } }
        isSorted = true
        for (one, next) in zip(runs, runs.dropFirst())
        where UInt64(one.first) + UInt64(one.count) > UInt64(next.first) { return next.first }
        return nil
    }

    /// How many clusters there are.
    var count: UInt64 { runs.reduce(0) { $0 + UInt64($1.count) } }

    /// The run that a cluster lies in; nil where it is not in the backup, and then where the next one that is begins.
    func run(of cluster: UInt32) -> (run: Run?, next: UInt32?) {
        let behind = runs.firstIndex(sortedBy: { $0.first > cluster })
        let next = behind < runs.count ? runs[behind].first : nil
        guard behind > 0 else { return (nil, next) }
        let run = runs[behind - 1]
        return cluster - run.first < UInt32(run.count) ? (run, next) : (nil, next)
    }
}
