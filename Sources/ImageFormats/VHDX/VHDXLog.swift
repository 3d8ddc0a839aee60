internal import Storage

/// Finds what a log still has to do to the file: the active sequence of entries ([MS-VHDX] 2.3.3).
struct VHDXLog: Sendable {
    /// A pending log larger than this is refused: Hyper-V's have 1 MiB.
    static let sizeLimit: UInt64 = 256 << 20

    let file: any ByteFile
    let range: Range<UInt64>
    let guid: UUID16
    private var length: UInt64 { range.upperBound - range.lowerBound }

    private struct Entry {
        var position: UInt64
        var header: VHDXLogEntry.Header
    }

    /// The replay that opening needs; nil when the log holds nothing valid.
    ///
    /// Reads every byte of the log a bounded number of times, whatever is in it: an entry with the start of another
    /// one inside is none.
    func replay() throws(StorageError) -> VHDXReplay? {
        guard length <= Self.sizeLimit else {
            throw .vhdx(
                .unsupported, .logTooLarge, "the log that has to be replayed has \(length) bytes",
                structure: "header", field: "LogLength")
        }
        let candidates = try self.candidates()
        var valid: [UInt64: Entry] = [:]
        for (index, entry) in candidates.enumerated() {
            let next = candidates[(index + 1) % candidates.count]
            let room = candidates.count == 1 ? length : (next.position + length - entry.position) % length
            guard UInt64(entry.header.length) <= room, try isSound(entry) else { continue }
            valid[entry.position] = entry
        }
        guard let sequence = activeSequence(valid) else { return nil }
        return try collect(sequence)
    }

    /// Every place where an entry of this log may begin, in order.
    private func candidates() throws(StorageError) -> [Entry] {
        var found: [Entry] = []
        var position: UInt64 = 0
        while position < length {
            let count = Int(min(length - position, 1 << 20))
            let bytes = try file.bytes(at: range.lowerBound + position, count: count)
            for at in stride(from: 0, to: count, by: VHDXLogEntry.sectorSize) {
                let sector = bytes.span8.extracting(at..<min(at + VHDXLogEntry.sectorSize, count))
                if let header = VHDXLogEntry.Header(sector, guid: guid, logLength: length) {
                    found.append(Entry(position: position + UInt64(at), header: header))
                }
            }
            position += UInt64(count)
        }
        return found
    }

    private func isSound(_ entry: Entry) throws(StorageError) -> Bool {
        let bytes = try content(entry)
        return VHDXChecksum.isRight(bytes, field: 4) && VHDXLogEntry.changes(bytes, entry.header) != nil
    }

    /// The entry's bytes; the log is a ring.
    private func content(_ entry: Entry) throws(StorageError) -> [UInt8] {
        let count = UInt64(entry.header.length)
        let first = min(count, length - entry.position)
        var bytes = try file.bytes(at: range.lowerBound + entry.position, count: Int(first))
        if first < count { bytes += try file.bytes(at: range.lowerBound, count: Int(count - first)) }
        return bytes
    }

    /// The sequence whose last entry has the highest number, from that entry's tail on.
    private func activeSequence(_ valid: [UInt64: Entry]) -> [Entry]? {
        func follower(of entry: Entry) -> Entry? {
            let position = (entry.position + UInt64(entry.header.length)) % length
            guard let next = valid[position], next.header.sequence == entry.header.sequence &+ 1 else {
                return nil
            }
            return next
        }
        // Heads of chains: nobody's followers. Numbers rise along a chain, so it cannot close.
        let followers = Set(valid.values.compactMap { follower(of: $0)?.position })
        var best: [Entry]?
        for start in valid.values where !followers.contains(start.position) {
            var chain = [start]
            while let last = chain.last, let next = follower(of: last) { chain.append(next) }
            guard let last = chain.last,
                let tail = chain.firstIndex(where: { $0.position == UInt64(last.header.tail) })
            else { continue }
            if let known = best?.last, known.header.sequence >= last.header.sequence { continue }
            best = Array(chain[tail...])
        }
        return best
    }

    private func collect(_ sequence: [Entry]) throws(StorageError) -> VHDXReplay {
        var replay = VHDXReplay()
        for entry in sequence {
            let bytes = try content(entry)
            for change in VHDXLogEntry.changes(bytes, entry.header) ?? [] {
                let target = change.range
                guard !target.isEmpty else { continue }
                // Below 192 KiB lie the identifier and the headers, which are never logged.
                guard target.lowerBound % 4096 == 0, target.upperBound % 4096 == 0,
                    target.lowerBound >= VHDXRegions.offsets[0], !target.overlaps(range)
                else {
                    throw .vhdx(
                        .corrupt, .logEntry,
                        "an entry changes bytes at \(target.lowerBound.hex), which must not be logged",
                        structure: "log", offset: range.lowerBound + entry.position)
                }
                replay.add(change)
                guard replay.zeroCount <= VHDXReplay.zeroLimit else {
                    throw .vhdx(
                        .unsupported, .logTooLarge, "the log zeroes more ranges than any writer does",
                        structure: "log", offset: range.lowerBound + entry.position)
                }
            }
            replay.fileSize = max(replay.fileSize, entry.header.lastFileOffset)
            guard entry.header.flushedFileOffset <= file.byteCount else {
                throw .vhdx(
                    .corrupt, .fileTruncated,
                    "the log was written when the file had \(entry.header.flushedFileOffset) bytes, and it has "
                        + "\(file.byteCount); it was truncated", structure: "log",
                    offset: range.lowerBound + entry.position)
            }
        }
        return replay
    }
}
