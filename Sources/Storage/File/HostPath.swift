/// The parts of a path of the host; nothing is looked up.
public enum HostPath {
    /// The directory part of a path, "." where there is none.
    public static func directory(of path: String) -> String {
        // By bytes: to a string's characters a slash with an accent is no slash.
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component of a path.
    public static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}
