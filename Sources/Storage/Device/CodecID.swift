/// The name of a compressed encoding, such as "zlib". Storage only hands it on, from the format that knows how a unit
/// is encoded to whoever decodes it; which names there are is told by `Codecs`.
public struct CodecID: Hashable, Sendable, CustomStringConvertible {
    /// The name, in lower case.
    public let name: String

    /// The encoding called `name`.
    public init(_ name: String) { self.name = name }

    /// The name.
    public var description: String { name }
}
