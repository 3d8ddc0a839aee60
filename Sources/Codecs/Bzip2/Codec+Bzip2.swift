internal import CBzip2
package import Storage

extension CodecID {
    /// bzip2's streams, "BZh".
    package static let bzip2 = CodecID("bzip2")
}

extension Codec {
    package static let bzip2 = Codec(
        id: .bzip2, signature: Array("BZh".utf8), joinsStreams: true, levels: 1...9, defaultLevel: 9,
        decoder: { () throws(StorageError) in try Bzip2Decoder() },
        encoder: { (level) throws(StorageError) in try Bzip2Encoder(level: level) })
}

/// libbz2's decoder. Its memory is under 4 MiB.
@safe
final class Bzip2Decoder: StreamDecoder {
    // libbz2's state points back at the structure: it must not move.
    private let stream: UnsafeMutablePointer<bz_stream>

    init() throws(StorageError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: bz_stream())
        try begin()
    }

    deinit {
        unsafe _ = BZ2_bzDecompressEnd(stream)
        unsafe stream.deallocate()
    }

    private func begin() throws(StorageError) {
        guard unsafe BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else {
            throw .codec(.io, .noMemory, .bzip2, "there is no memory for decoding")
        }
    }

    func reset() throws(StorageError) {
        unsafe _ = BZ2_bzDecompressEnd(stream)
        unsafe stream.pointee = bz_stream()
        try begin()
    }

    func decode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        var (status, step) = unsafe Bzip2Step.run(stream, input, &output) { stream in
            unsafe BZ2_bzDecompress(stream)
        }
        switch status {
        case BZ_STREAM_END: step.isEnd = true
        case BZ_OK: break
        case BZ_MEM_ERROR: throw .codec(.io, .noMemory, .bzip2, "there is no memory for decoding")
        default: throw .codec(.corrupt, .damaged, .bzip2, "does not decompress")
        }
        return step
    }
}

/// libbz2's encoder. Its memory is under 8 MiB.
@safe
final class Bzip2Encoder: StreamEncoder {
    private let level: Int32
    private let stream: UnsafeMutablePointer<bz_stream>

    init(level: Int) throws(StorageError) {
        self.level = Int32(level)
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: bz_stream())
        try begin()
    }

    deinit {
        unsafe _ = BZ2_bzCompressEnd(stream)
        unsafe stream.deallocate()
    }

    private func begin() throws(StorageError) {
        guard unsafe BZ2_bzCompressInit(stream, level, 0, 0) == BZ_OK else {
            throw .codec(.io, .noMemory, .bzip2, "there is no memory for encoding")
        }
    }

    func reset() throws(StorageError) {
        unsafe _ = BZ2_bzCompressEnd(stream)
        unsafe stream.pointee = bz_stream()
        try begin()
    }

    func encode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        guard output.byteCount > 0 else { return CoderStep(consumed: 0, produced: 0, isEnd: false) }
        var step = CoderStep(consumed: 0, produced: 0, isEnd: false)
        // libbz2 takes a call that can do nothing for an error.
        if input.byteCount > 0 {
            let run = unsafe Bzip2Step.run(stream, input, &output) { stream in
                unsafe BZ2_bzCompress(stream, BZ_RUN)
            }
            guard run.status == BZ_RUN_OK else {
                throw .codec(.io, .noMemory, .bzip2, "the encoder failed")
            }
            step = run.step
        }
        // It wants to see the same rest once it was told that it is the last: it is told when there is none.
        guard isLast, step.consumed == input.byteCount, step.produced < output.byteCount else { return step }
        var room = output.part(step.produced..<output.byteCount)
        let end = unsafe Bzip2Step.run(stream, input.extracting(last: 0), &room) { stream in
            unsafe BZ2_bzCompress(stream, BZ_FINISH)
        }
        guard end.status == BZ_FINISH_OK || end.status == BZ_STREAM_END else {
            throw .codec(.io, .noMemory, .bzip2, "the encoder failed")
        }
        step.produced += end.step.produced
        step.isEnd = end.status == BZ_STREAM_END
        return step
    }
}

/// One call of libbz2 over spans.
private enum Bzip2Step {
    static func run(
        _ stream: UnsafeMutablePointer<bz_stream>, _ input: RawSpan, _ output: inout MutableRawSpan,
        _ call: (UnsafeMutablePointer<bz_stream>) -> Int32
    ) -> (status: Int32, step: CoderStep) {
        // libbz2 counts in 32 bits; what is left over is given again.
        let given = min(input.byteCount, Int(Int32.max))
        let room = min(output.byteCount, Int(Int32.max))
        return unsafe output.withUnsafeMutableBytes { target in
            unsafe input.withUnsafeBytes { source in
                unsafe stream.pointee.next_in = source.baseAddress.map {
                    unsafe UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: CChar.self))
                }
                unsafe stream.pointee.avail_in = UInt32(given)
                unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: CChar.self)
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
