package import Storage

/// Decodes a stream of any length from wherever its bytes come from, in bounded memory.
package struct DecodedStream: ~Copyable {
    /// Fills its argument with the bytes that follow, as far as there are any, and says how many there were; 0 at the
    /// end.
    package typealias Source = (_ buffer: inout MutableRawSpan) throws(StorageError) -> Int

    /// The encoding.
    package let codec: Codec
    /// How many bytes of the source belong to what was decoded so far. At the end it tells where the stream ended:
    /// other bytes may lie behind it.
    package private(set) var consumedByteCount: UInt64 = 0
    /// How many bytes came out so far.
    package private(set) var producedByteCount: UInt64 = 0

    private let limit: UInt64
    private let source: Source
    private let decoder: any StreamDecoder
    private var buffer = ByteBuffer(byteCount: 64 << 10)
    /// What of the buffer was not decoded yet.
    private var held = 0..<0
    private var isSourceEmpty = false
    private var isComplete = false

    /// One stream of `codec` that decodes to at most `limit` bytes.
    package init(_ codec: Codec, limit: UInt64, source: @escaping Source) throws(StorageError) {
        self.codec = codec
        self.limit = limit
        self.source = source
        decoder = try codec.makeDecoder()
    }

    /// Bytes of the source that were read from it and lie behind the end of the stream.
    package var bytesBehindEnd: [UInt8] { isComplete ? buffer.bytes.array(held) : [] }

    /// Fills all of `target` as long as there is something for it, and says how many bytes there were; 0 at the end.
    ///
    /// Throws `corrupt` when the stream is damaged or cut short, and when it decodes to more than the limit.
    package mutating func read(into target: inout MutableRawSpan) throws(StorageError) -> Int {
        let source = source
        var filled = 0
        while filled < target.byteCount, !isComplete {
            if held.isEmpty, !isSourceEmpty {
                var room = buffer.mutableBytes
                held = 0..<(try source(&room))
                isSourceEmpty = held.isEmpty
            }
            let step: CoderStep
            do {
                var room = target.part(filled..<target.byteCount)
                step = try decoder.decode(
                    buffer.bytes.extracting(held), into: &room, isLast: isSourceEmpty)
            }
            held = held.lowerBound + step.consumed..<held.upperBound
            consumedByteCount += UInt64(step.consumed)
            filled += step.produced
            producedByteCount += UInt64(step.produced)
            guard producedByteCount <= limit else {
                throw .codec(.corrupt, .tooLong, codec.id, "decodes to more than \(limit) bytes")
            }
            isComplete = step.isEnd
            // With more to take and room for it, every decoder does something.
            if step == CoderStep(consumed: 0, produced: 0, isEnd: false), isSourceEmpty || !held.isEmpty {
                throw codec.cutShort
            }
        }
        return filled
    }

    /// Up to `count` of the bytes that follow, and fewer only at the end. `count` is the caller's, not an image's.
    package mutating func bytes(_ count: Int) throws(StorageError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        var span = result.mutableSpan
        var target = unsafe span.mutableBytes
        let filled = try read(into: &target)
        result.removeLast(count - filled)
        return result
    }
}
