internal import Dispatch
internal import Storage
internal import Synchronization

/// Lets workers write one after the other, in the order of their batches' numbers. What they read, decode and encode
/// meanwhile is bounded by their number: each holds one batch.
final class BatchOrder: Sendable {
    private struct State: Sendable {
        var next: UInt64 = 0
        var waiting: [UInt64: DispatchSemaphore] = [:]
        var failure: StorageError?
    }

    private let state = Mutex(State())

    /// Returns when batch `number` is the next to be written. Throws what all waiting was ended for.
    func wait(for number: UInt64) throws(StorageError) {
        let turn = state.withLock { state -> DispatchSemaphore? in
            guard state.failure == nil, state.next != number else { return nil }
            let turn = DispatchSemaphore(value: 0)
            state.waiting[number] = turn
            return turn
        }
        turn?.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// Batch `number`, which was the next, is written.
    func complete(_ number: UInt64) {
        let following = state.withLock { state in
            state.next = number + 1
            return state.waiting.removeValue(forKey: number + 1)
        }
        following?.signal()
    }

    /// Ends all waiting.
    func stop(_ failure: StorageError) {
        let waiting = state.withLock { state in
            state.failure = state.failure ?? failure
            let waiting = state.waiting
            state.waiting = [:]
            return waiting
        }
        for turn in waiting.values { turn.signal() }
    }
}
