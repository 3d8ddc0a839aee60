package import Storage

/// A compressed encoding: how a stream of it is known, decoded and made.
///
/// A codec is a file in a folder of its own with an extension of this type, and a line in `all`.
package struct Codec: Sendable {
    /// Its name, by which extents refer to it.
    package let id: CodecID
    /// The bytes that every stream begins with; nil when there are none to know it by.
    package let signature: [UInt8]?
    /// Whether streams may follow each other and mean one stream (gzip's members, Zstandard's frames).
    package let joinsStreams: Bool
    /// Whether a stream tells where it ends. One that does not takes all that follows it for its own.
    package let marksEnd: Bool
    /// The levels that its encoder takes.
    package let levels: ClosedRange<Int>
    /// The level when none is asked for.
    package let defaultLevel: Int

    private let decoder: @Sendable () throws(StorageError) -> any StreamDecoder
    private let encoder: @Sendable (_ level: Int) throws(StorageError) -> any StreamEncoder

    /// Describes a codec. `encoder` is called with one of `levels`.
    package init(
        id: CodecID, signature: [UInt8]?, joinsStreams: Bool, marksEnd: Bool = true,
        levels: ClosedRange<Int>, defaultLevel: Int,
        decoder: @escaping @Sendable () throws(StorageError) -> any StreamDecoder,
        encoder: @escaping @Sendable (_ level: Int) throws(StorageError) -> any StreamEncoder
    ) {
        self.id = id
        self.signature = signature
        self.joinsStreams = joinsStreams
        self.marksEnd = marksEnd
        self.levels = levels
        self.defaultLevel = defaultLevel
        self.decoder = decoder
        self.encoder = encoder
    }

    /// Every codec that is built in.
    package static let all: [Codec] = [
        .deflate, .zlib, .gzip, .zstd, .xz, .lzma, .bzip2, .lz4Legacy, .lz4Frame, .lzo,
    ]

    /// The codec called `id`, or `unsupported`.
    package static func named(_ id: CodecID) throws(StorageError) -> Codec {
        guard let codec = all.first(where: { $0.id == id }) else {
            throw .codec(.unsupported, .unknown, id, "this encoding is not built in")
        }
        return codec
    }

    /// The codec whose streams begin as `head` does; nil when none says so.
    package static func recognised(by head: RawSpan) -> Codec? {
        for codec in all {
            if let signature = codec.signature, head.matches(signature) { return codec }
        }
        return nil
    }

    /// A decoder for one stream.
    package func makeDecoder() throws(StorageError) -> any StreamDecoder { try decoder() }

    /// An encoder for one stream. Throws `misuse` for a level that is none of `levels`.
    package func makeEncoder(level: Int? = nil) throws(StorageError) -> any StreamEncoder {
        let level = level ?? defaultLevel
        guard levels.contains(level) else {
            throw .codec(
                .misuse, .badLevel, id,
                "compression level \(level) is not between \(levels.lowerBound) and \(levels.upperBound)")
        }
        return try encoder(level)
    }
}
