internal import Storage

/// What can go wrong with a digest.
enum DigestCode: String, LayerCode {
    static let layer = "digest"

    case sha256
}
