/// Pieces of data between holes, counted: each takes a block of the guest's, and an entry in the file's map.
struct SparseRuns {
    private var count = 0
    private var end: UInt64?

    /// Takes the next piece; false where they are more than an archive may have too.
    mutating func add(_ range: Range<UInt64>) -> Bool {
        if range.lowerBound != end { count += 1 }
        end = range.upperBound
        return count <= TarSparseMap.runLimit
    }
}
