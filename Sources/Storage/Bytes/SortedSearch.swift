extension RandomAccessCollection {
    /// The first index whose element satisfies `isBehind`, and `endIndex` when none does. The elements are sorted so
    /// that behind one that satisfies it all do.
    @inlinable
    package func firstIndex<Failure: Error>(
        sortedBy isBehind: (Element) throws(Failure) -> Bool
    ) throws(Failure) -> Index {
        var start = startIndex
        var left = distance(from: start, to: endIndex)
        while left > 0 {
            let half = left / 2
            let middle = index(start, offsetBy: half)
            if try isBehind(self[middle]) {
                left = half
            } else {
                start = index(after: middle)
                left -= half + 1
            }
        }
        return start
    }
}
