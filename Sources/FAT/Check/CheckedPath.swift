internal import Storage

/// The path of the directory that a check is at. One for all levels, put into words where there is something to say: each
/// directory's own would take the square of the depth.
struct CheckedPath {
    private var bytes: [UInt8] = []
    /// How many bytes were gone through to put paths into words.
    private(set) var shownByteCount = 0

    /// No more of a path is shown, from its end: Linux's PATH_MAX.
    static let limit = 4096

    /// Of the directory's path; 0 for the root.
    var length: Int { bytes.count }

    /// Goes into a directory by its name, out of one whose path is that long; without a name into the root.
    mutating func enter(_ name: [UInt8]?, below length: Int) {
        bytes.removeSubrange(min(length, bytes.count)...)
        if let name { bytes += [UInt8(ascii: "/")] + name }
    }

    /// The path of a name in the directory, without one the directory's, for people.
    mutating func text(of name: [UInt8]? = nil) -> String {
        let tail = bytes.suffix(Self.limit)
        var shown = Array(tail)
        if name != nil || bytes.isEmpty { shown += [UInt8(ascii: "/")] + (name ?? []) }
        shownByteCount += shown.count
        return (tail.count < bytes.count ? "…" : "") + shown.shellText
    }
}
