internal import Storage

/// Where the data of a file with holes lies.
package struct TarSparseMap {
    /// The file's length.
    package let byteCount: UInt64
    /// Its data, in order, none over another.
    package let runs: [Range<UInt64>]

    /// Runs that are unpacked at most: each takes a block of the guest's, and an entry in the file's map.
    static let runLimit = 1 << 17

    /// The map of a file of `byteCount` bytes whose archive holds `dataCount` of them, from pairs of an offset and a count.
    /// Nil when they contradict each other.
    init?(byteCount: UInt64, pairs: [UInt64], dataCount: UInt64) {
        guard pairs.count % 2 == 0, byteCount <= UInt64(Int64.max) else { return nil }
        var runs: [Range<UInt64>] = []
        runs.reserveCapacity(pairs.count / 2)
        var end: UInt64 = 0
        var sum: UInt64 = 0
        for index in stride(from: 0, to: pairs.count, by: 2) {
            let start = pairs[index]
            guard start >= end, let next = start +? pairs[index + 1], next <= byteCount else { return nil }
            // No overflow: runs that do not overlap end within the file.
            sum += next - start
            end = next
            // The last of GNU's says where the file ends.
            if next > start { runs.append(start..<next) }
        }
        guard sum == dataCount else { return nil }
        self.byteCount = byteCount
        self.runs = runs
    }
}

/// What extended headers say of a file's holes: the records `GNU.sparse.*` of GNU tar's formats 0.0, 0.1 and 1.0
/// (https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html).
struct TarSparseRecords {
    static let prefix = "GNU.sparse."

    var major: UInt64 = 0
    var minor: UInt64 = 0
    var byteCount: UInt64?
    var count: UInt64?
    var name: [UInt8]?
    /// Offset, count, offset, count…
    var pairs: [UInt64] = []
}
