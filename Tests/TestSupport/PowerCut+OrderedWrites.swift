package import Storage

extension PowerCut {
    /// Calls `check` with what each cut leaves of a device that holds `initial` and to which `writes` are committed:
    /// after each write and flush, and for `subsets` random parts of each phase. Returns the device as it is in the
    /// end. Pieces of `pieceByteCount` bytes are written whole or not at all.
    @discardableResult
    package static func replay(
        _ writes: OrderedWrites, onto initial: [UInt8], pieceByteCount: Int = 512, subsets: Int = 3,
        seed: UInt64 = 1, check: (CrashSweep.State) throws -> Void
    ) throws -> [UInt8] {
        let device = MemoryDevice(initial)
        try writes.commit(to: device)
        try CrashSweep(
            initial: initial, events: device.events, pieceByteCount: pieceByteCount,
            phases: writes.phases.map(\.name)
        ).forEachState(subsets: subsets, seed: seed, check)
        return device.contents
    }
}

extension OrderedWrites {
    /// The phases as far as the one of that name, which is the last.
    package func upTo(_ name: String) -> OrderedWrites {
        var result = OrderedWrites()
        for phase in phases {
            result.add(phase.name, phase.writes)
            if phase.name == name { break }
        }
        return result
    }
}
