/// Writes to a device in phases, each of which is on stable storage before the next begins: what a crash-safe change
/// of a file system or of a partition table comes down to.
///
///     var writes = OrderedWrites()
///     writes.add("log", [announcement] + records)     // counts for nothing yet
///     writes.add("commit", [pointer])                 // one sector: old before it, new with it
///     writes.add("home", blocks)
///     try writes.commit(to: device)                   // a flush after each
///
/// The order of the phases is the promise. Within a phase there is none: a power cut leaves any part of its writes,
/// sector by sector, so writes of one phase overlap only where they agree.
package struct OrderedWrites: Sendable {
    /// What no barrier separates.
    package struct Phase: Sendable {
        /// What it is for; an error of its writes carries it.
        package let name: String
        /// At least one. Written in this order, neighbours together.
        package let writes: [Write]
        /// They go where nothing lies that anything refers to: contents for space that is free.
        package let areUnreferenced: Bool
    }

    /// In order. Each has writes.
    package private(set) var phases: [Phase] = []

    /// Nothing to write.
    package init() {}

    /// Adds a phase after the others. Without writes there is none: no flush for nothing. `areUnreferenced` says that
    /// its writes fill free space.
    package mutating func add(_ name: String, _ writes: [Write], areUnreferenced: Bool = false) {
        guard !writes.isEmpty else { return }
        phases.append(Phase(name: name, writes: writes, areUnreferenced: areUnreferenced))
    }

    /// Adds all phases of `other` after the others.
    package mutating func add(_ other: OrderedWrites) { phases += other.phases }

    /// Nothing would be written, and nothing flushed.
    package var isEmpty: Bool { phases.isEmpty }

    /// Bytes that would be written, all phases together.
    package var byteCount: UInt64 {
        phases.reduce(0) { $0 + $1.writes.reduce(0) { $0 + UInt64($1.byteCount) } }
    }

    /// Blocks of `blockSize` bytes that would be written: each as often as a write touches it, all phases together.
    package func blockCount(of blockSize: Int) -> Int {
        phases.reduce(0) { $0 + $1.writes.reduce(0) { $0 + $1.blockCount(of: UInt64(blockSize)) } }
    }
}
