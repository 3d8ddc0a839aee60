internal import Storage

/// Patterns of modules.alias against the modalias that a bus shows: fnmatch(3) without flags, as kmod calls it, with
/// dashes and underscores the same outside of brackets.
package enum AliasPattern {
    /// Whether the bytes `pattern` of `bytes` match all of `text`. Time is at most the product of both lengths.
    package static func matches(_ pattern: Range<Int>, of bytes: RawSpan, _ text: RawSpan) -> Bool {
        var at = pattern.lowerBound
        var position = 0
        // Behind the last asterisk, and what it is tried with next.
        var retry: (pattern: Int, text: Int)?
        while true {
            if at < pattern.upperBound, bytes.byte(at) == UInt8(ascii: "*") {
                at += 1
                retry = (at, position)
                continue
            }
            if position == text.byteCount, at == pattern.upperBound { return true }
            if position < text.byteCount, at < pattern.upperBound,
                let next = step(bytes, at..<pattern.upperBound, text.byte(position))
            {
                at = next
                position += 1
                continue
            }
            guard let last = retry, last.text < text.byteCount else { return false }
            retry = (last.pattern, last.text + 1)
            at = last.pattern
            position = last.text + 1
        }
    }

    /// Whether `pattern` matches all of `text`.
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        let bytes = Array(pattern.utf8)
        let other = Array(text.utf8)
        return matches(0..<bytes.count, of: bytes.span8, other.span8)
    }

    /// Where the pattern goes on when its first element takes `byte`; nil when it does not.
    private static func step(_ bytes: RawSpan, _ rest: Range<Int>, _ byte: UInt8) -> Int? {
        let first = bytes.byte(rest.lowerBound)
        let next = rest.lowerBound + 1
        switch first {
        case UInt8(ascii: "?"):
            return next
        case UInt8(ascii: "["):
            // A bracket that nothing closes stands for itself.
            guard let set = bracket(bytes, next..<rest.upperBound, folded(byte)) else {
                return byte == first ? next : nil
            }
            return set.isMember ? set.end : nil
        case UInt8(ascii: "\\"):
            guard next < rest.upperBound else { return nil }
            return folded(bytes.byte(next)) == folded(byte) ? next + 1 : nil
        default:
            return folded(first) == folded(byte) ? next : nil
        }
    }

    /// The set behind a bracket: whether `byte` is one of it, and where the pattern goes on. Nil when it has no end.
    private static func bracket(
        _ bytes: RawSpan, _ rest: Range<Int>, _ byte: UInt8
    ) -> (isMember: Bool, end: Int)? {
        var at = rest.lowerBound
        guard at < rest.upperBound else { return nil }
        let isNegated = bytes.byte(at) == UInt8(ascii: "!") || bytes.byte(at) == UInt8(ascii: "^")
        if isNegated { at += 1 }
        var isMember = false
        var isFirst = true
        while at < rest.upperBound {
            var low = bytes.byte(at)
            if low == UInt8(ascii: "]"), !isFirst { return (isMember != isNegated, at + 1) }
            isFirst = false
            at += 1
            if low == UInt8(ascii: "\\"), at < rest.upperBound {
                low = bytes.byte(at)
                at += 1
            }
            var high = low
            if at + 1 < rest.upperBound, bytes.byte(at) == UInt8(ascii: "-"),
                bytes.byte(at + 1) != UInt8(ascii: "]")
            {
                high = bytes.byte(at + 1)
                at += 2
                if high == UInt8(ascii: "\\"), at < rest.upperBound {
                    high = bytes.byte(at)
                    at += 1
                }
            }
            if low <= byte, byte <= high { isMember = true }
        }
        return nil
    }

    @inline(__always)
    private static func folded(_ byte: UInt8) -> UInt8 {
        byte == UInt8(ascii: "-") ? UInt8(ascii: "_") : byte
    }

    /// `alias` with every dash outside of brackets as an underscore: the keys of the binary indexes.
    package static func normalized(_ alias: String) -> String {
        var isInBrackets = false
        return String(
            decoding: alias.utf8.map { byte -> UInt8 in
                switch byte {
                case UInt8(ascii: "["): isInBrackets = true
                case UInt8(ascii: "]"): isInBrackets = false
                case UInt8(ascii: "-") where !isInBrackets: return UInt8(ascii: "_")
                default: break
                }
                return byte
            }, as: UTF8.self)
    }
}
