package import Storage

extension Codec {
    /// Fills `target` from the start of `input`, and returns how many bytes there were for it. Streams that follow
    /// each other are one where the encoding says so; what lies behind them is not looked at. What there is no room for is
    /// decoded for the checksum behind it, in encodings that have one.
    ///
    /// `decoder` is one of this codec's, new or reset.
    package func decode(
        _ input: RawSpan, into target: inout MutableRawSpan, by decoder: any StreamDecoder
    ) throws(StorageError) -> Int {
        var taken = 0
        var filled = 0
        while filled < target.byteCount {
            let rest = input.extracting(taken..<input.byteCount)
            var room = target.part(filled..<target.byteCount)
            let step = try decoder.decode(rest, into: &room, isLast: true)
            taken += step.consumed
            filled += step.produced
            if step.isEnd {
                guard joinsStreams, filled < target.byteCount, taken < input.byteCount else { break }
                try decoder.reset()
            } else if step.consumed == 0, step.produced == 0 {
                throw cutShort
            } else if filled == target.byteCount, endsInChecksum {
                try verifyEnd(input.extracting(taken..<input.byteCount), by: decoder)
            }
        }
        return filled
    }

    /// The most that a stream may go on for behind the room that there is: a unit that the end of a disk cuts.
    private static let surplusLimit = 2 << 20

    /// Takes the rest of a stream when there is no room any more: one whose damage makes it longer has its checksum there.
    private func verifyEnd(_ rest: RawSpan, by decoder: any StreamDecoder) throws(StorageError) {
        var taken = 0
        var surplus = 0
        var spare = [UInt8](repeating: 0, count: 4096)
        while true {
            let rest = rest.extracting(taken..<rest.byteCount)
            let step = try spare.withMutableBytes { (room) throws(StorageError) in
                try decoder.decode(rest, into: &room, isLast: true)
            }
            guard !step.isEnd else { return }
            guard step.consumed > 0 || step.produced > 0 else { throw cutShort }
            taken += step.consumed
            surplus += step.produced
            guard surplus <= Self.surplusLimit else {
                throw .codec(.corrupt, .tooLong, id, "decodes to more than it should hold")
            }
        }
    }

    /// Everything that `input` decodes to; streams that follow each other are one where the encoding says so.
    ///
    /// Throws `corrupt` when it is damaged, is cut short, has other bytes behind it, or decodes to more than `limit`
    /// bytes. Memory grows with what comes out, never with what a header says.
    package func decode(_ input: RawSpan, limit: Int) throws(StorageError) -> [UInt8] {
        let decoder = try makeDecoder()
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: max(min(limit, 64 << 10), 1))
        var taken = 0
        while true {
            let rest = input.extracting(taken..<input.byteCount)
            let step = try chunk.withMutableBytes { (room) throws(StorageError) in
                try decoder.decode(rest, into: &room, isLast: true)
            }
            guard step.produced <= limit - result.count else {
                throw .codec(.corrupt, .tooLong, id, "decodes to more than \(limit) bytes")
            }
            taken += step.consumed
            result += chunk[..<step.produced]
            if step.isEnd {
                guard taken < input.byteCount else { return result }
                guard joinsStreams else {
                    throw .codec(.corrupt, .damaged, id, "other bytes lie behind the end of the stream")
                }
                try decoder.reset()
            } else if step.consumed == 0, step.produced == 0 {
                throw cutShort
            }
        }
    }

    /// `input` as one stream.
    ///
    /// `encoder` is one of this codec's, new or reset. Nil when the stream would not be shorter than `limit` bytes.
    package func encode(
        _ input: RawSpan, by encoder: any StreamEncoder, shorterThan limit: Int
    ) throws(StorageError) -> [UInt8]? {
        guard limit > 0 else { return nil }
        var result = [UInt8](repeating: 0, count: limit)
        var taken = 0
        var filled = 0
        while true {
            let rest = input.extracting(taken..<input.byteCount)
            let step = try result.withMutableBytes { (target) throws(StorageError) in
                var room = target.part(filled..<limit)
                return try encoder.encode(rest, into: &room, isLast: true)
            }
            taken += step.consumed
            filled += step.produced
            guard filled < limit else { return nil }
            if step.isEnd {
                result.removeLast(limit - filled)
                return result
            }
        }
    }

    /// `input` as one stream, at `level` of the encoding's.
    package func encode(_ input: RawSpan, level: Int? = nil) throws(StorageError) -> [UInt8] {
        let encoder = try makeEncoder(level: level)
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var taken = 0
        while true {
            let rest = input.extracting(taken..<input.byteCount)
            let step = try chunk.withMutableBytes { (room) throws(StorageError) in
                try encoder.encode(rest, into: &room, isLast: true)
            }
            taken += step.consumed
            result += chunk[..<step.produced]
            if step.isEnd { return result }
        }
    }

    var cutShort: StorageError {
        .codec(.corrupt, .cutShort, id, "the compressed stream is cut short")
    }
}
