/// Patterns of names as fnmatch(3) reads them.
enum NamePattern {
    /// Whether a name fits. The last star alone is gone back to, so the work is at most the product of the lengths.
    static func fits(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var rest = pattern
        var left = name
        var star: (pattern: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        while !left.isEmpty {
            if rest.first == UInt8(ascii: "*") {
                rest = rest.dropFirst()
                star = (rest, left)
            } else if let first = left.first, let after = one(rest, first) {
                rest = after
                left = left.dropFirst()
            } else if let last = star {
                star = (last.pattern, last.name.dropFirst())
                rest = last.pattern
                left = last.name.dropFirst()
            } else {
                return false
            }
        }
        return rest.allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// What is behind the pattern's first piece; nil where that does not fit the character.
    private static func one(_ pattern: ArraySlice<UInt8>, _ character: UInt8) -> ArraySlice<UInt8>? {
        guard let first = pattern.first else { return nil }
        if first == UInt8(ascii: "?") { return pattern.dropFirst() }
        guard first == UInt8(ascii: "["),
            let end = pattern.dropFirst(2).firstIndex(of: UInt8(ascii: "]"))
        else { return first == character ? pattern.dropFirst() : nil }
        var set = pattern[..<end].dropFirst()
        let isNot = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
        if isNot { set = set.dropFirst() }
        var isIn = false
        while let low = set.popFirst() {
            var high = low
            if set.first == UInt8(ascii: "-"), let last = set.dropFirst().first {
                high = last
                set = set.dropFirst(2)
            }
            if low <= character, character <= high { isIn = true }
        }
        return isIn != isNot ? pattern[end...].dropFirst() : nil
    }
}
