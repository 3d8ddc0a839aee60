public import Storage

/// A file of the guest, as its running system would name it: found by following every symbolic link, across
/// mounts. Two paths that lead to the same file give the same volume and number.
public struct GuestFile: Equatable, Sendable {
    /// The path without any symbolic link in it.
    public var path: GuestPath
    /// Index of the volume it lies on.
    public var volume: Int
    /// Its number there.
    public var id: FileID
    /// What stat(2) tells.
    public var attributes: FileAttributes

    /// Makes a description of a file.
    public init(path: GuestPath, volume: Int, id: FileID, attributes: FileAttributes) {
        self.path = path
        self.volume = volume
        self.id = id
        self.attributes = attributes
    }

    /// The path for people.
    public var displayPath: String { path.displayText }
    /// Which file it is, whatever the path.
    public var key: FileKey { FileKey(volume: volume, id: id) }
}

/// A file's identity over all volumes.
public struct FileKey: Hashable, Sendable {
    /// Index of the volume.
    public var volume: Int
    /// Number of the file there.
    public var id: FileID

    /// Makes an identity.
    public init(volume: Int, id: FileID) {
        self.volume = volume
        self.id = id
    }
}
