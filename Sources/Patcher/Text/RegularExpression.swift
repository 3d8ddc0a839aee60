/// The regular expressions that LVM's filters use: `.`, `*`, `+`, `?`, `[…]`, `(…|…)`, `^`, `$` and `\`.
/// Matching takes time in proportion to text times expression, whatever a hostile file says.
package struct RegularExpression: Sendable {
    private enum Matcher: Sendable {
        case any
        case set([Bool])
        case start
        case end
    }

    private enum State: Sendable {
        case match(Matcher, next: Int)
        case split(Int, Int)
        case accept
    }

    private var states: [State] = []
    private var first = 0

    /// No filter of LVM is longer than this many characters.
    private static let lengthLimit = 1000
    private static let depthLimit = 50

    /// Compiles an expression; nil when it is not well formed.
    package init?(_ text: String) {
        let pattern = Array(text.utf8)
        guard pattern.count <= Self.lengthLimit else { return nil }
        var parser = Parser(pattern: pattern)
        guard let tree = parser.alternatives(depth: 0), parser.position == pattern.count else { return nil }
        states = [.accept]
        first = add(tree, then: 0)
    }

    /// Whether any part of `text` matches.
    package func matches(_ text: [UInt8]) -> Bool {
        var current = Set<Int>()
        for position in 0...text.count {
            // An expression may begin anywhere.
            close(first, position, text.count, into: &current)
            if current.contains(0) { return true }
            guard position < text.count else { return false }
            var next = Set<Int>()
            for state in current {
                guard case .match(let matcher, let target) = states[state] else { continue }
                switch matcher {
                case .any: close(target, position + 1, text.count, into: &next)
                case .set(let set) where set[Int(text[position])]:
                    close(target, position + 1, text.count, into: &next)
                default: break
                }
            }
            current = next
        }
        return false
    }

    /// Adds a state and all that can be reached without reading.
    private func close(_ state: Int, _ position: Int, _ count: Int, into set: inout Set<Int>) {
        var pending = [state]
        while let state = pending.popLast() {
            guard set.insert(state).inserted else { continue }
            switch states[state] {
            case .split(let one, let other): pending += [one, other]
            case .match(.start, let next) where position == 0: pending.append(next)
            case .match(.end, let next) where position == count: pending.append(next)
            default: break
            }
        }
    }

    private indirect enum Node {
        case empty
        case one(Matcher)
        case both(Node, Node)
        case either(Node, Node)
        case many(Node, atLeastOne: Bool)
        case optional(Node)
    }

    private mutating func add(_ node: Node, then next: Int) -> Int {
        switch node {
        case .empty: return next
        case .one(let matcher): return append(.match(matcher, next: next))
        case .both(let left, let right): return add(left, then: add(right, then: next))
        case .either(let left, let right):
            let other = add(right, then: next)
            return append(.split(add(left, then: next), other))
        case .optional(let inner): return append(.split(add(inner, then: next), next))
        case .many(let inner, let atLeastOne):
            let loop = append(.split(next, next))
            let body = add(inner, then: loop)
            states[loop] = .split(body, next)
            return atLeastOne ? body : loop
        }
    }

    private mutating func append(_ state: State) -> Int {
        states.append(state)
        return states.count - 1
    }

    private struct Parser {
        let pattern: [UInt8]
        var position = 0

        var current: UInt8? { position < pattern.count ? pattern[position] : nil }

        mutating func alternatives(depth: Int) -> Node? {
            guard depth < RegularExpression.depthLimit, var node = sequence(depth) else { return nil }
            while current == UInt8(ascii: "|") {
                position += 1
                guard let other = sequence(depth) else { return nil }
                node = .either(node, other)
            }
            return node
        }

        private mutating func sequence(_ depth: Int) -> Node? {
            var node = Node.empty
            while let byte = current, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
                guard var piece = atom(byte, depth) else { return nil }
                while let mark = current, [42, 43, 63].contains(mark) {
                    position += 1
                    piece = mark == 63 ? .optional(piece) : .many(piece, atLeastOne: mark == 43)
                }
                node = .both(node, piece)
            }
            return node
        }

        private mutating func atom(_ byte: UInt8, _ depth: Int) -> Node? {
            position += 1
            switch byte {
            case UInt8(ascii: "("):
                guard let inner = alternatives(depth: depth + 1), current == UInt8(ascii: ")") else {
                    return nil
                }
                position += 1
                return inner
            case UInt8(ascii: "["): return bracket()
            case UInt8(ascii: "."): return .one(.any)
            case UInt8(ascii: "^"): return .one(.start)
            case .dollar: return .one(.end)
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): return nil
            case .backslash:
                guard let escaped = current else { return nil }
                position += 1
                return .one(.set(single(escaped)))
            default: return .one(.set(single(byte)))
            }
        }

        private func single(_ byte: UInt8) -> [Bool] {
            var set = [Bool](repeating: false, count: 256)
            set[Int(byte)] = true
            return set
        }

        private mutating func bracket() -> Node? {
            var set = [Bool](repeating: false, count: 256)
            let isNegated = current == UInt8(ascii: "^")
            if isNegated { position += 1 }
            var isFirst = true
            while let byte = current, byte != UInt8(ascii: "]") || isFirst {
                isFirst = false
                position += 1
                var last = byte
                if current == UInt8(ascii: "-"), position + 1 < pattern.count,
                    pattern[position + 1] != UInt8(ascii: "]")
                {
                    last = pattern[position + 1]
                    position += 2
                }
                guard byte <= last else { return nil }
                for value in byte...last { set[Int(value)] = true }
            }
            guard current == UInt8(ascii: "]") else { return nil }
            position += 1
            return .one(.set(isNegated ? set.map { !$0 } : set))
        }
    }
}
