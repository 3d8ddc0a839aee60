internal import Storage

extension VMDKDescriptor {
    /// The text for a disk of `byteCount` bytes in its one extent: the extent's size, and the cylinders where the
    /// geometry is given.
    ///
    /// A longer number takes its room from a comment in front of it, so that nothing behind it moves: the change stays
    /// within a few bytes, mostly of one sector.
    func resized(to byteCount: UInt64) throws(StorageError) -> [UInt8] {
        let sectors = byteCount / VMDKSparseHeader.sectorSize
        guard let range = rangeOfSize else { return text }
        let longer = try VMDKDescriptor(Self.replacing(text, range, with: "\(sectors)"), at: fileOffset)
        guard let cylinders = longer.range(of: "ddb.geometry.cylinders"),
            let heads = longer.number("ddb.geometry.heads"),
            let perTrack = longer.number("ddb.geometry.sectors"), let size = heads *? perTrack, size > 0
        else { return longer.text }
        let isIDE = longer.value("ddb.adaptertype")?.lowercased() == "ide"
        let count = max(isIDE ? min(sectors / size, 16383) : sectors / size, 1)
        return Self.replacing(longer.text, cylinders, with: "\(count)")
    }

    /// Writes what differs from this text over it. The caller puts a barrier behind.
    func write(_ new: [UInt8], to file: any ByteFile) throws(StorageError) {
        guard let first = new.indices.first(where: { $0 >= text.count || new[$0] != text[$0] }),
            let last = new.indices.last(where: { $0 >= text.count || new[$0] != text[$0] })
        else { return }
        try file.write(Array(new[first...last]), at: fileOffset + UInt64(first))
    }

    private func number(_ key: String) -> UInt64? { value(key).flatMap { UInt64($0) } }

    /// The digits of the first extent line's size.
    private var rangeOfSize: Range<Int>? {
        for line in Self.lines(of: text) {
            let words = text[line].split(whereSeparator: VMDKExtentLine.isBlank)
            if VMDKExtentLine.isExtent(text[line]), words.count > 1 { return words[1].indices }
        }
        return nil
    }

    private static func lines(of text: [UInt8]) -> [Range<Int>] {
        text.split { $0 == 10 || $0 == 13 }.map(\.indices)
    }

    private static func replacing(_ text: [UInt8], _ range: Range<Int>, with number: String) -> [UInt8] {
        var result = text
        result.replaceSubrange(range, with: Array(number.utf8))
        let more = result.count - text.count
        guard more > 0 else { return result }
        // The first line is the signature.
        let comment = lines(of: text).dropFirst().last { line in
            line.upperBound <= range.lowerBound && text[line].first == UInt8(ascii: "#") && line.count > more
        }
        if let comment { result.removeSubrange(comment.upperBound - more..<comment.upperBound) }
        return result
    }
}
