/// Words, and what stands in brackets.
extension YAMLReader {
    /// A word: plain to the end of its line, a comment, or ": "; in brackets also to a comma or bracket.
    mutating func scalar(inFlow: Bool) throws(YAMLRefusal) -> YAMLScalar {
        let start = position
        switch bytes[start] {
        case .singleQuote, .doubleQuote: return try quoted()
        case UInt8(ascii: "&"): throw refusal("an anchor (“&”) of a key", at: start)
        case .asterisk: throw refusal("an alias (“*”) as a key", at: start)
        case UInt8(ascii: "!"): throw refusal("a tag (“!”)", at: start)
        case UInt8(ascii: "%"), UInt8(ascii: "@"), .backquote:
            throw refusal("a word that begins with “\(bytes.text(start..<start + 1))”", at: start)
        default: break
        }
        var end = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == .newline || byte == .carriageReturn { break }
            if byte == .colon, isBlankOrEnd(position + 1) || inFlow && isFlowMark(position + 1) { break }
            if byte == .hash, position > start, bytes[position - 1].isBlank { break }
            if inFlow, isFlowMark(position) { break }
            position += 1
            if !byte.isBlank { end = position }
        }
        position = end
        return YAMLScalar(text: bytes.text(start..<end), range: start..<end)
    }

    /// The name of an anchor that stands here; nil where none does.
    mutating func anchor() throws(YAMLRefusal) -> String? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "&") else { return nil }
        let name = try mark()
        skipBlanks()
        return name
    }

    /// What an alias stands for: what is written behind its anchor, in the same bytes.
    mutating func alias() throws(YAMLRefusal) -> YAMLNode {
        let start = position
        let name = try mark()
        guard let node = anchors[name], aliasesLeft > 0 else {
            throw refusal("an alias (“*”) of nothing that stands before it", at: start)
        }
        aliasesLeft -= 1
        return node
    }

    /// The name behind “&” or “*”.
    private mutating func mark() throws(YAMLRefusal) -> String {
        let start = position + 1
        position = start
        while !isBlankOrEnd(position), !isFlowMark(position) { position += 1 }
        guard position > start else { throw refusal("“&” or “*” without a name", at: start - 1) }
        return bytes.text(start..<position)
    }

    private mutating func quoted() throws(YAMLRefusal) -> YAMLScalar {
        let start = position
        let quote = bytes[start]
        var isOpaque = false
        position += 1
        while position < bytes.count, bytes[position] != .newline {
            if bytes[position] == .backslash, quote == .doubleQuote {
                isOpaque = true
                position += 2
                continue
            }
            guard bytes[position] == quote else {
                position += 1
                continue
            }
            if quote == .singleQuote, position + 1 < bytes.count, bytes[position + 1] == quote {
                isOpaque = true
                position += 2
                continue
            }
            let range = start + 1..<position
            position += 1
            return YAMLScalar(text: isOpaque ? "" : bytes.text(range), range: range, isOpaque: isOpaque)
        }
        throw refusal("a quoted word over several lines", at: start)
    }

    /// What stands in brackets or braces, over any number of lines.
    mutating func flow() throws(YAMLRefusal) -> YAMLNode {
        let start = position
        guard depthLeft > 0 else { throw refusal("more levels than any real file", at: start) }
        depthLeft -= 1
        defer { depthLeft += 1 }
        let isMapping = bytes[start] == UInt8(ascii: "{")
        let close = isMapping ? UInt8(ascii: "}") : UInt8(ascii: "]")
        var nodes: [YAMLNode] = []
        var entries: [(key: YAMLScalar, value: YAMLNode)] = []
        var keys: Set<String> = []
        position += 1
        while true {
            try skipFlowBlanks(from: start)
            if bytes[position] == close {
                position += 1
                return isMapping ? .mapping(entries) : .sequence(nodes)
            }
            if isMapping {
                let key = try scalar(inFlow: true)
                guard !key.isOpaque, key.text != "<<" else {
                    throw refusal("a key with escapes", at: position)
                }
                guard keys.insert(key.text).inserted else {
                    throw refusal("the key “\(key.text)” twice", at: position)
                }
                try skipFlowBlanks(from: start)
                var value = YAMLNode.null
                if bytes[position] == .colon {
                    position += 1
                    try skipFlowBlanks(from: start)
                    if !isFlowMark(position) || isOpening(position) { value = try flowValue() }
                }
                entries.append((key, value))
            } else {
                nodes.append(try flowValue())
            }
            try skipFlowBlanks(from: start)
            if bytes[position] == .comma {
                position += 1
            } else if bytes[position] != close {
                throw refusal("words behind a value", at: position)
            }
        }
    }

    private mutating func flowValue() throws(YAMLRefusal) -> YAMLNode {
        let start = position
        if let anchor = try anchor() {
            try skipFlowBlanks(from: start)
            guard bytes[position] != UInt8(ascii: "&") else { throw refusal("two anchors", at: position) }
            let node = try flowValue()
            anchors[anchor] = node
            return node
        }
        if bytes[position] == .asterisk { return try alias() }
        if isOpening(position) { return try flow() }
        guard !isFlowMark(position) else { throw refusal("a comma without a value", at: position) }
        return .scalar(try scalar(inFlow: true))
    }

    /// Goes to the next word within brackets that began at `start`.
    private mutating func skipFlowBlanks(from start: Int) throws(YAMLRefusal) {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == .hash, bytes[position - 1].isBlank || bytes[position - 1] == .newline {
                while position < bytes.count, bytes[position] != .newline { position += 1 }
            } else if byte.isBlank || byte == .newline || byte == .carriageReturn {
                position += 1
            } else {
                return
            }
        }
        throw refusal("a bracket that is not closed", at: start)
    }

    private func isOpening(_ place: Int) -> Bool {
        place < bytes.count && (bytes[place] == UInt8(ascii: "[") || bytes[place] == UInt8(ascii: "{"))
    }

    private func isFlowMark(_ place: Int) -> Bool {
        place < bytes.count && "[]{},".utf8.contains(bytes[place])
    }
}
