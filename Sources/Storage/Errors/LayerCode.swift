/// A layer's words for what can go wrong: an enumeration for each layer. A raw value is a stable word for scripts and
/// tests, unique within its layer: "l2-table-unaligned".
public protocol LayerCode: Hashable, Sendable, RawRepresentable where RawValue == String {
    /// The layer's name in errors: "qcow2", "gpt", "ext4", "host file"…
    static var layer: String { get }
}

/// A code with the layer that it belongs to, whatever enumeration it came from.
public struct ErrorCode: Hashable, Sendable {
    /// The name of the enumeration's layer.
    public let layer: String
    /// The code's word.
    public let word: String

    /// The code of a layer.
    public init(_ code: some LayerCode) {
        layer = type(of: code).layer
        word = code.rawValue
    }

    init(layer: String, word: String) {
        self.layer = layer
        self.word = word
    }
}
