package import Storage

/// Aliases with the modules that they lead to: modules.alias, modules.symbols, or what stands for them.
package struct AliasIndex: Sendable {
    /// One line: a pattern and the module.
    package struct Line: Hashable, Sendable {
        package var alias: String
        package var module: String
    }

    private struct Row: Sendable {
        var alias: Range<Int32>
        var module: Range<Int32>
    }

    private var bytes: [UInt8]
    private var rows: [Row] = []

    /// No aliases.
    package init() { bytes = [] }

    /// From the text of modules.alias: lines of `alias PATTERN MODULE`. Others mean nothing.
    package init(text: [UInt8]) {
        bytes = text
        let lines = IndexLines(bytes: text)
        let word = Array("alias".utf8)
        lines.forEach { words, _ in
            guard words.count >= 3, text[words[0]].elementsEqual(word) else { return }
            add(words[1], words[2])
        }
    }

    /// From modules.alias.bin, in the order of priority.
    package init(_ index: BinaryIndex) throws(StorageError) {
        var lines: [(priority: UInt32, alias: [UInt8], module: [UInt8])] = []
        for entry in try index.entries() {
            for value in entry.values { lines.append((value.priority, entry.key, value.text)) }
        }
        // The order of the trie decides among equals.
        let order = lines.indices.sorted { (lines[$0].priority, $0) < (lines[$1].priority, $1) }
        self.init()
        for index in order { append(alias: lines[index].alias, module: lines[index].module) }
    }

    /// How many there are.
    package var count: Int { rows.count }

    /// Adds one at the end.
    mutating func append(alias: some Collection<UInt8>, module: some Collection<UInt8>) {
        let start = bytes.count
        bytes += alias
        let middle = bytes.count
        bytes += module
        add(start..<middle, middle..<bytes.count)
    }

    private mutating func add(_ alias: Range<Int>, _ module: Range<Int>) {
        // Files are far below 2 GiB; what would not fit is left out.
        guard let end = Int32(exactly: max(alias.upperBound, module.upperBound)), end > 0 else { return }
        rows.append(
            Row(
                alias: Int32(alias.lowerBound)..<Int32(alias.upperBound),
                module: Int32(module.lowerBound)..<Int32(module.upperBound)))
    }

    /// The modules whose patterns match `name`, by canonical name, each once, in the index's order.
    package func modules(matching name: String) -> [String] {
        let text = Array(name.utf8)
        let span = bytes.span8
        var result: [String] = []
        for row in rows {
            let alias = Int(row.alias.lowerBound)..<Int(row.alias.upperBound)
            guard AliasPattern.matches(alias, of: span, text.span8) else { continue }
            let module = module(row)
            if !result.contains(module) { result.append(module) }
        }
        return result
    }

    /// All lines.
    package var lines: [Line] { lines { _ in true } }

    /// The lines of the modules that `isWanted` takes, by canonical name.
    package func lines(where isWanted: (_ module: String) -> Bool) -> [Line] {
        rows.compactMap { row in
            let module = module(row)
            guard isWanted(module) else { return nil }
            return Line(alias: text(row.alias), module: module)
        }
    }

    /// The aliases of `module` that begin with `prefix`.
    package func aliases(of module: String, prefix: String) -> [String] {
        let start = Array(prefix.utf8)
        return rows.compactMap { row in
            let alias = bytes[Int(row.alias.lowerBound)..<Int(row.alias.upperBound)]
            guard alias.starts(with: start), self.module(row) == module else { return nil }
            return String(hostBytes: alias)
        }
    }

    private func module(_ row: Row) -> String { ModuleName.canonical(text(row.module)) }

    private func text(_ range: Range<Int32>) -> String {
        String(hostBytes: bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }
}
