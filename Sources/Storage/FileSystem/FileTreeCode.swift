/// What can be wrong with any file system's tree, and others go by; errors name the kind of file system as their layer.
public enum FileTreeCode: String, LayerCode {
    /// The name of the layer.
    public static let layer = "file system"

    /// A position behind a file's end.
    case outOfRange = "out-of-range"
    /// A name that is to be given is in the directory already.
    case nameTaken = "exists"
    /// No link's target can be read from it.
    case notASymbolicLink = "not-a-symbolic-link"
    /// A name that no path can have.
    case badName = "bad-name"
    /// More than is read at once.
    case fileTooLong = "file-too-long"
    /// A directory where something else is needed.
    case isADirectory = "is-a-directory"
    /// Something else where a directory is needed.
    case notADirectory = "not-a-directory"
    /// A directory would lie in itself.
    case intoItself = "into-itself"
}
