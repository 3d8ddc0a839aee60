internal import GuestTree
internal import Storage

/// A unified diff of one file's edits. The edits say which lines differ, so that nothing has to be searched.
package enum UnifiedDiff {
    private static let context = 3

    /// The diff as bytes: the guest's own lines are shown as they are. Empty when nothing changes.
    package static func bytes(_ edit: FileEdit) -> [UInt8] {
        let name = edit.file.path.bytes
        if edit.edits.isEmpty, edit.contents != edit.expected {
            return binary(Array("a".utf8) + name, Array("b".utf8) + name)
        }
        return bytes(
            original: edit.expected, edits: edit.edits, oldName: Array("a".utf8) + name,
            newName: Array("b".utf8) + name)
    }

    /// A file that comes to be. One that is no text is told by its size, as diff(1) tells of such.
    package static func bytes(creating path: [UInt8], _ contents: [UInt8]) -> [UInt8] {
        if contents.contains(0) { return binary(Array("/dev/null".utf8), Array("b".utf8) + path) }
        let lines = TextLine.all(in: contents)
        var output = Array("--- /dev/null\n+++ b".utf8) + path
        output += "\n@@ -0,0 +1\(lines.count == 1 ? "" : ",\(lines.count)") @@\n".utf8
        for line in lines { appendLine("+", contents[line.whole], to: &output) }
        return lines.isEmpty ? [] : output
    }

    /// What diff says of files that are no text.
    private static func binary(_ old: [UInt8], _ new: [UInt8]) -> [UInt8] {
        Array("Binary files ".utf8) + old + Array(" and ".utf8) + new + Array(" differ\n".utf8)
    }

    /// The diff of any edited text.
    package static func bytes(
        original: [UInt8], edits: [TokenEdit], oldName: [UInt8], newName: [UInt8]
    ) -> [UInt8] {
        let changes = changes(original, TextLine.all(in: original), edits)
        guard !changes.isEmpty else { return [] }
        let lines = TextLine.all(in: original)
        var output = Array("--- ".utf8) + oldName + Array("\n+++ ".utf8) + newName + [.newline]
        var shift = 0
        var next = 0
        while next < changes.count {
            var last = next
            while last + 1 < changes.count,
                changes[last + 1].lines.lowerBound - changes[last].lines.upperBound <= context * 2
            { last += 1 }
            let hunk = Array(changes[next...last])
            append(hunk, lines, original, &shift, to: &output)
            next = last + 1
        }
        return output
    }

    /// Lines that change together.
    private struct Change {
        var lines: Range<Int>
        var new: [[UInt8]]
    }

    private static func changes(_ original: [UInt8], _ lines: [TextLine], _ edits: [TokenEdit]) -> [Change] {
        var groups: [(lines: Range<Int>, edits: [TokenEdit])] = []
        for edit in edits {
            let touched = touchedLines(edit.range, lines)
            if let last = groups.last, touched.lowerBound < last.lines.upperBound {
                groups[groups.count - 1].lines =
                    last.lines.lowerBound..<max(last.lines.upperBound, touched.upperBound)
                groups[groups.count - 1].edits.append(edit)
            } else {
                groups.append((touched, [edit]))
            }
        }
        return groups.map { group in
            let start = group.lines.isEmpty ? original.count : lines[group.lines.lowerBound].whole.lowerBound
            let end =
                group.lines.isEmpty ? original.count : lines[group.lines.upperBound - 1].whole.upperBound
            var new: [UInt8] = []
            var position = start
            for edit in group.edits {
                new += original[position..<edit.range.lowerBound] + edit.new
                position = edit.range.upperBound
            }
            new += original[position..<max(position, end)]
            let newLines = TextLine.all(in: new).map { Array(new[$0.whole]) }
            return Change(lines: group.lines, new: newLines)
        }
    }

    /// The lines that an edit's bytes lie in; for an insertion at the end of the file, none.
    private static func touchedLines(_ range: Range<Int>, _ lines: [TextLine]) -> Range<Int> {
        var first = lines.firstIndex(sortedBy: { $0.whole.upperBound > range.lowerBound })
        if first == lines.count, let last = lines.last, last.end.isEmpty { first -= 1 }
        var end = first
        while end < lines.count, end == first || lines[end].whole.lowerBound < range.upperBound { end += 1 }
        return first..<end
    }

    private static func append(
        _ hunk: [Change], _ lines: [TextLine], _ original: [UInt8], _ shift: inout Int,
        to output: inout [UInt8]
    ) {
        let first = max(0, hunk[0].lines.lowerBound - context)
        let last = min(lines.count, hunk[hunk.count - 1].lines.upperBound + context)
        let added = hunk.reduce(0) { $0 + $1.new.count - $1.lines.count }
        let oldStart = last == first ? first : first + 1
        let newCount = last - first + added
        let newStart = (newCount == 0 ? first : first + 1) + shift
        output += "@@ -\(oldStart),\(last - first) +\(newStart),\(newCount) @@\n".utf8
        var line = first
        for change in hunk {
            while line < change.lines.lowerBound {
                appendLine(" ", original[lines[line].whole], to: &output)
                line += 1
            }
            for index in change.lines { appendLine("-", original[lines[index].whole], to: &output) }
            for new in change.new { appendLine("+", new[...], to: &output) }
            line = change.lines.upperBound
        }
        while line < last {
            appendLine(" ", original[lines[line].whole], to: &output)
            line += 1
        }
        shift += added
    }

    private static func appendLine(_ mark: String, _ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output += mark.utf8
        output += line
        if line.last != .newline { output += "\n\\ No newline at end of file\n".utf8 }
    }
}
