/// Metadata blocks in memory under a fixed budget, replaced by the clock algorithm. Guarded by its owner's lock.
struct BlockCache {
    private struct Slot {
        var number: BlockNumber
        var bytes: [UInt8]
        var wasUsed: Bool
    }

    private var slots: [Slot] = []
    private var index: [BlockNumber: Int] = [:]
    private var hand = 0
    private let capacity: Int

    /// At most `byteCount` bytes of blocks of `blockSize` bytes, and at least eight blocks.
    init(byteCount: Int, blockSize: Int) { capacity = max(8, byteCount / blockSize) }

    mutating func block(_ number: BlockNumber) -> [UInt8]? {
        guard let slot = index[number] else { return nil }
        slots[slot].wasUsed = true
        return slots[slot].bytes
    }

    mutating func insert(_ bytes: [UInt8], at number: BlockNumber) {
        if let slot = index[number] {
            slots[slot].bytes = bytes
            return
        }
        let new = Slot(number: number, bytes: bytes, wasUsed: false)
        guard slots.count >= capacity else {
            index[number] = slots.count
            slots.append(new)
            return
        }
        while slots[hand].wasUsed {
            slots[hand].wasUsed = false
            hand = (hand + 1) % slots.count
        }
        index[slots[hand].number] = nil
        index[number] = hand
        slots[hand] = new
        hand = (hand + 1) % slots.count
    }

    /// Forgets everything: the device was written.
    mutating func removeAll() {
        slots = []
        index = [:]
        hand = 0
    }
}
