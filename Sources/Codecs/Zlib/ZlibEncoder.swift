internal import CZlib
internal import Storage

/// zlib's deflate. Its memory is about 256 KiB.
@safe
final class ZlibEncoder: StreamEncoder {
    private let id: CodecID
    // zlib's state points back at the structure: it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// `windowBits` as deflateInit2 takes them: they name the wrapping too. `level` is 0 to 9.
    init(_ id: CodecID, level: Int, windowBits: Int32) throws(StorageError) {
        self.id = id
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard
            unsafe deflateInit2_(
                stream, Int32(level), Z_DEFLATED, windowBits, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .codec(.io, .noMemory, id, "there is no memory for encoding") }
    }

    deinit {
        unsafe _ = deflateEnd(stream)
        unsafe stream.deallocate()
    }

    func reset() throws(StorageError) {
        guard unsafe deflateReset(stream) == Z_OK else {
            throw .codec(.io, .noMemory, id, "the encoder cannot be used again")
        }
    }

    func encode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        let isWhole = isLast && input.byteCount <= Int(Int32.max)
        let (status, step) = unsafe ZlibStep.run(stream, input, &output) { stream in
            unsafe deflate(stream, isWhole ? Z_FINISH : Z_NO_FLUSH)
        }
        switch status {
        case Z_STREAM_END: return CoderStep(consumed: step.consumed, produced: step.produced, isEnd: true)
        case Z_OK, Z_BUF_ERROR: return step
        default: throw .codec(.io, .noMemory, id, "the encoder failed")
        }
    }
}
