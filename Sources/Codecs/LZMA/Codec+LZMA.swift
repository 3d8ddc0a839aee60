internal import CLzma
package import Storage

// LZMA in its two wrappings, by liblzma: the .xz format (version 1.2.0), and the header of 13 bytes that came before it
// ("lzma alone": properties, dictionary size, length).

extension CodecID {
    /// .xz streams.
    package static let xz = CodecID("xz")
    /// The older .lzma format, which has no checksum.
    package static let lzma = CodecID("lzma")
}

extension Codec {
    /// Made with CRC-32 as the check: Linux takes no other for an initramfs (lib/xz/xz_dec_stream.c).
    package static let xz = Codec(
        id: .xz, signature: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], joinsStreams: true, levels: 0...6,
        defaultLevel: 6,
        decoder: { () throws(StorageError) in try LZMADecoder(.xz) },
        encoder: { (level) throws(StorageError) in try LZMAEncoder(.xz, level: level) })

    /// Known by the properties that every encoder writes, and a dictionary of whole 64 KiB.
    package static let lzma = Codec(
        id: .lzma, signature: [0x5d, 0, 0], joinsStreams: false, levels: 0...6, defaultLevel: 6,
        decoder: { () throws(StorageError) in try LZMADecoder(.lzma) },
        encoder: { (level) throws(StorageError) in try LZMAEncoder(.lzma, level: level) })
}

/// liblzma's decoder. It takes the memory of the dictionary that the stream names, and refuses more than 128 MiB.
@safe
final class LZMADecoder: StreamDecoder {
    private let id: CodecID
    // liblzma keeps pointers into the structure: it must not move.
    private let stream: UnsafeMutablePointer<lzma_stream>
    private static let memoryLimit: UInt64 = 128 << 20

    init(_ id: CodecID) throws(StorageError) {
        self.id = id
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: lzma_stream())
        try reset()
    }

    deinit {
        unsafe lzma_end(stream)
        unsafe stream.deallocate()
    }

    func reset() throws(StorageError) {
        let status =
            unsafe id == .xz
            ? lzma_stream_decoder(stream, Self.memoryLimit, 0)
            : lzma_alone_decoder(stream, Self.memoryLimit)
        guard status == LZMA_OK else {
            throw .codec(.io, .noMemory, id, "there is no memory for decoding")
        }
    }

    func decode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        var (status, step) = unsafe LZMAStep.run(stream, input, &output, LZMA_RUN)
        switch status {
        case LZMA_STREAM_END: step.isEnd = true
        case LZMA_OK, LZMA_BUF_ERROR: break
        case LZMA_MEM_ERROR: throw .codec(.io, .noMemory, id, "there is no memory for decoding")
        case LZMA_MEMLIMIT_ERROR:
            throw .codec(
                .unsupported, .windowTooLarge, id,
                "needs a dictionary of more than \(Self.memoryLimit >> 20) MiB to be decoded")
        default: throw .codec(.corrupt, .damaged, id, "does not decompress")
        }
        return step
    }
}

/// liblzma's encoder.
@safe
final class LZMAEncoder: StreamEncoder {
    private let id: CodecID
    private let level: UInt32
    private let stream: UnsafeMutablePointer<lzma_stream>
    private var isFinishing = false

    init(_ id: CodecID, level: Int) throws(StorageError) {
        self.id = id
        self.level = UInt32(level)
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: lzma_stream())
        try reset()
    }

    deinit {
        unsafe lzma_end(stream)
        unsafe stream.deallocate()
    }

    func reset() throws(StorageError) {
        isFinishing = false
        var options = unsafe lzma_options_lzma()
        let status: lzma_ret
        if id == .xz {
            unsafe status = lzma_easy_encoder(stream, level, LZMA_CHECK_CRC32)
        } else {
            guard unsafe lzma_lzma_preset(&options, level) == 0 else {
                throw .codec(.misuse, .badLevel, id, "compression level \(level) is not taken")
            }
            unsafe status = lzma_alone_encoder(stream, &options)
        }
        guard status == LZMA_OK else {
            throw .codec(.io, .noMemory, id, "there is no memory for encoding")
        }
    }

    func encode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        var status = LZMA_OK
        var step = CoderStep(consumed: 0, produced: 0, isEnd: false)
        if !isFinishing {
            (status, step) = unsafe LZMAStep.run(stream, input, &output, LZMA_RUN)
        }
        // liblzma wants to see the same rest once it was told that it is the last: it is told when there is none.
        if isLast, step.consumed == input.byteCount, status == LZMA_OK || status == LZMA_BUF_ERROR {
            isFinishing = true
            var room = output.part(step.produced..<output.byteCount)
            let end = unsafe LZMAStep.run(stream, input.extracting(last: 0), &room, LZMA_FINISH)
            status = end.status
            step.produced += end.step.produced
        }
        switch status {
        case LZMA_STREAM_END: step.isEnd = true
        case LZMA_OK, LZMA_BUF_ERROR: break
        default: throw .codec(.io, .noMemory, id, "the encoder failed")
        }
        return step
    }
}

/// One call of liblzma over spans.
private enum LZMAStep {
    static func run(
        _ stream: UnsafeMutablePointer<lzma_stream>, _ input: RawSpan, _ output: inout MutableRawSpan,
        _ action: lzma_action
    ) -> (status: lzma_ret, step: CoderStep) {
        unsafe output.withUnsafeMutableBytes { target in
            unsafe input.withUnsafeBytes { source in
                unsafe stream.pointee.next_in = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_in = source.count
                unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = target.count
                let status = unsafe lzma_code(stream, action)
                let step = unsafe CoderStep(
                    consumed: source.count - stream.pointee.avail_in,
                    produced: target.count - stream.pointee.avail_out, isEnd: false)
                return (status, step)
            }
        }
    }
}
