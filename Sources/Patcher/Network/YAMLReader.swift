/// Reads the part of YAML that network configuration is written in: mappings and sequences in blocks and in brackets, plain
/// and quoted words, comments, anchors and their aliases. What it does not read (tags, merged mappings, tabs before words, words
/// over several lines, several documents) is refused by name: a file that is read in part would be edited in part.
struct YAMLReader {
    let bytes: [UInt8]
    /// Where the next thing to read begins.
    var position = 0
    /// How many more nodes may be begun inside each other.
    var depthLeft = 40

    /// Where the words of a line begin.
    private struct Content {
        var indent: Int
        var start: Int
    }

    /// What anchors stand for, once it is read: nothing stands for itself.
    var anchors: [String: YAMLNode] = [:]
    /// How many more times an alias may stand for something.
    var aliasesLeft = 1000

    /// Set while the rest of a line behind "- " is read as a block of its own.
    private var inline: Content?

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The text's one document.
    static func read(_ bytes: [UInt8]) throws(YAMLRefusal) -> YAMLNode {
        var reader = YAMLReader(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        if let first = try reader.peek(), bytes.has("---", at: first.start, in: 0..<bytes.count) {
            reader.position = first.start + 3
            try reader.endLine()
        }
        let node = try reader.block(atLeast: 0)
        if let rest = try reader.peek() {
            guard bytes.has("...", at: rest.start, in: 0..<bytes.count) else {
                throw reader.refusal(
                    bytes.has("---", at: rest.start, in: 0..<bytes.count)
                        ? "several documents" : "a line whose indentation fits nothing", at: rest.start)
            }
        }
        return node
    }

    // MARK: Blocks

    /// What stands at the next line with words, when it is indented so far at least.
    private mutating func block(atLeast indent: Int) throws(YAMLRefusal) -> YAMLNode {
        guard let next = try peek(), next.indent >= indent, !isMark(next) else { return .null }
        guard depthLeft > 0 else { throw refusal("more levels than any real file", at: next.start) }
        depthLeft -= 1
        defer { depthLeft += 1 }
        if isDash(next.start) { return try sequence(next.indent) }
        if bytes[next.start] != .asterisk, try keyEnd(at: next.start) != nil {
            return try mapping(next.indent)
        }
        inline = nil
        position = next.start
        return try value(parent: next.indent - 1)
    }

    private mutating func mapping(_ indent: Int) throws(YAMLRefusal) -> YAMLNode {
        var entries: [(key: YAMLScalar, value: YAMLNode)] = []
        var keys: Set<String> = []
        while let next = try peek(), next.indent == indent, !isDash(next.start), !isMark(next) {
            guard let (key, end) = try keyEnd(at: next.start) else {
                throw refusal("a line without a key among keys", at: next.start)
            }
            guard keys.insert(key.text).inserted else {
                throw refusal("the key “\(key.text)” twice", at: next.start)
            }
            inline = nil
            position = end
            skipBlanks()
            let anchor = try anchor()
            let node: YAMLNode
            if isLineEnd {
                try endLine()
                if let below = try peek(), below.indent == indent, isDash(below.start) {
                    // A sequence may stand as far left as its key.
                    node = try sequence(indent)
                } else {
                    node = try block(atLeast: indent + 1)
                }
            } else {
                node = try value(parent: indent)
            }
            if let anchor { anchors[anchor] = node }
            entries.append((key, node))
        }
        try checkIndent(below: indent)
        return .mapping(entries)
    }

    private mutating func sequence(_ indent: Int) throws(YAMLRefusal) -> YAMLNode {
        var nodes: [YAMLNode] = []
        guard depthLeft > 0 else { throw refusal("more levels than any real file", at: position) }
        depthLeft -= 1
        defer { depthLeft += 1 }
        while let next = try peek(), next.indent == indent, isDash(next.start) {
            inline = nil
            position = next.start + 1
            let dash = position
            skipBlanks()
            let anchor = try anchor()
            if isLineEnd {
                try endLine()
                nodes.append(try block(atLeast: indent + 1))
            } else if anchor != nil {
                // Before a key it would be the key's.
                guard try keyEnd(at: position) == nil else {
                    throw refusal("an anchor before a key", at: position)
                }
                nodes.append(try value(parent: indent))
            } else {
                inline = Content(indent: indent + 1 + (position - dash), start: position)
                nodes.append(try block(atLeast: indent + 1))
            }
            if let anchor, let node = nodes.last { anchors[anchor] = node }
        }
        try checkIndent(below: indent)
        return .sequence(nodes)
    }

    /// What follows a block is further left, or the end.
    private mutating func checkIndent(below indent: Int) throws(YAMLRefusal) {
        if let next = try peek(), next.indent > indent {
            throw refusal("a line whose indentation fits nothing", at: next.start)
        }
    }

    /// A value that begins in the middle of a line, with the rest of its line.
    private mutating func value(parent indent: Int) throws(YAMLRefusal) -> YAMLNode {
        let start = position
        switch bytes[start] {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            let node = try flow()
            try endLine()
            return node
        case .asterisk:
            let node = try alias()
            try endLine()
            return node
        case UInt8(ascii: "|"), UInt8(ascii: ">"):
            position = lineEnd(from: start)
            while let next = try peek(allowingTabs: true), next.indent > indent {
                position = lineEnd(from: next.start)
            }
            return .scalar(YAMLScalar(text: "", range: start..<start, isOpaque: true))
        default:
            let scalar = try scalar(inFlow: false)
            try endLine()
            if let next = try peek(), next.indent > indent, !isDash(next.start) {
                throw refusal("a word over several lines", at: next.start)
            }
            return .scalar(scalar)
        }
    }

    /// The key at a place and where its value may begin; nil where no key stands.
    private func keyEnd(at start: Int) throws(YAMLRefusal) -> (key: YAMLScalar, end: Int)? {
        var probe = self
        probe.position = start
        if [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: ">")].contains(bytes[start])
        {
            return nil
        }
        if bytes[start] == UInt8(ascii: "?"), probe.isBlankOrEnd(start + 1) {
            throw refusal("a key marked with “?”", at: start)
        }
        let key = try probe.scalar(inFlow: false)
        probe.skipBlanks()
        guard probe.position < bytes.count, bytes[probe.position] == .colon,
            probe.isBlankOrEnd(probe.position + 1)
        else { return nil }
        guard !key.isOpaque else { throw refusal("a key with escapes", at: start) }
        if key.text == "<<" { throw refusal("a merged mapping (“<<”)", at: start) }
        return (key, probe.position + 1)
    }

    // MARK: Lines

    /// The next line with words; nil at the end. What `inline` holds comes first.
    private mutating func peek(allowingTabs: Bool = false) throws(YAMLRefusal) -> Content? {
        if let inline { return inline }
        while position < bytes.count {
            var start = position
            while start < bytes.count, bytes[start] == .space { start += 1 }
            let indent = start - position
            let tab = start
            while start < bytes.count, bytes[start].isBlank { start += 1 }
            if start == bytes.count { return nil }
            if bytes[start] == .newline || bytes[start] == .carriageReturn || bytes[start] == .hash {
                position = lineEnd(from: start)
                continue
            }
            if tab != start, !allowingTabs { throw refusal("a tab before a word", at: start) }
            return Content(indent: indent, start: start)
        }
        return nil
    }

    /// Goes to the next line; nothing but blanks and a comment may stand in the way.
    mutating func endLine() throws(YAMLRefusal) {
        let before = position
        skipBlanks()
        guard isLineEnd else { throw refusal("words behind a value", at: position) }
        if position < bytes.count, bytes[position] == .hash, before == position, position > 0,
            !bytes[position - 1].isBlank
        {
            throw refusal("“#” without a blank before it", at: position)
        }
        position = lineEnd(from: position)
    }

    mutating func skipBlanks() { while position < bytes.count, bytes[position].isBlank { position += 1 } }

    /// A line's words end here: its end, or a comment.
    var isLineEnd: Bool {
        position >= bytes.count || [.newline, .carriageReturn, .hash].contains(bytes[position])
    }

    private func lineEnd(from start: Int) -> Int {
        bytes[start...].firstIndex(of: .newline).map { $0 + 1 } ?? bytes.count
    }

    func isBlankOrEnd(_ place: Int) -> Bool {
        place >= bytes.count || bytes[place].isBlank || bytes[place] == .newline
            || bytes[place] == .carriageReturn
    }

    private func isDash(_ place: Int) -> Bool { bytes[place] == .dash && isBlankOrEnd(place + 1) }

    private func isMark(_ content: Content) -> Bool {
        content.indent == 0 && inline == nil
            && ["---", "..."].contains { bytes.has($0, at: content.start, in: 0..<bytes.count) }
            && isBlankOrEnd(content.start + 3)
    }

    /// Refuses what stands at a place.
    func refusal(_ what: String, at place: Int) -> YAMLRefusal {
        YAMLRefusal(what: what, line: bytes.prefix(place).count { $0 == .newline } + 1)
    }
}
