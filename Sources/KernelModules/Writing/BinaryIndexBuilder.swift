package import Storage

/// Builds a binary index as depmod writes it (kmod, tools/depmod.c, index_insert and index_write): the same bytes for the
/// same keys and values in the same order.
package struct BinaryIndexBuilder {
    private final class Node {
        var prefix: [UInt8]
        var children: [UInt8: Node] = [:]
        var values: [BinaryIndex.Value] = []

        init(prefix: [UInt8]) { self.prefix = prefix }
    }

    private let root = Node(prefix: [])

    /// An empty index.
    package init() {}

    /// Adds a value to a key. Throws `misuse` for a key that is not 7-bit or too long, and for what holds a NUL.
    package func insert(
        _ key: some StringProtocol, _ value: some StringProtocol, priority: UInt32
    ) throws(StorageError) {
        let key = Array(key.utf8)
        let text = String(value).hostBytes
        guard key.count <= BinaryIndex.keyLimit, !text.contains(0),
            key.allSatisfy({ $0 > 0 && $0 < BinaryIndex.characterLimit })
        else {
            throw .modules(
                .misuse, .unwritableName, "no index can hold \(key.shellText) with \(text.shellText)")
        }
        let value = BinaryIndex.Value(priority: priority, text: text)
        var node = root
        var at = 0
        while true {
            let shared = zip(node.prefix, key[at...]).prefix { $0 == $1 }.count
            if shared < node.prefix.count { Self.split(node, at: shared) }
            at += shared
            guard at < key.count else {
                // Before those of the same priority, as depmod does it.
                let place = node.values.firstIndex { $0.priority >= priority } ?? node.values.count
                node.values.insert(value, at: place)
                return
            }
            let character = key[at]
            at += 1
            guard let child = node.children[character] else {
                let child = Node(prefix: Array(key[at...]))
                child.values = [value]
                node.children[character] = child
                return
            }
            node = child
        }
    }

    /// Leaves the first `count` characters of the prefix in `node`, and the rest in a child.
    private static func split(_ node: Node, at count: Int) {
        let lower = Node(prefix: Array(node.prefix[(count + 1)...]))
        lower.children = node.children
        lower.values = node.values
        node.children = [node.prefix[count]: lower]
        node.values = []
        node.prefix.removeLast(node.prefix.count - count)
    }

    /// The index's bytes. Throws `misuse` when they are more than an offset can tell.
    package func bytes() throws(StorageError) -> [UInt8] {
        var output: [UInt8] = []
        Self.append(BinaryIndex.magic, to: &output)
        Self.append(BinaryIndex.version, to: &output)
        Self.append(0, to: &output)
        let reference = try Self.write(root, to: &output)
        output.storeBig(reference, at: 8)
        return output
    }

    /// Children before their parent. Depth is bounded by the longest key.
    private static func write(_ node: Node, to output: inout [UInt8]) throws(StorageError) -> UInt32 {
        let characters = node.children.keys.sorted()
        var references: [UInt8: UInt32] = [:]
        for character in characters {
            guard let child = node.children[character] else { continue }
            references[character] = try write(child, to: &output)
        }
        guard var reference = UInt32(exactly: output.count), reference <= BinaryIndex.offsetMask else {
            throw .modules(.misuse, .unwritableName, "an index cannot be that long")
        }
        if !node.prefix.isEmpty {
            output += node.prefix + [0]
            reference |= BinaryIndex.prefixFlag
        }
        if let first = characters.first, let last = characters.last {
            output += [first, last]
            for character in first...last { append(references[character] ?? 0, to: &output) }
            reference |= BinaryIndex.childrenFlag
        }
        if !node.values.isEmpty {
            append(UInt32(node.values.count), to: &output)
            for value in node.values {
                append(value.priority, to: &output)
                output += value.text + [0]
            }
            reference |= BinaryIndex.valuesFlag
        }
        return reference
    }

    private static func append(_ value: UInt32, to output: inout [UInt8]) {
        for shift in [UInt32(24), 16, 8, 0] { output.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
