/// The order of versions and of names with numbers in them.
enum VersionOrder {
    /// rpm's way: runs of digits compare as numbers, other runs as text, and a number is higher than a word: 427.13.1.el9 than
    /// 427.el9. Positive when `one` is the higher.
    static func compare(_ one: String, _ other: String) -> Int {
        var left = Array(one.utf8)[...]
        var right = Array(other.utf8)[...]
        while !left.isEmpty, !right.isEmpty {
            let leftDigits = left.prefix(while: \.isDigit)
            let rightDigits = right.prefix(while: \.isDigit)
            if !leftDigits.isEmpty, !rightDigits.isEmpty {
                let (a, b) = (leftDigits.drop { $0 == 48 }, rightDigits.drop { $0 == 48 })
                if a.count != b.count { return a.count - b.count }
                if !a.elementsEqual(b) { return a.lexicographicallyPrecedes(b) ? -1 : 1 }
                left = left.dropFirst(leftDigits.count)
                right = right.dropFirst(rightDigits.count)
            } else {
                let (a, b) = (left.first ?? 0, right.first ?? 0)
                if a.isDigit, b >= UInt8(ascii: "A") { return 1 }
                if b.isDigit, a >= UInt8(ascii: "A") { return -1 }
                if a != b { return Int(a) - Int(b) }
                left = left.dropFirst()
                right = right.dropFirst()
            }
        }
        return left.count - right.count
    }
}
