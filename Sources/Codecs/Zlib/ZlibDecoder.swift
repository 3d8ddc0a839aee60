internal import CZlib
internal import Storage

/// zlib's inflate. Its memory is about 40 KiB.
@safe
final class ZlibDecoder: RestartableDecoder {
    private let id: CodecID
    // zlib's state points back at the structure: it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// `windowBits` as inflateInit2 takes them: they name the wrapping too.
    init(_ id: CodecID, windowBits: Int32) throws(StorageError) {
        self.id = id
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard
            unsafe inflateInit2_(
                stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .codec(.io, .noMemory, id, "there is no memory for decoding") }
    }

    private init(copying other: ZlibDecoder) throws(StorageError) {
        id = other.id
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe inflateCopy(stream, other.stream) == Z_OK else {
            throw .codec(.io, .noMemory, id, "there is no memory for decoding")
        }
    }

    func copy() throws(StorageError) -> any StreamDecoder { try ZlibDecoder(copying: self) }

    deinit {
        unsafe _ = inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func reset() throws(StorageError) {
        guard unsafe inflateReset(stream) == Z_OK else {
            throw .codec(.io, .noMemory, id, "the decoder cannot be used again")
        }
    }

    func decode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        // Told that nothing follows, zlib decodes straight into the output and keeps no window.
        let (status, step) = unsafe ZlibStep.run(stream, input, &output) { stream in
            unsafe inflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        }
        switch status {
        case Z_STREAM_END: return CoderStep(consumed: step.consumed, produced: step.produced, isEnd: true)
        case Z_OK, Z_BUF_ERROR: return step
        case Z_MEM_ERROR: throw .codec(.io, .noMemory, id, "there is no memory for decoding")
        default: throw .codec(.corrupt, .damaged, id, "does not decompress")
        }
    }
}

/// One call of zlib over spans.
enum ZlibStep {
    static func run(
        _ stream: UnsafeMutablePointer<z_stream>, _ input: RawSpan, _ output: inout MutableRawSpan,
        _ call: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (status: Int32, step: CoderStep) {
        // zlib counts in 32 bits; what is left over is given again.
        let given = min(input.byteCount, Int(Int32.max))
        let room = min(output.byteCount, Int(Int32.max))
        // It insists on addresses, also of nothing.
        var nothing: UInt8 = 0
        return unsafe withUnsafeMutablePointer(to: &nothing) { nowhere in
            unsafe output.withUnsafeMutableBytes { target in
                unsafe input.withUnsafeBytes { source in
                    unsafe stream.pointee.next_in =
                        source.baseAddress.map {
                            unsafe UnsafeMutablePointer(
                                mutating: $0.assumingMemoryBound(to: UInt8.self))
                        } ?? nowhere
                    unsafe stream.pointee.avail_in = UInt32(given)
                    unsafe stream.pointee.next_out =
                        target.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nowhere
                    unsafe stream.pointee.avail_out = UInt32(room)
                    let status = unsafe call(stream)
                    let step = unsafe CoderStep(
                        consumed: given - Int(stream.pointee.avail_in),
                        produced: room - Int(stream.pointee.avail_out), isEnd: false)
                    return (status, step)
                }
            }
        }
    }
}
