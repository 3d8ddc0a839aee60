/// One line of a text file: where its characters lie, and where its line end does. Bytes are never decoded:
/// a file may hold any 8-bit text, NUL, or end in the middle of a line.
package struct TextLine: Equatable, Sendable {
    /// The characters, without the line end (neither LF nor the CR before it).
    package var content: Range<Int>
    /// LF, CR LF, or nothing at the end of a file that has no final newline.
    package var end: Range<Int>

    /// The line with its end.
    package var whole: Range<Int> { content.lowerBound..<end.upperBound }

    /// All lines of a text. An empty text has none; a final newline begins no further line.
    package static func all(in bytes: [UInt8], within bounds: Range<Int>? = nil) -> [TextLine] {
        let bounds = (bounds ?? 0..<bytes.count).clamped(to: 0..<bytes.count)
        var lines: [TextLine] = []
        var start = bounds.lowerBound
        while start < bounds.upperBound {
            let newline = bytes[start..<bounds.upperBound].firstIndex(of: .newline)
            var contentEnd = newline ?? bounds.upperBound
            let lineEnd = newline.map { $0 + 1 } ?? bounds.upperBound
            if newline != nil, contentEnd > start, bytes[contentEnd - 1] == .carriageReturn {
                contentEnd -= 1
            }
            lines.append(TextLine(content: start..<contentEnd, end: contentEnd..<lineEnd))
            start = lineEnd
        }
        return lines
    }
}

extension UInt8 {
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")
    static let hash = UInt8(ascii: "#")
    static let equals = UInt8(ascii: "=")
    static let doubleQuote = UInt8(ascii: "\"")
    static let singleQuote = UInt8(ascii: "'")
    static let backslash = UInt8(ascii: "\\")
    static let dollar = UInt8(ascii: "$")
    static let backquote = UInt8(ascii: "`")
    static let asterisk = UInt8(ascii: "*")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")

    var isBlank: Bool { self == .space || self == .tab }
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    var isNameCharacter: Bool {
        isDigit || self == UInt8(ascii: "_")
            || (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z"))
    }
}

extension [UInt8] {
    /// The ranges of the runs of characters between blanks.
    func fields(in range: Range<Int>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var start: Int?
        for index in range {
            if self[index].isBlank {
                if let begin = start { fields.append(begin..<index) }
                start = nil
            } else if start == nil {
                start = index
            }
        }
        if let begin = start { fields.append(begin..<range.upperBound) }
        return fields
    }

    /// The range without blanks at either end.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, self[low].isBlank { low += 1 }
        while high > low, self[high - 1].isBlank { high -= 1 }
        return low..<high
    }

    /// The bytes of a range as text; bytes that are not UTF-8 become U+FFFD, so that they match no known word.
    func text(_ range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }

    /// Whether `word` stands at `index` within `range`.
    func has(_ word: String, at index: Int, in range: Range<Int>) -> Bool {
        let bytes = word.utf8
        guard index >= range.lowerBound, bytes.count <= range.upperBound - index else { return false }
        return self[index..<index + bytes.count].elementsEqual(bytes)
    }

    /// Whether any byte of the range is one of `characters`.
    func containsAny(of characters: [UInt8], in range: Range<Int>) -> Bool {
        self[range].contains { characters.contains($0) }
    }
}
