internal import Dispatch
internal import Storage
internal import Synchronization

/// Lets workers hand over what they made of their batches, and writes it in the order of the batches' numbers: whoever
/// brings the next one writes it and those behind it that are there. The others go on meanwhile, until so many wait that
/// memory says no.
final class BatchQueue<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var next: UInt64 = 0
        var isWriting = false
        var ready: [UInt64: Element] = [:]
        var full: [DispatchSemaphore] = []
        var failure: StorageError?
    }

    /// Batches that wait while nobody has to; each has a mebibyte or one unit.
    private static var limit: Int { 8 }

    private let state = Mutex(State())

    /// Takes what batch `number` became; each number comes once. `write` is called by one thread at a time. Throws what
    /// `write` threw here, and what all waiting was ended for.
    func deliver(
        _ element: Element, number: UInt64, write: (Element) throws(StorageError) -> Void
    ) throws(StorageError) {
        let (isNext, turn) = state.withLock { state -> (Bool, DispatchSemaphore?) in
            if state.failure != nil { return (false, nil) }
            if state.next == number, !state.isWriting {
                state.isWriting = true
                return (true, nil)
            }
            state.ready[number] = element
            guard state.ready.count > Self.limit else { return (false, nil) }
            // What is written next is in the hands of a worker that does not wait.
            let turn = DispatchSemaphore(value: 0)
            state.full.append(turn)
            return (false, turn)
        }
        if isNext { try writeAll(from: element, write) }
        turn?.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func writeAll(
        from element: Element, _ write: (Element) throws(StorageError) -> Void
    ) throws(StorageError) {
        var element: Element? = element
        while let current = element {
            try write(current)
            let (following, waiting) = state.withLock { state -> (Element?, [DispatchSemaphore]) in
                state.next += 1
                let following = state.ready.removeValue(forKey: state.next)
                state.isWriting = following != nil
                guard state.ready.count <= Self.limit else { return (following, []) }
                let waiting = state.full
                state.full = []
                return (following, waiting)
            }
            for turn in waiting { turn.signal() }
            element = following
        }
    }

    /// Ends all waiting.
    func stop(_ failure: StorageError) {
        let waiting = state.withLock { state in
            state.failure = state.failure ?? failure
            state.ready = [:]
            let waiting = state.full
            state.full = []
            return waiting
        }
        for turn in waiting { turn.signal() }
    }
}
