internal import CLzo
package import Storage

extension CodecID {
    /// The container of the lzop program, with LZO1X in it.
    package static let lzo = CodecID("lzo")
}

extension Codec {
    package static let lzo = Codec(
        id: .lzo, signature: LZOFormat.magic, joinsStreams: false, levels: 1...1, defaultLevel: 1,
        decoder: { () throws(StorageError) in
            try LZOLibrary.begin()
            return BlockDecoder<LZOFormat>()
        },
        encoder: { (_) throws(StorageError) in
            try LZOLibrary.begin()
            return BlockEncoder(LZOWriter())
        })
}

/// liblzo2, behind spans.
enum LZOLibrary {
    static func begin() throws(StorageError) {
        guard clzo_init() == LZO_E_OK else {
            throw .codec(.io, .noMemory, .lzo, "the library does not start")
        }
    }

    static func adler32(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { source in
            unsafe lzo_adler32(1, source.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(source.count))
        }
    }

    /// `bytes` decoded to exactly `count` bytes; nil when they do not.
    static func decode(_ bytes: RawSpan, count: Int) -> [UInt8]? {
        var status: Int32 = 0
        let output = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, made in
            var length = UInt(count)
            unsafe bytes.withUnsafeBytes { source in
                unsafe status = lzo1x_decompress_safe(
                    source.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(source.count),
                    target.baseAddress, &length, nil)
            }
            made = status == LZO_E_OK ? min(Int(length), count) : 0
        }
        return output.count == count ? output : nil
    }

    /// `bytes` by LZO1X-1; nil when that fails.
    static func encode(_ bytes: RawSpan) -> [UInt8]? {
        let room = bytes.byteCount + bytes.byteCount / 16 + 67
        var status: Int32 = 0
        let memory = UnsafeMutableRawPointer.allocate(byteCount: clzo_work_size(), alignment: 16)
        defer { unsafe memory.deallocate() }
        let output = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, made in
            var length = UInt(room)
            unsafe bytes.withUnsafeBytes { source in
                unsafe status = lzo1x_1_compress(
                    source.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(source.count),
                    target.baseAddress, &length, memory)
            }
            made = status == LZO_E_OK ? min(Int(length), room) : 0
        }
        return status == LZO_E_OK ? output : nil
    }
}
