internal import Dispatch
internal import Synchronization

/// How an operation is asked to stop, from another thread or a signal handler.
///
///     let stop = Cancellation { isStopWanted.load(ordering: .relaxed) }
///     try stop.covering { () throws(StorageError) in try conversion.run(from: disk, to: path) }
///
/// It holds for what `body` calls, and for the engine's threads that work for it, and for nothing else in the process:
/// a task-local value. Whatever takes long asks with `check`, at the latest with every read and write of a host file,
/// so that one file, one hole or one table does not delay the end. An operation that was stopped throws the error
/// `cancelled` and leaves what it leaves after any other error.
public struct Cancellation: Sendable {
    @TaskLocal private static var current: Cancellation?

    private let isRequested: @Sendable () -> Bool

    /// A request to stop that `isRequested` tells of. It is asked often and from many threads; once true, it stays so.
    public init(isRequested: @escaping @Sendable () -> Bool) { self.isRequested = isRequested }

    /// Runs `body`, which can be stopped by this request.
    public func covering<Result, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Self.bind(self, body)
    }

    /// Runs `body`, which no request stops: what takes back, and what must be whole once it has begun.
    public static func shielding<Result, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bind(nil, body)
    }

    /// Runs `body`, which a request stops only a while after it was first seen: what takes back, and can go on with that
    /// another time.
    package static func delaying<Result, Failure>(
        by delay: Duration, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let current else { return try body() }
        let end = End()
        let later = Cancellation { current.isRequested() && end.hasCome(after: delay) }
        return try bind(later, body)
    }

    /// When waiting is over, from the first question on.
    private final class End: Sendable {
        private let end = Mutex<ContinuousClock.Instant?>(nil)

        func hasCome(after delay: Duration) -> Bool {
            let now = ContinuousClock.now
            return end.withLock { end in
                let known = end ?? now.advanced(by: delay)
                end = known
                return known <= now
            }
        }
    }

    /// Throws `cancelled` when the operation that runs has been asked to stop.
    public static func check() throws(StorageError) {
        guard let current, current.isRequested() else { return }
        throw .cancelled
    }

    private static func bind<Result, Failure>(
        _ value: Cancellation?, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // withValue passes untyped errors only; the result carries the typed one.
        let result: Swift.Result<Result, Failure> = $current.withValue(value) {
            do throws(Failure) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Runs `body` on up to `count` threads at once, with the request that holds here, and waits for all of them.
    package static func concurrently(_ count: Int, _ body: @Sendable (_ index: Int) -> Void) {
        let request = current
        DispatchQueue.concurrentPerform(iterations: count) { index in bind(request) { body(index) } }
    }
}

/// How an operation can end that went wrong by itself.
public enum OperationCode: String, LayerCode {
    /// The name of the layer.
    public static let layer = "operation"

    /// It was asked to stop.
    case cancelled
}

extension StorageError {
    /// The operation was asked to stop, and did.
    public static let cancelled = StorageError(
        .refused, OperationCode.cancelled, "was interrupted")

    /// Whether the operation was asked to stop. No finding about an image: whoever collects errors passes it on.
    public var isCancellation: Bool { isCode(OperationCode.cancelled) }
}
