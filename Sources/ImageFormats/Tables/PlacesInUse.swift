internal import Storage

/// Which clusters of a file something names, a bit each: what is named twice is damage.
struct PlacesInUse: Sendable {
    private var bits: [UInt64]
    private let clusterSize: UInt64

    /// What is said of files of more clusters than are looked at.
    static let tooLarge = "the file is so large that what is named twice is not looked for"

    /// 16 MiB of bits.
    private static let limit: UInt64 = 1 << 27

    /// Nil for files of more clusters than are looked at.
    init?(fileByteCount: UInt64, clusterSize: UInt64) {
        let count = fileByteCount.dividedRoundingUp(by: clusterSize)
        guard count <= Self.limit else { return nil }
        self.clusterSize = clusterSize
        bits = [UInt64](repeating: 0, count: Int(count / 64 + 1))
    }

    /// Takes the clusters from byte `place` on; false when one of them was taken already. Those behind the file's end count
    /// as free.
    mutating func take(_ place: UInt64, count: UInt64) -> Bool {
        guard count > 0, let end = place +? (count - 1) else { return true }
        for cluster in place / clusterSize...end / clusterSize {
            let word = Int(min(cluster / 64, UInt64(bits.count)))
            guard word < bits.count else { break }
            let bit: UInt64 = 1 << (cluster % 64)
            // At once: each bit is set one time, however often a place is named.
            guard bits[word] & bit == 0 else { return false }
            bits[word] |= bit
        }
        return true
    }
}
