package import Storage

/// A binary index of kmod's (modules.dep.bin and its kind): a trie of keys, each with values in order of priority.
///
/// The format (kmod, libkmod/libkmod-index.c): magic and version and the root's offset, big-endian. An offset has flags
/// in its highest bits: the node has a prefix (text with a NUL), children (first and last character, an offset for each),
/// values (count, then priority and text of each), in that order.
package struct BinaryIndex: Sendable {
    /// A key's value.
    package struct Value: Hashable, Sendable {
        /// Values of one key come in this order.
        package var priority: UInt32
        /// The text.
        package var text: [UInt8]
    }

    /// A key with its values.
    package struct Entry: Hashable, Sendable {
        package var key: [UInt8]
        package var values: [Value]
    }

    static let magic: UInt32 = 0xb007_f457
    static let version: UInt32 = 0x0002_0001
    static let prefixFlag: UInt32 = 0x8000_0000
    static let valuesFlag: UInt32 = 0x4000_0000
    static let childrenFlag: UInt32 = 0x2000_0000
    static let offsetMask: UInt32 = 0x0fff_ffff
    /// Keys are 7-bit: characters from here on have no child.
    static let characterLimit: UInt8 = 128
    /// Longer keys are no alias's.
    static let keyLimit = 4096

    let bytes: [UInt8]
    let root: UInt32

    /// Takes the bytes of an index. Throws `corrupt` for what is none, `unsupported` for another version.
    package init(_ bytes: [UInt8]) throws(StorageError) {
        guard bytes.count >= 12, bytes.big(0, as: UInt32.self) == Self.magic else {
            throw .modules(
                .corrupt, .badIndex, "does not begin as an index of kmod's", structure: "index header",
                field: "magic", offset: 0)
        }
        let version = bytes.big(4, as: UInt32.self)
        guard version >> 16 == Self.version >> 16 else {
            throw .modules(
                .unsupported, .indexVersion, "is of version \(version >> 16), not \(Self.version >> 16)",
                structure: "index header", field: "version", offset: 4)
        }
        self.bytes = bytes
        root = bytes.big(8)
    }

    /// The values of exactly `key`, which is normalised; none when it is not there.
    package func values(of key: [UInt8]) throws(StorageError) -> [Value] {
        var reference = root
        var rest = key[...]
        // Each turn takes a character.
        while let node = try node(reference) {
            let prefix = bytes[node.prefix]
            guard rest.starts(with: prefix) else { return [] }
            rest = rest.dropFirst(prefix.count)
            guard let character = rest.first else { return try values(node) }
            guard let child = node.child(character, in: bytes) else { return [] }
            reference = child
            rest = rest.dropFirst()
        }
        return []
    }

    /// All keys with their values. Throws `corrupt` for nodes that do not fit, and for a trie with more nodes than its
    /// bytes have room for.
    package func entries() throws(StorageError) -> [Entry] {
        var result: [Entry] = []
        var waiting: [(reference: UInt32, key: [UInt8])] = [(root, [])]
        var left = bytes.count
        while let (reference, start) = waiting.popLast() {
            guard let node = try node(reference) else { continue }
            // Keys may overlap in a damaged file: what they cost together is bounded as well.
            left -= 1 + start.count / 16
            guard left >= 0 else { throw bad("has nodes that lead back to themselves", reference) }
            let key = start + bytes[node.prefix]
            guard key.count <= Self.keyLimit else { throw bad("has a key without end", reference) }
            if node.hasValues {
                let values = try values(node)
                for value in values { left -= value.text.count }
                guard left >= 0 else { throw bad("has values that it has no room for", reference) }
                result.append(Entry(key: key, values: values))
            }
            for character in node.characters.reversed() {
                guard let child = node.child(character, in: bytes) else { continue }
                waiting.append((child, key + [character]))
            }
        }
        return result
    }

    private struct Node {
        var prefix: Range<Int>
        var characters: Range<UInt8>
        var children: Int
        var valuesOffset: Int
        var hasValues: Bool

        /// The child's reference; nil where there is none.
        func child(_ character: UInt8, in bytes: [UInt8]) -> UInt32? {
            guard characters.contains(character) else { return nil }
            let reference = bytes.big(children + 4 * Int(character - characters.lowerBound), as: UInt32.self)
            return reference & BinaryIndex.offsetMask == 0 ? nil : reference
        }
    }

    /// The node that a reference leads to, checked as far as its table of children; nil for none.
    private func node(_ reference: UInt32) throws(StorageError) -> Node? {
        let offset = Int(reference & Self.offsetMask)
        guard offset != 0 else { return nil }
        guard offset <= bytes.count else { throw bad("has a node behind its end", reference) }
        var at = offset
        var prefix = at..<at
        if reference & Self.prefixFlag != 0 {
            guard let end = end(of: at) else { throw bad("has a prefix without end", reference) }
            prefix = at..<end
            at = end + 1
        }
        var characters: Range<UInt8> = 0..<0
        if reference & Self.childrenFlag != 0 {
            guard bytes.count - at >= 2 else { throw bad("is cut short", reference) }
            let (first, last) = (bytes[at], bytes[at + 1])
            guard first <= last, last < Self.characterLimit else {
                throw bad("has children from \(first) to \(last)", reference)
            }
            characters = first..<last + 1
            at += 2
            guard (bytes.count - at) / 4 >= characters.count else { throw bad("is cut short", reference) }
        }
        return Node(
            prefix: prefix, characters: characters, children: at, valuesOffset: at + 4 * characters.count,
            hasValues: reference & Self.valuesFlag != 0)
    }

    private func values(_ node: Node) throws(StorageError) -> [Value] {
        guard node.hasValues else { return [] }
        var at = node.valuesOffset
        let place = UInt32(truncatingIfNeeded: at)
        guard bytes.count - at >= 4 else { throw bad("is cut short", place) }
        let count = bytes.big(at, as: UInt32.self)
        at += 4
        var result: [Value] = []
        for _ in 0..<count {
            guard bytes.count - at > 4 else { throw bad("has values behind its end", place) }
            let priority = bytes.big(at, as: UInt32.self)
            guard let end = end(of: at + 4) else { throw bad("has a value without end", place) }
            result.append(Value(priority: priority, text: Array(bytes[at + 4..<end])))
            at = end + 1
        }
        return result
    }

    /// Where the NUL of the text at `offset` is.
    private func end(of offset: Int) -> Int? {
        guard offset < bytes.count else { return nil }
        return bytes[offset...].firstIndex(of: 0)
    }

    private func bad(_ what: String, _ reference: UInt32) -> StorageError {
        .modules(
            .corrupt, .badIndex, what, structure: "index node", offset: UInt64(reference & Self.offsetMask))
    }
}
