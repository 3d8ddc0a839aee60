import Glibc

/// A shell's pattern for a file's name: `*`, `?`, `[a-z]` and `\` (fnmatch(3)), byte by byte.
struct NamePattern {
    private let bytes: [CChar]

    /// The pattern of these bytes, of which none is NUL.
    init(_ bytes: [UInt8]) { self.bytes = bytes.map(CChar.init(bitPattern:)) + [0] }

    /// Whether all of a name fits. Names of files hold no NUL.
    func matches(_ name: [UInt8]) -> Bool {
        let name = name.map(CChar.init(bitPattern:)) + [0]
        // Both end with NUL, and fnmatch keeps neither.
        return unsafe fnmatch(bytes, name, 0) == 0
    }
}
