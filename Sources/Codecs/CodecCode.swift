package import Storage

/// What can go wrong with an encoded stream; the `code` of the error. The layer that is shown is the codec's name.
package enum CodecCode: String, LayerCode, CaseIterable {
    package static var layer: String { "codec" }

    /// The bytes are no stream of this encoding, or a checksum within is wrong.
    case damaged = "damaged-stream"
    /// The stream ends before it is complete.
    case cutShort = "stream-cut-short"
    /// It decodes to more than the caller can use.
    case tooLong = "decoded-too-long"
    /// The library got no memory.
    case noMemory = "no-memory"
    /// Decoding would take more memory than is given to it.
    case windowTooLarge = "window-too-large"
    /// The level is none of the encoding's.
    case badLevel = "bad-level"
    /// No codec of this name is built in.
    case unknown = "unknown-codec"
}

extension StorageError {
    /// An error of codec `id`.
    package static func codec(
        _ kind: Kind, _ code: CodecCode, _ id: CodecID, _ message: String
    ) -> StorageError {
        StorageError(kind, code, message, layerName: id.name)
    }
}
