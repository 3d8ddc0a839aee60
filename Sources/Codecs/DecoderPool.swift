package import Storage
internal import Synchronization

/// Decoders that wait for work, so that many short streams cost no setting up each. Safe from many threads.
package final class DecoderPool: Sendable {
    // A decoder that lies here has no other owner.
    private struct Idle: @unchecked Sendable {
        let id: CodecID
        let decoder: any StreamDecoder
    }

    private let idle = Mutex<[Idle]>([])
    /// More are not kept: so many threads do not decode at once.
    private static let limit = 16

    /// An empty pool.
    package init() {}

    /// Fills `target` from `input`; see `Codec.decode(_:into:by:)`.
    package func decode(
        _ input: RawSpan, by codec: Codec, into target: inout MutableRawSpan
    ) throws(StorageError) -> Int {
        let waiting = idle.withLock { idle -> Idle? in
            idle.lastIndex { $0.id == codec.id }.map { idle.remove(at: $0) }
        }
        let decoder: any StreamDecoder
        if let waiting {
            decoder = waiting.decoder
            try decoder.reset()
        } else {
            decoder = try codec.makeDecoder()
        }
        // One that threw is not used again.
        let filled = try codec.decode(input, into: &target, by: decoder)
        let done = Idle(id: codec.id, decoder: decoder)
        idle.withLock { idle in
            if idle.count < Self.limit { idle.append(done) }
        }
        return filled
    }
}
