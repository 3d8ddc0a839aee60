internal import Storage

/// Places of a compressed file where decoding can begin, in ascending order, the first byte among them. There are
/// so many of them and no more, whatever the file's length: when they are too many every second one goes.
struct CompressedRestarts {
    /// A place, and how a decoder comes to stand there.
    struct Restart {
        /// Bytes that came out before it.
        let output: UInt64
        private let kept: CompressedCursor?
        private let codec: Codec
        private let input: UInt64
        private let isSalvage: Bool

        /// Where the decoder `kept` stands.
        init(_ kept: CompressedCursor) {
            output = kept.output
            input = kept.input
            codec = kept.codec
            isSalvage = false
            self.kept = kept
        }

        /// Where a stream begins.
        init(_ codec: Codec, input: UInt64, output: UInt64, isSalvage: Bool) {
            self.codec = codec
            self.input = input
            self.output = output
            self.isSalvage = isSalvage
            kept = nil
        }

        /// A decoder that stands there.
        func cursor() throws(StorageError) -> CompressedCursor {
            if let copy = try kept?.copy() { return copy }
            return try CompressedCursor(codec, at: input, output: output, isSalvage: isSalvage)
        }
    }

    private var places: [Restart]
    private var spacing: UInt64 = 1 << 20
    private let codec: Codec
    private let isSalvage: Bool

    /// Decoders that are kept; each of gzip's takes about 40 KiB.
    private static let decoderLimit = 128
    /// Starts of streams, a few words each.
    private static let streamLimit = 65_536

    init(_ codec: Codec, isSalvage: Bool) {
        self.codec = codec
        self.isSalvage = isSalvage
        places = [Restart(codec, input: 0, output: 0, isSalvage: isSalvage)]
    }

    /// The first byte's.
    var first: Restart { Restart(codec, input: 0, output: 0, isSalvage: isSalvage) }

    /// The last place that is not behind byte `output` of what comes out.
    func last(before output: UInt64) -> Restart {
        let next = places.firstIndex(sortedBy: { $0.output > output })
        return next > 0 ? places[next - 1] : first
    }

    /// Keeps where `cursor` stands, or where the stream that it is in begins, if that is far enough from the last one.
    mutating func note(_ cursor: CompressedCursor) throws(StorageError) {
        let last = places.last?.output ?? 0
        let start = cursor.streamStart
        if start.output >= last + spacing {
            places.append(
                Restart(codec, input: start.input, output: start.output, isSalvage: isSalvage))
            thin(Self.streamLimit)
        } else if cursor.output >= last + spacing, let copy = try cursor.copy() {
            places.append(Restart(copy))
            thin(Self.decoderLimit)
        }
    }

    private mutating func thin(_ limit: Int) {
        guard places.count > limit else { return }
        places = places.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        spacing *= 2
    }
}
