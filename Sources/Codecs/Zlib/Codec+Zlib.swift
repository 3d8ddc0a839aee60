package import Storage

// Deflate in its three wrappings, by zlib. RFC 1950 (zlib), 1951 (deflate), 1952 (gzip).

extension CodecID {
    /// Raw deflate, made with a window of 4 KiB and read with any: qcow2's clusters.
    package static let deflate = CodecID("deflate")
    /// Deflate with zlib's header and Adler-32: VMDK's grains.
    package static let zlib = CodecID("zlib")
    /// Deflate with gzip's header and CRC-32.
    package static let gzip = CodecID("gzip")
}

extension Codec {
    // qemu inflates clusters with a window of 4 KiB (docs/interop/qcow2.txt asks for no more).
    package static let deflate = zlib(.deflate, signature: nil, windowBits: (decoding: -15, encoding: -12))

    package static let zlib = zlib(.zlib, signature: nil, windowBits: (decoding: 15, encoding: 15))

    package static let gzip = zlib(
        .gzip, signature: [0x1f, 0x8b, 8], joinsStreams: true, windowBits: (decoding: 31, encoding: 31))

    private static func zlib(
        _ id: CodecID, signature: [UInt8]?, joinsStreams: Bool = false,
        windowBits: (decoding: Int32, encoding: Int32)
    ) -> Codec {
        Codec(
            id: id, signature: signature, joinsStreams: joinsStreams, endsInChecksum: id != .deflate,
            levels: 0...9,
            defaultLevel: 6,
            decoder: { () throws(StorageError) in try ZlibDecoder(id, windowBits: windowBits.decoding) },
            encoder: { (level) throws(StorageError) in
                try ZlibEncoder(id, level: level, windowBits: windowBits.encoding)
            })
    }
}
