package import Storage

extension CodecID {
    /// LZ4's legacy frames, which Linux unpacks.
    package static let lz4Legacy = CodecID("lz4-legacy")
    /// LZ4 frames (LZ4 Frame Format 1.6.4), which it does not.
    package static let lz4Frame = CodecID("lz4-frame")
}

extension Codec {
    /// Without a mark at the end, and without a checksum.
    package static let lz4Legacy = Codec(
        id: .lz4Legacy, signature: LZ4LegacyFormat.magic, joinsStreams: true, marksEnd: false, levels: 1...12,
        defaultLevel: 9,
        decoder: { () throws(StorageError) in BlockDecoder<LZ4LegacyFormat>() },
        encoder: { (level) throws(StorageError) in BlockEncoder(LZ4LegacyWriter(level: level)) })

    package static let lz4Frame = Codec(
        id: .lz4Frame, signature: [0x04, 0x22, 0x4d, 0x18], joinsStreams: true, levels: 0...12,
        defaultLevel: 0,
        decoder: { () throws(StorageError) in try LZ4FrameDecoder() },
        encoder: { (level) throws(StorageError) in BlockEncoder(try LZ4FrameWriter(level: level)) })
}
