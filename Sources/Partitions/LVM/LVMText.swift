internal import Storage

/// A section of LVM's metadata text: values and sections by name, in the order of the text.
struct LVMSection: Equatable, Sendable {
    indirect enum Node: Equatable, Sendable {
        case value(LVMValue)
        case section(LVMSection)
    }

    private(set) var names: [String] = []
    private var nodes: [String: Node] = [:]

    /// A later node of the same name replaces an earlier one, as in lvm2.
    mutating func set(_ name: String, _ node: Node) {
        if nodes.updateValue(node, forKey: name) == nil { names.append(name) }
    }

    subscript(name: String) -> Node? { nodes[name] }

    /// The sections in it, in order.
    var sections: [(name: String, section: LVMSection)] {
        names.compactMap { name in
            if case .section(let section)? = nodes[name] { (name, section) } else { nil }
        }
    }

    func section(_ name: String) -> LVMSection? {
        if case .section(let section)? = nodes[name] { section } else { nil }
    }

    /// The value as a list; one that is not in brackets is a list of one.
    func list(_ name: String) -> [LVMValue] {
        guard case .value(let value)? = nodes[name] else { return [] }
        if case .list(let items) = value { return items }
        return [value]
    }

    func string(_ name: String) -> String? { list(name).first?.text }
    func strings(_ name: String) -> [String] { list(name).compactMap(\.text) }

    /// A number that is not negative, or nil when there is none of this name. Throws when it is no such number.
    func number(_ name: String) throws(StorageError) -> UInt64? {
        guard nodes[name] != nil else { return nil }
        guard case .number(let value)? = list(name).first, let result = UInt64(exactly: value) else {
            throw .lvm(.corrupt, .textField, "\(name) is not a number", field: name)
        }
        return result
    }

    /// A number that must be there.
    func required(_ name: String) throws(StorageError) -> UInt64 {
        guard let value = try number(name) else {
            throw .lvm(.corrupt, .textField, "\(name) is missing", field: name)
        }
        return value
    }
}

/// A value in LVM's metadata text.
enum LVMValue: Equatable, Sendable {
    case number(Int64)
    /// Its text: LVM writes no fractions that matter here.
    case fraction(String)
    case string(String)
    case list([LVMValue])

    var text: String? { if case .string(let text) = self { text } else { nil } }
}

/// The parser of LVM's text format (libdm/libdm-config.c): sections, `key = value`, strings, numbers, lists,
/// comments from # to the end of the line.
struct LVMTextParser {
    /// lvm2 itself never nests deeper than five.
    static let nestingLimit = 16

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The whole text as one section.
    static func parse(_ bytes: [UInt8]) throws(StorageError) -> LVMSection {
        var parser = LVMTextParser(bytes)
        return try parser.section(depth: 0)
    }

    /// Entries up to the closing brace, or to the end at depth 0.
    private mutating func section(depth: Int) throws(StorageError) -> LVMSection {
        guard depth <= Self.nestingLimit else {
            throw .lvm(
                .corrupt, .textNesting, "sections are nested deeper than \(Self.nestingLimit)",
                offset: UInt64(position))
        }
        var result = LVMSection()
        while true {
            skipBlank()
            guard let byte = peek else {
                guard depth == 0 else { throw syntax("ends within a section") }
                return result
            }
            if byte == UInt8(ascii: "}") {
                guard depth > 0 else { throw syntax("has a brace too many") }
                position += 1
                return result
            }
            let name = try name()
            skipBlank()
            switch peek {
            case UInt8(ascii: "{"):
                position += 1
                result.set(name, .section(try section(depth: depth + 1)))
            case UInt8(ascii: "="):
                position += 1
                result.set(name, .value(try value()))
            default: throw syntax("has a name without a value")
            }
        }
    }

    private mutating func value() throws(StorageError) -> LVMValue {
        skipBlank()
        guard peek == UInt8(ascii: "[") else { return try scalar() }
        position += 1
        var items: [LVMValue] = []
        while true {
            skipBlank()
            if peek == UInt8(ascii: "]") {
                position += 1
                return .list(items)
            }
            items.append(try scalar())
            skipBlank()
            if peek == UInt8(ascii: ",") { position += 1 }
        }
    }

    private mutating func scalar() throws(StorageError) -> LVMValue {
        guard let byte = peek else { throw syntax("ends where a value should be") }
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return .string(try quoted(byte)) }
        let start = position
        while let byte = peek, isNumeric(byte) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        if let number = Int64(word) { return .number(number) }
        guard Double(word) != nil else { throw syntax("has a value that is neither text nor number") }
        return .fraction(word)
    }

    /// Text in quotes; a backslash takes the next character as it is. Single quotes know no backslash.
    private mutating func quoted(_ mark: UInt8) throws(StorageError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            if byte == mark { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), mark == UInt8(ascii: "\""), let next = peek {
                position += 1
                text.append(next)
            } else {
                text.append(byte)
            }
        }
        throw syntax("ends within a string")
    }

    private mutating func name() throws(StorageError) -> String {
        if peek == UInt8(ascii: "\"") { return try quoted(UInt8(ascii: "\"")) }
        let start = position
        while let byte = peek, !isBlank(byte), !Self.ends.contains(byte) { position += 1 }
        guard position > start else {
            throw syntax("has \"\([bytes[position]].displayText)\" where a name should be")
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static let ends = Set("={}[]#,\"".utf8)

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
    private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    private func isNumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private mutating func skipBlank() {
        while let byte = peek {
            if byte == UInt8(ascii: "#") {
                while let next = peek, next != 10 { position += 1 }
            } else if isBlank(byte) {
                position += 1
            } else {
                return
            }
        }
    }

    private func syntax(_ what: String) -> StorageError {
        .lvm(.corrupt, .textSyntax, "the metadata text \(what)", offset: UInt64(position))
    }
}
