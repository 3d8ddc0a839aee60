internal import Storage

/// Quantities of OVF: a number and its unit, in DSP0004's way ("byte * 2^20") or in the words of older writers.
enum OVFUnits {
    /// The bytes of a unit; nil for one that is not known.
    static func byteCount(_ unit: String?) -> UInt64? {
        guard let unit else { return 1 }
        let text = String(unit.lowercased().filter { !$0.isWhitespace })
        switch text {
        case "", "byte", "bytes": return 1
        case "kilobytes", "kb", "kib": return 1 << 10
        case "megabytes", "mb", "mib": return 1 << 20
        case "gigabytes", "gb", "gib": return 1 << 30
        case "terabytes", "tb", "tib": return 1 << 40
        default: break
        }
        var product: UInt64 = 1
        var parts = text.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, first == "byte" || first == "bytes" else { return nil }
        parts.removeFirst()
        for part in parts {
            let power = part.split(separator: "^", omittingEmptySubsequences: false)
            guard let base = power.first.flatMap({ UInt64($0) }), power.count <= 2 else { return nil }
            let exponent = power.count == 2 ? Int(power[1]) : 1
            guard let exponent, (0...63).contains(exponent) else { return nil }
            for _ in 0..<exponent {
                guard let next = product *? base else { return nil }
                product = next
            }
        }
        return product
    }

    /// A quantity in bytes. Nil for a property that is filled in when the machine is made ("${size}"); throws `corrupt` for what
    /// is no number, and past 2^63.
    static func bytes(_ text: String, unit: String?, structure: String) throws(StorageError) -> UInt64? {
        let text = text.trimmed
        guard !text.hasPrefix("${") else { return nil }
        guard let size = byteCount(unit), let bytes = product(text, size), bytes <= UInt64(Int64.max) else {
            throw .machine(
                .corrupt, .badNumber, "ovf",
                "\(Array(text.utf8).displayText) × \(Array((unit ?? "byte").utf8).displayText) is no size",
                structure: structure)
        }
        return bytes
    }

    /// A decimal number of units, in bytes, rounded down; nil for anything else.
    private static func product(_ text: String, _ unit: UInt64) -> UInt64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let whole = UInt64(parts[0]), let bytes = whole *? unit
        else { return nil }
        guard parts.count == 2 else { return bytes }
        let digits = parts[1].utf8.prefix(fractionDigitLimit)
        let numerator = digits.reduce(UInt64(0)) { $0 &* 10 &+ UInt64($1 &- 48) }
        let denominator = digits.reduce(UInt64(1)) { power, _ in power &* 10 }
        // Below the denominator, so that the quotient is below the unit.
        let share = denominator.dividingFullWidth(unit.multipliedFullWidth(by: numerator)).quotient
        return bytes +? share
    }

    /// Digits behind the point that are read: their number and its power of ten are far from 2^64.
    private static let fractionDigitLimit = 9
}
