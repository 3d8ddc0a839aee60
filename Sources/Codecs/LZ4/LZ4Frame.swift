internal import CLz4
internal import Storage

/// liblz4's decoder of frames. Its memory is a few blocks, of up to 4 MiB.
@safe
final class LZ4FrameDecoder: StreamDecoder {
    private let context: OpaquePointer

    init() throws(StorageError) {
        var made: OpaquePointer?
        guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&made, UInt32(LZ4F_VERSION))) == 0,
            let context = unsafe made
        else { throw .codec(.io, .noMemory, .lz4Frame, "there is no memory for decoding") }
        unsafe self.context = context
    }

    deinit { unsafe _ = LZ4F_freeDecompressionContext(context) }

    func reset() throws(StorageError) { unsafe LZ4F_resetDecompressionContext(context) }

    func decode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        let (left, step) = unsafe output.withUnsafeMutableBytes { target in
            unsafe input.withUnsafeBytes { source in
                var taken = source.count
                var made = target.count
                let left = unsafe LZ4F_decompress(
                    context, target.baseAddress, &made, source.baseAddress, &taken, nil)
                return (left, CoderStep(consumed: taken, produced: made, isEnd: false))
            }
        }
        guard LZ4F_isError(left) == 0 else {
            // Errors are the negative numbers of LZ4F_errorCodes, which its header keeps to itself: allocation_failed.
            guard left != -9 else {
                throw .codec(.io, .noMemory, .lz4Frame, "there is no memory for decoding")
            }
            throw .codec(.corrupt, .damaged, .lz4Frame, "does not decompress")
        }
        return CoderStep(
            consumed: step.consumed, produced: step.produced,
            isEnd: left == 0 && (step.consumed > 0 || step.produced > 0))
    }
}

/// Makes frames of blocks of 64 KiB, with a checksum of the contents.
@safe
final class LZ4FrameWriter: BlockWriter {
    private let context: OpaquePointer
    private let level: Int
    var blockLength: Int { 64 << 10 }

    init(level: Int) throws(StorageError) {
        self.level = level
        var made: OpaquePointer?
        guard unsafe LZ4F_isError(LZ4F_createCompressionContext(&made, UInt32(LZ4F_VERSION))) == 0,
            let context = unsafe made
        else { throw .codec(.io, .noMemory, .lz4Frame, "there is no memory for encoding") }
        unsafe self.context = context
    }

    deinit { unsafe _ = LZ4F_freeCompressionContext(context) }

    private var preferences: LZ4F_preferences_t {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.compressionLevel = Int32(level)
        preferences.autoFlush = 1
        return preferences
    }

    func start() throws(StorageError) -> [UInt8] {
        var preferences = preferences
        return try unsafe filled(room: Int(LZ4F_HEADER_SIZE_MAX)) { target, room in
            unsafe LZ4F_compressBegin(context, target, room, &preferences)
        }
    }

    func block(_ bytes: RawSpan) throws(StorageError) -> [UInt8] {
        var preferences = preferences
        return try unsafe filled(room: unsafe LZ4F_compressBound(bytes.byteCount, &preferences)) {
            target, room in
            unsafe bytes.withUnsafeBytes { source in
                unsafe LZ4F_compressUpdate(context, target, room, source.baseAddress, source.count, nil)
            }
        }
    }

    func end() throws(StorageError) -> [UInt8] {
        var preferences = preferences
        return try unsafe filled(room: unsafe LZ4F_compressBound(0, &preferences)) { target, room in
            unsafe LZ4F_compressEnd(context, target, room, nil)
        }
    }

    private func filled(
        room: Int, _ call: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(StorageError) -> [UInt8] {
        var made = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            unsafe made = call(UnsafeMutableRawPointer(target.baseAddress), room)
            count = LZ4F_isError(made) == 0 ? made : 0
        }
        guard LZ4F_isError(made) == 0 else { throw .codec(.io, .noMemory, .lz4Frame, "the encoder failed") }
        return bytes
    }
}
