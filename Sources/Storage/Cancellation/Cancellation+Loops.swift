extension Cancellation {
    /// How many turns a loop makes between two looks at the request.
    private static let stride = 1024

    /// Throws `cancelled` when the operation has been asked to stop; looks at every 1024th turn of a loop whose length an
    /// image gives, so that short turns cost no more for it.
    package static func check(turn: Int) throws(StorageError) {
        if turn % stride == 0 { try check() }
    }
}

extension Array {
    /// Puts it in order; a request to stop ends the sorting, and leaves its elements in any order.
    package mutating func sortUnlessStopped(
        by areInIncreasingOrder: (Element, Element) -> Bool
    ) throws(StorageError) {
        var turn = 0
        do {
            try sort { one, other in
                turn += 1
                try Cancellation.check(turn: turn)
                return areInIncreasingOrder(one, other)
            }
        } catch {
            // Nothing else throws here.
            throw .cancelled
        }
    }

    /// The same in order; a request to stop ends the sorting.
    package func sortedUnlessStopped(
        by areInIncreasingOrder: (Element, Element) -> Bool
    ) throws(StorageError) -> [Element] {
        var copy = self
        try copy.sortUnlessStopped(by: areInIncreasingOrder)
        return copy
    }
}
