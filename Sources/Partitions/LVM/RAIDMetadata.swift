internal import Storage

/// The superblock that dm-raid keeps in each leg's metadata volume (drivers/md/dm-raid.c).
struct RAIDMetadata: Equatable, Sendable {
    static let magic: UInt32 = 0x6452_6d44

    /// Counts changes of the array's state.
    let events: UInt64
    /// A bit for each leg that the array has given up.
    let failedLegs: UInt64
    /// How far this leg has been rebuilt; all ones when it is whole.
    let recoveryOffset: UInt64
    let isReshaping: Bool

    /// Nil for a leg whose metadata is all zero: the volume was made and never activated.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 88, bytes.little(0) == Self.magic else { return nil }
        events = bytes.little(16)
        failedLegs = bytes.little(24)
        recoveryOffset = bytes.little(32)
        // Flag 1: a reshape is under way; only sets with the feature bit have the field behind it.
        isReshaping = bytes.little(4, as: UInt32.self) & 1 != 0 && bytes.little(60, as: UInt32.self) & 1 != 0
    }

    /// Which legs hold current data.
    static func currentLegs(_ legs: [RAIDMetadata?]) -> [Bool] {
        guard let freshest = legs.compactMap({ $0 }).max(by: { $0.events < $1.events }) else {
            // Never activated: no leg is ahead of another. Reading takes the first copy, as the kernel would.
            return legs.map { _ in true }
        }
        return legs.enumerated().map { index, leg in
            guard let leg else { return false }
            let isFailed = index < 64 && freshest.failedLegs & (1 << UInt64(index)) != 0
            return leg.events == freshest.events && leg.recoveryOffset == .max && !isFailed
        }
    }
}
