/// An element of an XML text that holds words alone.
struct XMLLeaf: Sendable {
    /// The names of the elements around it, and its own last.
    var path: [String]
    /// Where each of these begins.
    var starts: [Int]
    /// The words' bytes, without blanks around them.
    var range: Range<Int>
    /// The words.
    var text: String

    /// Every one of a text; nil where the text is not well formed or uses CDATA.
    static func all(in bytes: [UInt8]) -> [XMLLeaf]? {
        var leaves: [XMLLeaf] = []
        var path: [String] = []
        var starts: [Int] = []
        var position = 0
        var wordsStart: Int?
        while let open = bytes[position...].firstIndex(of: UInt8(ascii: "<")) {
            if bytes.has("<!--", at: open, in: 0..<bytes.count) {
                guard let end = find("-->", in: bytes, from: open + 4) else { return nil }
                position = end + 3
                wordsStart = nil
                continue
            }
            if bytes.has("<![", at: open, in: 0..<bytes.count) { return nil }
            guard let close = bytes[open...].firstIndex(of: UInt8(ascii: ">")) else { return nil }
            position = close + 1
            let isClosed = bytes[close - 1] == UInt8(ascii: "/")
            switch bytes[open + 1] {
            case UInt8(ascii: "?"), UInt8(ascii: "!"): wordsStart = nil
            case UInt8(ascii: "/"):
                guard let name = path.last, bytes.text(bytes.trimmed(open + 2..<close)) == name else {
                    return nil
                }
                if let start = wordsStart {
                    let range = bytes.trimmed(start..<open)
                    leaves.append(XMLLeaf(path: path, starts: starts, range: range, text: bytes.text(range)))
                }
                path.removeLast()
                starts.removeLast()
                wordsStart = nil
            default:
                guard !isClosed else {
                    wordsStart = nil
                    continue
                }
                guard path.count < 40 else { return nil }
                let words = bytes.fields(in: open + 1..<close)
                path.append(words.first.map { bytes.text($0) } ?? "")
                starts.append(open)
                wordsStart = position
            }
        }
        return path.isEmpty ? leaves : nil
    }

    private static func find(_ word: String, in bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while let next = bytes[min(index, bytes.count)...].firstIndex(of: UInt8(ascii: "-")) {
            if bytes.has(word, at: next, in: 0..<bytes.count) { return next }
            index = next + 1
        }
        return nil
    }
}
