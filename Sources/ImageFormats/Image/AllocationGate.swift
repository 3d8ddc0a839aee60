internal import Storage
internal import Synchronization

/// Keeps reads out of space that was allocated and is not filled yet: it holds neither the old bytes nor the new ones.
/// Reads do not wait while nothing is allocated; one that overlapped an allocation is made again.
final class AllocationGate: Sendable {
    /// Odd while space is being filled.
    private let generation = Atomic<UInt64>(0)
    private let filling = Mutex(())

    /// Runs `body`, which allocates space and fills it.
    func fill<Result>(_ body: () throws(StorageError) -> Result) throws(StorageError) -> Result {
        try filling.withLock { (_) throws(StorageError) in
            generation.add(1, ordering: .sequentiallyConsistent)
            defer { generation.add(1, ordering: .sequentiallyConsistent) }
            return try body()
        }
    }

    /// Runs `body`, which finds out where bytes lie and reads them; twice when space was filled meanwhile.
    func read(_ body: () throws(StorageError) -> Void) throws(StorageError) {
        let before = generation.load(ordering: .sequentiallyConsistent)
        if before.isMultiple(of: 2) {
            var failure: StorageError?
            do throws(StorageError) { try body() } catch { failure = error }
            if generation.load(ordering: .sequentiallyConsistent) == before {
                if let failure { throw failure }
                return
            }
        }
        try filling.withLock { (_) throws(StorageError) in try body() }
    }
}
