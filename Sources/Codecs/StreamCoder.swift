package import Storage

/// What one call of a coder did.
package struct CoderStep: Equatable, Sendable {
    /// How many bytes of the input it took.
    package var consumed: Int
    /// How many bytes of the output it filled.
    package var produced: Int
    /// The stream is complete. Input behind `consumed` does not belong to it.
    package var isEnd: Bool

    /// Makes a step.
    package init(consumed: Int, produced: Int, isEnd: Bool) {
        self.consumed = consumed
        self.produced = produced
        self.isEnd = isEnd
    }
}

/// Decodes one stream of an encoding, piece by piece. Its memory does not depend on the stream's length. One owner
/// uses it at a time.
package protocol StreamDecoder: AnyObject {
    /// Takes from `input` and fills `output` as far as either goes; what was not taken has to be given again. A step
    /// that did nothing wants more input, or more room.
    ///
    /// `isLast`: the stream has no bytes but these. Throws `corrupt` for bytes that are no such stream.
    func decode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep

    /// Forgets the stream and is ready for another one.
    func reset() throws(StorageError)
}

/// Encodes one stream, piece by piece. One owner uses it at a time.
package protocol StreamEncoder: AnyObject {
    /// Takes from `input` and fills `output` as far as either goes; what was not taken has to be given again.
    ///
    /// `isLast`: nothing follows these bytes. Then it is to be called until the step says that the stream is complete.
    func encode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep

    /// Forgets the stream and is ready for another one.
    func reset() throws(StorageError)
}

/// A decoder whose state can be kept, so that a stream is read again from there and not from its start.
package protocol RestartableDecoder: StreamDecoder {
    /// Another decoder that stands where this one stands. Throws `io` where there is no memory for it.
    func copy() throws(StorageError) -> any StreamDecoder
}
