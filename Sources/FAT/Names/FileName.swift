internal import Storage

/// A name as FAT compares it: UTF-16 units, letters of either case alike.
struct FileName: Sendable {
    let units: [UInt16]

    init(units: [UInt16]) { self.units = units }

    /// From UTF-8; nil for bytes that are none. A half of a surrogate pair, which a long name may hold, is three bytes.
    init?(_ bytes: [UInt8]) {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            let count =
                lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
            guard count > 0, index + count <= bytes.count else { return nil }
            var value = count == 1 ? UInt32(lead) : UInt32(lead) & (0x7f >> UInt32(count))
            for byte in bytes[index + 1..<index + count] {
                guard byte & 0xc0 == 0x80 else { return nil }
                value = value << 6 | UInt32(byte & 0x3f)
            }
            let isShortest = count < 3 || value >= (count == 3 ? 0x800 : 0x10000)
            guard isShortest, value <= 0x10ffff else { return nil }
            if value >= 0x10000 {
                units.append(UInt16(0xd800 + (value - 0x10000) >> 10))
                units.append(UInt16(0xdc00 + (value - 0x10000) & 0x3ff))
            } else {
                units.append(UInt16(value))
            }
            index += count
        }
        self.units = units
    }

    /// UTF-8, halves of surrogate pairs as three bytes: what `init` takes.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(units.count)
        var index = 0
        while index < units.count {
            var value = UInt32(units[index])
            index += 1
            if value & 0xfc00 == 0xd800, index < units.count, units[index] & 0xfc00 == 0xdc00 {
                value = 0x10000 + (value & 0x3ff) << 10 + UInt32(units[index]) & 0x3ff
                index += 1
            }
            func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | value >> shift & 0x3f) }
            switch value {
            case ..<0x80: result.append(UInt8(value))
            case ..<0x800: result += [UInt8(0xc0 | value >> 6), tail(0)]
            case ..<0x10000: result += [UInt8(0xe0 | value >> 12), tail(6), tail(0)]
            default: result += [UInt8(0xf0 | value >> 18), tail(12), tail(6), tail(0)]
            }
        }
        return result
    }

    /// What two names that are one have in common.
    var folded: [UInt16] { units.map(Self.upper) }

    /// The capital of a unit, as NT's table has it: one unit for one, ASCII letters from ASCII letters alone.
    static func upper(_ unit: UInt16) -> UInt16 {
        if unit < 0x80 { return (0x61...0x7a).contains(unit) ? unit - 0x20 : unit }
        return mapped(unit) { $0.properties.uppercaseMapping }
    }

    /// The small letter of a unit.
    static func lower(_ unit: UInt16) -> UInt16 {
        if unit < 0x80 { return (0x41...0x5a).contains(unit) ? unit + 0x20 : unit }
        return mapped(unit) { $0.properties.lowercaseMapping }
    }

    private static func mapped(_ unit: UInt16, _ mapping: (Unicode.Scalar) -> String) -> UInt16 {
        guard let scalar = Unicode.Scalar(unit) else { return unit }
        let scalars = mapping(scalar).unicodeScalars
        guard scalars.count == 1, let first = scalars.first, let result = UInt16(exactly: first.value),
            result >= 0x80
        else { return unit }
        return result
    }
}
