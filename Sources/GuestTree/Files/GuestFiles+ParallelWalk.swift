internal import Glibc
public import Storage
internal import Synchronization

extension GuestFiles {
    /// How many visits wait for the cores at a time, and the bytes of their paths; bounds the memory.
    private static var batchCount: Int { 2048 }
    private static var batchPathLimit: Int { 4 << 20 }
    /// How many a core takes at once.
    private static var chunkCount: Int { 8 }

    /// Walks as `walk` does, and turns every visit into a result on all cores, which is where hashing belongs.
    /// `body` gets the results in the order of the walk and returns false to end it.
    public func walk<Value: Sendable>(
        _ top: GuestFile, transform: @Sendable (Visit) -> Value, _ body: ([Value]) -> Bool
    ) throws(StorageError) {
        var batch: [Visit] = []
        var pathByteCount = 0
        var goesOn = true
        try walk(top) { (visit) throws(StorageError) in
            batch.append(visit)
            switch visit {
            case .file(let file): pathByteCount += file.path.bytes.count
            case .unreadable(let path, _): pathByteCount += path.bytes.count
            }
            guard batch.count >= Self.batchCount || pathByteCount >= Self.batchPathLimit else { return true }
            pathByteCount = 0
            goesOn = body(try Self.inParallel(batch, transform))
            batch.removeAll(keepingCapacity: true)
            return goesOn
        }
        if goesOn { _ = body(try Self.inParallel(batch, transform)) }
    }

    private static func inParallel<Value: Sendable>(
        _ visits: [Visit], _ transform: @Sendable (Visit) -> Value
    ) throws(StorageError) -> [Value] {
        let next = Atomic<Int>(0)
        let done = Mutex<[Int: [Value]]>([:])
        let workers = min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 16)
        Cancellation.concurrently(workers) { _ in
            while true {
                let start = next.add(chunkCount, ordering: .relaxed).oldValue
                guard start < visits.count else { return }
                let values = visits[start..<min(start + chunkCount, visits.count)].map(transform)
                done.withLock { $0[start] = values }
            }
        }
        // Results of a walk that was stopped are not what the files are.
        try Cancellation.check()
        return done.withLock { $0 }.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}
