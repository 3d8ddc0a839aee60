internal import Storage

/// The words of a text index's lines: the files that depmod writes, and those that look like them.
struct IndexLines {
    /// The file.
    let bytes: [UInt8]

    /// Calls `body` with the words of each line, as ranges of `bytes`. Empty lines and comments are left out.
    func forEach(_ body: (_ words: [Range<Int>], _ line: Range<Int>) -> Void) {
        let span = bytes.span8
        var at = 0
        var words: [Range<Int>] = []
        while at < span.byteCount {
            words.removeAll(keepingCapacity: true)
            let start = at
            var wordStart: Int?
            while at < span.byteCount {
                let byte = span.byte(at)
                if byte == UInt8(ascii: "\n") { break }
                // NUL as well: what a crash left of a file is no part of a word.
                let isSpace =
                    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
                    || byte == UInt8(ascii: "\r") || byte == 0
                if isSpace {
                    if let from = wordStart { words.append(from..<at) }
                    wordStart = nil
                } else if wordStart == nil {
                    wordStart = at
                }
                at += 1
            }
            if let from = wordStart { words.append(from..<at) }
            if let first = words.first, span.byte(first.lowerBound) != UInt8(ascii: "#") {
                body(words, start..<at)
            }
            at += 1
        }
    }

    /// A word as text.
    func text(_ range: Range<Int>) -> String { String(hostBytes: bytes[range]) }
}
