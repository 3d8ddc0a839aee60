/// The arguments of a Linux kernel, as every loader passes them: words between blanks, double quotes protecting
/// blanks (Documentation/admin-guide/kernel-parameters). Knows where each word lies; changes nothing by itself.
package struct KernelCommandLine: Sendable, Equatable {
    /// One word.
    package struct Argument: Sendable, Equatable {
        /// The whole word.
        package var range: Range<Int>
        /// What stands before "=", or the whole word.
        package var name: String
        /// What stands behind "=", without quotes around it; nil for a bare word.
        package var valueRange: Range<Int>?
        /// The value has escapes or variables inside, so that its bytes are not what the kernel will see.
        package var isOpaque: Bool
        /// The value as the loader hands it over, where its bytes are not the value and all of them are known.
        package var plainValue: String?
        /// What a variable in the value stands for only the running loader shows.
        package var isUntold = false
    }

    /// The words in order.
    package var arguments: [Argument]

    /// Reads words from `range`.
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        self.init(bytes, words: Self.words(bytes, range))
    }

    /// Takes words that a loader's own lexer has found.
    package init(_ bytes: [UInt8], words: [Range<Int>]) {
        arguments = words.map { Self.argument(bytes, $0) }
    }

    /// The last argument of that name: the kernel and every initramfs let the last one win.
    package func last(_ name: String) -> Argument? { arguments.last { $0.name == name } }

    /// Whether a bare word or an argument of that name is there.
    package func has(_ name: String) -> Bool { arguments.contains { $0.name == name } }

    private static func words(_ bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var start: Int?
        var inQuotes = false
        for index in range {
            let byte = bytes[index]
            if byte == .doubleQuote { inQuotes.toggle() }
            if byte.isBlank || byte == .newline || byte == .carriageReturn, !inQuotes {
                if let begin = start { words.append(begin..<index) }
                start = nil
            } else if start == nil {
                start = index
            }
        }
        if let begin = start { words.append(begin..<range.upperBound) }
        return words
    }

    private static func argument(_ bytes: [UInt8], _ range: Range<Int>) -> Argument {
        let inner = unquoted(bytes, range)
        let special: [UInt8] = [.doubleQuote, .singleQuote, .backslash, .dollar, .backquote]
        guard let equals = bytes[inner].firstIndex(of: .equals), equals > inner.lowerBound else {
            return Argument(
                range: range, name: bytes.text(inner), valueRange: nil,
                isOpaque: bytes.containsAny(of: special, in: inner))
        }
        let value = unquoted(bytes, equals + 1..<inner.upperBound)
        return Argument(
            range: range, name: bytes.text(inner.lowerBound..<equals), valueRange: value,
            isOpaque: bytes.containsAny(of: special, in: value))
    }

    /// The range without one pair of equal quotes around it.
    private static func unquoted(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        guard range.count >= 2, let first = bytes[range].first,
            first == .doubleQuote || first == .singleQuote,
            bytes[range.upperBound - 1] == first
        else { return range }
        return range.lowerBound + 1..<range.upperBound - 1
    }
}
