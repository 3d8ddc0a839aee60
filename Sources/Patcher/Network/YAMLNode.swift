/// A part of a YAML text, with the bytes of its scalars.
indirect enum YAMLNode: Sendable {
    /// Nothing stands there.
    case null
    /// A word.
    case scalar(YAMLScalar)
    /// Keys with values, in order.
    case mapping([(key: YAMLScalar, value: YAMLNode)])
    /// Values in order.
    case sequence([YAMLNode])

    /// The value of a key.
    subscript(key: String) -> YAMLNode? {
        guard case .mapping(let entries) = self else { return nil }
        return entries.first { $0.key.text == key }?.value
    }

    /// The word, where it is one.
    var scalar: YAMLScalar? { if case .scalar(let scalar) = self { scalar } else { nil } }
    /// The pairs, where it is a mapping.
    var entries: [(key: YAMLScalar, value: YAMLNode)] {
        if case .mapping(let entries) = self { entries } else { [] }
    }
    /// The words of a sequence, or the word itself.
    var words: [YAMLScalar] {
        switch self {
        case .scalar(let scalar): [scalar]
        case .sequence(let nodes): nodes.compactMap(\.scalar)
        default: []
        }
    }
}

/// A word of a YAML text.
struct YAMLScalar: Sendable {
    /// The word; empty where escapes or lines stand in its way.
    var text: String
    /// Its bytes, without quotes.
    var range: Range<Int>
    /// Its bytes are not the word itself.
    var isOpaque = false
}

/// Why a YAML text is not read: what it uses, and where.
struct YAMLRefusal: Error, Sendable {
    /// What is there.
    var what: String
    /// The line, from 1.
    var line: Int
}
