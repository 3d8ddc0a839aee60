/// A file of lines of words between blanks, "#" beginning a comment line: crypttab, device.map, modprobe.conf,
/// mdadm.conf, securetty.
package struct FieldTable: Sendable, Equatable {
    /// One line that is no comment.
    package struct Row: Sendable, Equatable {
        /// The line with its end.
        package var line: TextLine
        /// Where the words lie.
        package var ranges: [Range<Int>]
        /// The words.
        package var words: [String]
    }

    /// The lines in order.
    package var rows: [Row] = []

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        for line in TextLine.all(in: bytes) {
            let ranges = bytes.fields(in: line.content)
            guard let first = ranges.first, bytes[first.lowerBound] != .hash else { continue }
            rows.append(Row(line: line, ranges: ranges, words: ranges.map { bytes.text($0) }))
        }
    }
}
