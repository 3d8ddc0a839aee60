public import Storage

/// What can be wrong with a file of the host, besides what calls say.
public enum HostFileCode: String, LayerCode {
    /// The name of the layer.
    public static let layer = "host file"

    /// A name that may not be one of a file beside another.
    case notAPlainName = "not-a-plain-name"
    /// A file beside another is a link, a device, a pipe.
    case notARegularFile = "not-a-regular-file"
    /// Neither a regular file nor a block device.
    case notAFile = "not-a-file"
    /// Somebody has it open who must not be disturbed.
    case locked
    /// The host's kernel works on it.
    case mounted
}

/// What can be wrong with a directory of the host, besides what calls say.
public enum HostDirectoryCode: String, LayerCode {
    /// The name of the layer.
    public static let layer = "host directory"

    /// A name that no file can have.
    case notAPlainName = "not-a-plain-name"
    /// It lies elsewhere than where it was made.
    case moved
}
