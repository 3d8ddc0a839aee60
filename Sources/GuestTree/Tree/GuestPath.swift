internal import Storage

/// A path in a guest: bytes, because nothing says that a guest's names are text. Slashes divide it into names; one at
/// its beginning makes it absolute.
///
///     let hosts: GuestPath = "/etc/hosts"
///     GuestPath.root.appending(name)
public struct GuestPath: Hashable, Sendable {
    /// The bytes as they were given.
    public var bytes: [UInt8]

    /// A path of these bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// A path of a string's bytes, which `String.init(hostBytes:)` may have made.
    public init(_ text: String) { bytes = text.hostBytes }

    /// The absolute path of names below the root; of none, the root's.
    public init(names: some Sequence<[UInt8]>) {
        bytes = []
        for name in names { bytes += [Self.slash] + name }
        if bytes.isEmpty { bytes = [Self.slash] }
    }

    /// "/".
    public static let root = GuestPath([slash])

    /// What divides names.
    public static let slash = UInt8(ascii: "/")

    /// The name that stands for the directory itself.
    public static let here = [UInt8(ascii: ".")]

    /// The name that stands for the directory above.
    public static let above = [UInt8(ascii: "."), UInt8(ascii: ".")]

    /// Its names in their order, "." and ".." among them; empty ones, between two slashes, are none.
    public var components: [[UInt8]] { bytes.split(separator: Self.slash).map(Array.init) }

    /// The last of its names; nil when it has none.
    public var lastComponent: [UInt8]? {
        guard let end = bytes.lastIndex(where: { $0 != Self.slash }) else { return nil }
        let start = bytes[...end].lastIndex(of: Self.slash).map { $0 + 1 } ?? 0
        return Array(bytes[start...end])
    }

    /// It begins with a slash.
    public var isAbsolute: Bool { bytes.first == Self.slash }

    /// It names the root without any name.
    public var isRoot: Bool { !bytes.isEmpty && bytes.allSatisfy { $0 == Self.slash } }

    /// It names a directory by a slash at its end, and is not the root.
    public var endsInSlash: Bool { bytes.last == Self.slash && !isRoot }

    /// The same without slashes at its end; the root keeps one.
    public var withoutSlash: GuestPath {
        guard let end = bytes.lastIndex(where: { $0 != Self.slash }) else { return self }
        return GuestPath(Array(bytes[...end]))
    }

    /// The path of `name`, which may be several with slashes between them, in the directory that this is the path of.
    public func appending(_ name: some Collection<UInt8>) -> GuestPath {
        GuestPath(bytes.last == Self.slash ? bytes + name : bytes + [Self.slash] + name)
    }

    /// Whether it lies below `directory` by its bytes; both without "." and "..", and without a slash at their ends.
    public func isBelow(_ directory: GuestPath) -> Bool {
        if directory.isRoot { return isAbsolute && !isRoot }
        return bytes.count > directory.bytes.count && bytes[directory.bytes.count] == Self.slash
            && bytes.starts(with: directory.bytes)
    }

    /// What of the path comes after `directory`, which it begins with: names with slashes between them, none at the
    /// beginning; empty for the directory itself.
    public func relative(to directory: GuestPath) -> ArraySlice<UInt8> {
        bytes.dropFirst(directory.bytes.count).drop { $0 == Self.slash }
    }

    /// For people, as `displayText` shows bytes.
    public var displayText: String { bytes.displayText }

    /// For people who may give it back to a shell.
    public var shellText: String { bytes.shellText }
}

extension GuestPath: ExpressibleByStringLiteral, CustomStringConvertible {
    /// A path of a literal's UTF-8.
    public init(stringLiteral text: String) { bytes = Array(text.utf8) }

    /// As `displayText`.
    public var description: String { bytes.displayText }
}
