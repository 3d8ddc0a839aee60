internal import Dispatch
internal import Foundation
public import Storage
internal import Synchronization
internal import Testing

/// Hammers a device with one writer and several readers, and holds it to what `BlockDevice` promises: a read shows of
/// each write old bytes or new ones, never what lies below both, and nothing older than what was there when it began.
///
/// The writer fills each place with 1, 2, 3… in turn; `base` is what the device holds before: 0, or more than there are rounds.
public struct ReadersBesideAWriter: Sendable {
    private let device: any WritableBlockDevice
    private let places: [(offset: Int, count: Int)]
    private let base: UInt8
    /// Whether a write shows as a whole or not at all.
    private let isAtomic: Bool
    private let readerCount = 3
    private let rounds: UInt8 = 200

    public init(
        device: any WritableBlockDevice, places: [(Int, Int)], base: UInt8, isAtomic: Bool = true
    ) {
        self.device = device
        self.places = places
        self.base = base
        self.isAtomic = isAtomic
    }

    private final class State: Sendable {
        /// For each place the last round that was written to its end.
        let written: Mutex<[UInt8]>
        let isDone = Atomic<Bool>(false)
        let reads = Atomic<Int>(0)
        let failures = Mutex<[String]>([])

        init(_ count: Int) { written = Mutex([UInt8](repeating: 0, count: count)) }
        func fail(_ text: String) { failures.withLock { if $0.count < 5 { $0.append(text) } } }
    }

    /// Calls `betweenRounds` after each round and `atEnd` after the last, with readers at work. Ends when every reader has
    /// read everything once more; records an issue for each broken promise.
    public func run(betweenRounds: () throws -> Void = {}, atEnd: () throws -> Void = {}) throws {
        let state = State(places.count)
        let group = DispatchGroup()
        let queue = DispatchQueue(label: "readers", attributes: .concurrent)
        for reader in 0..<readerCount { queue.async(group: group) { read(reader, state) } }
        // Readers are there before the first byte is written.
        while state.reads.load(ordering: .relaxed) < readerCount { Thread.sleep(forTimeInterval: 0.001) }
        defer {
            state.isDone.store(true, ordering: .releasing)
            group.wait()
            for text in state.failures.withLock({ $0 }) { Issue.record("\(text)") }
        }
        for round in 1...rounds {
            for (index, place) in places.enumerated() {
                try device.write([UInt8](repeating: round, count: place.count), at: UInt64(place.offset))
                state.written.withLock { $0[index] = round }
            }
            try betweenRounds()
        }
        try atEnd()
        let last = state.reads.load(ordering: .relaxed) + 2 * readerCount * places.count
        while state.reads.load(ordering: .relaxed) < last { Thread.sleep(forTimeInterval: 0.001) }
    }

    private func read(_ reader: Int, _ state: State) {
        var index = reader
        repeat {
            index = (index + 1) % places.count
            let place = places[index]
            let least = state.written.withLock { $0[index] }
            do {
                let bytes = try device.bytes(at: UInt64(place.offset), count: place.count)
                let rounds = Set(bytes)
                // The base counts as what was there before the first round.
                let isRight = rounds.allSatisfy { value in
                    value == base ? least == 0 : value >= max(least, 1) && value <= self.rounds
                }
                if !isRight {
                    state.fail("at \(place.offset): \(rounds.sorted()) after \(least) was written")
                }
                if isAtomic, rounds.count > 1 {
                    state.fail("at \(place.offset): \(rounds.sorted()) at once")
                }
            } catch {
                state.fail("at \(place.offset): \(error)")
            }
            state.reads.add(1, ordering: .relaxed)
        } while !state.isDone.load(ordering: .acquiring)
    }
}
