/// GRUB 2's environment block (grub manual, "Environment block"): a magic first line, `name=value` lines with "\" protecting
/// a line end or itself, and "#" up to the end, 1024 bytes in all as the tools write it. GRUB reads any length.
package struct GRUBEnvironment: Sendable, Equatable {
    /// What the tools write, and what GRUB can write to.
    package static let byteCount = 1024
    private static let magic = "# GRUB Environment Block\n"

    /// The variables: bytes of each value.
    package var variables: [(name: String, valueRange: Range<Int>, text: String)] = []
    /// The "#" behind the last variable.
    package var paddingRange: Range<Int>

    package static func == (left: Self, right: Self) -> Bool {
        left.paddingRange == right.paddingRange
            && left.variables.elementsEqual(right.variables) {
                $0.name == $1.name && $0.valueRange == $1.valueRange
            }
    }

    /// Reads a block; nil when it is none that GRUB would read.
    package init?(_ bytes: [UInt8]) {
        guard bytes.has(Self.magic, at: 0, in: 0..<bytes.count) else { return nil }
        var end = bytes.count
        while end > 0, bytes[end - 1] == .hash { end -= 1 }
        paddingRange = end..<bytes.count
        for line in TextLine.all(in: bytes, within: Self.magic.utf8.count..<end) {
            guard let first = bytes[line.content].first, first != .hash,
                let equals = bytes[line.content].firstIndex(of: .equals)
            else { continue }
            let value = equals + 1..<line.content.upperBound
            variables.append((bytes.text(line.content.lowerBound..<equals), value, bytes.text(value)))
        }
    }

    /// The value of a variable.
    package func last(_ name: String) -> (valueRange: Range<Int>, text: String)? {
        variables.last { $0.name == name }.map { ($0.valueRange, $0.text) }
    }

    /// The variables by name; the last of a name wins.
    var values: [String: String] {
        Dictionary(variables.map { ($0.name, $0.text) }, uniquingKeysWith: { _, last in last })
    }

    /// Brings an edited block back to its size. False when the variables have become too long for it.
    func repad(_ draft: inout FileDraft) -> Bool {
        let growth = draft.edits.reduce(0) { $0 + $1.new.count - $1.range.count }
        // Nothing writes to a block of another size, so that it may have any.
        guard draft.original.count == Self.byteCount else { return true }
        guard growth <= paddingRange.count else { return false }
        let end = paddingRange.upperBound
        if growth > 0 {
            draft.replace(end - growth..<end, with: [], .names, "the block keeps its 1024 bytes")
        } else if growth < 0 {
            draft.replace(
                end..<end, with: [UInt8](repeating: .hash, count: -growth), .names,
                "the block keeps its 1024 bytes")
        }
        return true
    }
}
