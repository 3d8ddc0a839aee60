internal import Storage

/// One bit a sector: whether a differencing (or dynamic) block holds it. VHD counts bits from the most
/// significant one of a byte, VHDX from the least significant.
enum SectorBits {
    enum Order: Sendable { case mostSignificantFirst, leastSignificantFirst }

    /// The value of the bits from `first` on and where the run of equal ones ends, at `limit` at the latest. Both
    /// lie within `bits`, and `first < limit`.
    static func run(_ bits: [UInt8], from first: Int, limit: Int, order: Order) -> (isSet: Bool, end: Int) {
        let isSet = get(bits, first, order)
        let full: UInt8 = isSet ? 0xff : 0
        var index = first
        while index < limit {
            if index % 8 == 0 {
                while index + 8 <= limit, bits[index / 8] == full { index += 8 }
                if index >= limit { break }
            }
            guard get(bits, index, order) == isSet else { break }
            index += 1
        }
        return (isSet, index)
    }

    /// Bit `index`.
    static func get(_ bits: [UInt8], _ index: Int, _ order: Order) -> Bool {
        bits[index / 8] & mask(index, order) != 0
    }

    /// Sets the bits in `range`.
    static func set(_ bits: inout [UInt8], _ range: Range<Int>, order: Order) {
        var index = range.lowerBound
        while index < range.upperBound {
            if index % 8 == 0, index + 8 <= range.upperBound {
                bits[index / 8] = 0xff
                index += 8
            } else {
                bits[index / 8] |= mask(index, order)
                index += 1
            }
        }
    }

    @inline(__always)
    private static func mask(_ index: Int, _ order: Order) -> UInt8 {
        switch order {
        case .mostSignificantFirst: 0x80 >> UInt8(index % 8)
        case .leastSignificantFirst: 1 << UInt8(index % 8)
        }
    }
}

/// Sector bitmaps that were read lately, by block: 4 MiB of them.
typealias SectorBitCache = BoundedCache<UInt64, [UInt8]>

extension SectorBitCache {
    static var forBitmaps: SectorBitCache { SectorBitCache(budget: 4 << 20) }

    mutating func keep(_ bits: [UInt8], for block: UInt64) {
        // What a small one costs besides its bytes counts too.
        keep(bits, for: block, cost: bits.count + 64)
    }
}
