internal import Storage

/// The name of an extended attribute as it is kept: its name space is a flag.
struct AttributeName: Equatable, Sendable {
    var flags: RawAttribute.Flags
    var name: [UInt8]

    private static let prefixes: [(prefix: [UInt8], flags: RawAttribute.Flags)] = [
        (Array("user.".utf8), []), (Array("trusted.".utf8), .trusted), (Array("security.".utf8), .secure),
    ]

    /// From a full name; nil when it is in no name space that XFS has, or cannot be one.
    init?(fullName: [UInt8]) {
        let kept = AccessControl.keptName(fullName) ?? fullName
        guard let space = Self.prefixes.first(where: { kept.starts(with: $0.prefix) }) else { return nil }
        name = Array(kept[space.prefix.count...])
        flags = space.flags
        guard (1...255).contains(name.count), !name.contains(0) else { return nil }
    }
}
