internal import Storage

/// Refcounts of 2^order bits in a piece of a block. Several in a byte begin at its lowest bit.
struct QCOW2RefcountSlots {
    let order: UInt32

    /// Slots in `bytes` bytes.
    func count(inBytes bytes: Int) -> Int { (bytes << 3) >> Int(order) }

    /// The bytes that hold these slots.
    func bytes(of slots: Range<Int>) -> Range<Int> {
        (slots.lowerBound << Int(order)) >> 3..<(slots.upperBound << Int(order) + 7) >> 3
    }

    /// The count in a slot, which lies inside the page.
    func load(_ slot: Int, from page: [UInt8]) -> UInt64 {
        switch order {
        case 3: UInt64(page[slot])
        case 4: UInt64(page.big(slot << 1, as: UInt16.self))
        case 5: UInt64(page.big(slot << 2, as: UInt32.self))
        case 6: page.big(slot << 3, as: UInt64.self)
        default:
            UInt64(page[(slot << Int(order)) >> 3]) >> shift(slot) & mask
        }
    }

    /// Stores a count that fits.
    func store(_ value: UInt64, _ slot: Int, in page: inout MutableRawSpan) {
        switch order {
        case 3: page.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: slot, as: UInt8.self)
        case 4: page.storeBig(UInt16(truncatingIfNeeded: value), at: slot << 1)
        case 5: page.storeBig(UInt32(truncatingIfNeeded: value), at: slot << 2)
        case 6: page.storeBig(value, at: slot << 3)
        default:
            let place = (slot << Int(order)) >> 3
            let kept = UInt64(page.bytes.byte(place)) & ~(mask << shift(slot))
            page.storeBytes(
                of: UInt8(truncatingIfNeeded: kept | (value & mask) << shift(slot)), toByteOffset: place,
                as: UInt8.self)
        }
    }

    private var mask: UInt64 { 1 << (1 << UInt64(order)) - 1 }
    private func shift(_ slot: Int) -> UInt64 { UInt64(slot << Int(order) & 7) }
}
