internal import CZstd
package import Storage

extension CodecID {
    /// Zstandard frames (RFC 8878): qcow2's clusters, among others.
    package static let zstd = CodecID("zstd")
}

extension Codec {
    package static let zstd = Codec(
        id: .zstd, signature: [0x28, 0xb5, 0x2f, 0xfd], joinsStreams: true, endsInChecksum: true,
        levels: 1...19,
        defaultLevel: 3,
        decoder: { () throws(StorageError) in try ZstdDecoder() },
        encoder: { (level) throws(StorageError) in try ZstdEncoder(level: level) })
}

/// Zstandard's decoder. Frames that want a larger window than 128 MiB are refused, as the zstd command does.
@safe
final class ZstdDecoder: StreamDecoder {
    private let context: OpaquePointer

    init() throws(StorageError) {
        guard let context = unsafe ZSTD_createDCtx() else {
            throw .codec(.io, .noMemory, .zstd, "there is no memory for decoding")
        }
        unsafe self.context = context
    }

    deinit { unsafe _ = ZSTD_freeDCtx(context) }

    func reset() throws(StorageError) {
        guard unsafe ZSTD_isError(ZSTD_DCtx_reset(context, ZSTD_reset_session_only)) == 0 else {
            throw .codec(.io, .noMemory, .zstd, "the decoder cannot be used again")
        }
    }

    func decode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        let (left, step) = unsafe output.withUnsafeMutableBytes { target in
            unsafe input.withUnsafeBytes { source in
                var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                var to = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                let left = unsafe ZSTD_decompressStream(context, &to, &from)
                return unsafe (left, CoderStep(consumed: from.pos, produced: to.pos, isEnd: false))
            }
        }
        switch ZSTD_getErrorCode(left) {
        case ZSTD_error_no_error: break
        case ZSTD_error_memory_allocation:
            throw .codec(.io, .noMemory, .zstd, "there is no memory for decoding")
        case ZSTD_error_frameParameter_windowTooLarge:
            throw .codec(
                .unsupported, .windowTooLarge, .zstd, "needs a window of more than 128 MiB to be decoded")
        default: throw .codec(.corrupt, .damaged, .zstd, "does not decompress")
        }
        // Zero says that a frame is complete, or that there was nothing to begin one with.
        return CoderStep(
            consumed: step.consumed, produced: step.produced,
            isEnd: left == 0 && (step.consumed > 0 || step.produced > 0))
    }
}

/// Zstandard's encoder.
@safe
final class ZstdEncoder: StreamEncoder {
    private let context: OpaquePointer

    init(level: Int) throws(StorageError) {
        guard let context = unsafe ZSTD_createCCtx() else {
            throw .codec(.io, .noMemory, .zstd, "there is no memory for encoding")
        }
        unsafe self.context = context
        let status = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        guard ZSTD_isError(status) == 0 else {
            throw .codec(.misuse, .badLevel, .zstd, "compression level \(level) is not taken")
        }
    }

    deinit { unsafe _ = ZSTD_freeCCtx(context) }

    func reset() throws(StorageError) {
        guard unsafe ZSTD_isError(ZSTD_CCtx_reset(context, ZSTD_reset_session_only)) == 0 else {
            throw .codec(.io, .noMemory, .zstd, "the encoder cannot be used again")
        }
    }

    func encode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        let (left, step) = unsafe output.withUnsafeMutableBytes { target in
            unsafe input.withUnsafeBytes { source in
                var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                var to = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                let left = unsafe ZSTD_compressStream2(
                    context, &to, &from, isLast ? ZSTD_e_end : ZSTD_e_continue)
                return unsafe (left, CoderStep(consumed: from.pos, produced: to.pos, isEnd: false))
            }
        }
        guard ZSTD_isError(left) == 0 else { throw .codec(.io, .noMemory, .zstd, "the encoder failed") }
        return CoderStep(
            consumed: step.consumed, produced: step.produced,
            isEnd: isLast && left == 0 && step.consumed == input.byteCount)
    }
}
