/// A file system that can be changed. One owner writes.
public protocol WritableFileSystem: FileSystem {
    /// Begins a change. Throws `refused` or `unsupported` when this file system must not be written at all
    /// (errors recorded in it, unknown features, a read-only device).
    func begin() throws(StorageError) -> any FileSystemTransaction
}

/// Operations on one file system, collected in memory. Nothing is written before `PreparedChange.commit`.
public protocol FileSystemTransaction: AnyObject {
    /// Replaces the contents of a regular file; inode, mode, owner and every extended attribute stay,
    /// modification and change time become `now`.
    func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError)
    /// Makes a regular file.
    func createFile(
        _ name: [UInt8], in directory: FileID, contents: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
    /// Makes a directory.
    func createDirectory(
        _ name: [UInt8], in directory: FileID, attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
    /// Makes a symbolic link.
    func createSymbolicLink(
        _ name: [UInt8], in directory: FileID, target: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
    /// Makes a device node, FIFO or socket.
    func createNode(
        _ name: [UInt8], in directory: FileID, type: FileType, device: FileAttributes.DeviceNumber?,
        attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
    /// Makes another name for a file.
    func link(_ file: FileID, as name: [UInt8], in directory: FileID) throws(StorageError)
    /// Removes a name; the file goes with its last one. A directory must be empty.
    func remove(_ name: [UInt8], in directory: FileID) throws(StorageError)
    /// Moves a name, replacing what has the new one as rename(2) does.
    func rename(
        _ name: [UInt8], in directory: FileID, to newName: [UInt8], in newDirectory: FileID
    ) throws(StorageError)
    /// Cuts a regular file or extends it with a hole.
    func truncate(_ file: FileID, to size: UInt64) throws(StorageError)
    /// Writes bytes into a regular file at any offset. Holes get blocks; a file written behind its end grows, with
    /// a hole between.
    func write(_ bytes: [UInt8], to file: FileID, at offset: UInt64) throws(StorageError)
    /// Makes a range of a regular file a hole: whole blocks are given back, the rest is zeroed. The size stays.
    func punchHole(in file: FileID, _ range: Range<UInt64>) throws(StorageError)
    /// chmod, chown, utimes.
    func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError)
    /// Sets an extended attribute by full name; nil removes it.
    func setExtendedAttribute(_ name: [UInt8], of file: FileID, to value: [UInt8]?) throws(StorageError)
    /// Sets the volume's label.
    func setLabel(_ label: [UInt8]) throws(StorageError)

    /// The contents that a file has within this transaction.
    func contents(of file: FileID) throws(StorageError) -> [UInt8]
    /// Looks a name up within this transaction.
    func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID?
    /// What stat tells within this transaction.
    func attributes(of file: FileID) throws(StorageError) -> FileAttributes
    /// The names that a directory has within this transaction, "." and ".." left out.
    func entries(of directory: FileID) throws(StorageError) -> [DirectoryEntry]
    /// Where a symbolic link points within this transaction.
    func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8]
    /// All extended attributes that a file has within this transaction.
    func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute]

    /// The change has grown so far that it is time to commit it and to begin another: it fills much of the journal,
    /// or of the memory that a change should take.
    var shouldBeCommitted: Bool { get }

    /// Checks everything there is to check (space, journal fit, refusals) and lays the writes out.
    func prepare() throws(StorageError) -> any PreparedChange
}

/// A change whose every precondition has been checked.
public protocol PreparedChange: AnyObject {
    /// Nothing would be written.
    var isEmpty: Bool { get }
    /// Blocks that will be written, all phases together.
    var blockWriteCount: Int { get }
    /// Writes, with the barriers that crash safety needs. Fails only on I/O errors.
    func commit() throws(StorageError)
}

/// What a new file starts with.
public struct NewFileAttributes: Sendable {
    /// The low twelve mode bits.
    public var permissions: UInt16
    /// User.
    public var owner: UInt32
    /// Group.
    public var group: UInt32
    /// All of atime, mtime, ctime and creation time; nil: now.
    public var time: Timestamp?
    /// Extended attributes, full names.
    public var extendedAttributes: [ExtendedAttribute]
    /// Makes attributes.
    public init(
        permissions: UInt16, owner: UInt32 = 0, group: UInt32 = 0, time: Timestamp? = nil,
        extendedAttributes: [ExtendedAttribute] = []
    ) {
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.time = time
        self.extendedAttributes = extendedAttributes
    }
}

/// Attributes to set; nil leaves one as it is.
public struct AttributeChange: Sendable {
    /// The low twelve mode bits.
    public var permissions: UInt16?
    /// User.
    public var owner: UInt32?
    /// Group.
    public var group: UInt32?
    /// Last read.
    public var accessTime: Timestamp?
    /// Last change of contents.
    public var modificationTime: Timestamp?
    /// Makes a change.
    public init(
        permissions: UInt16? = nil, owner: UInt32? = nil, group: UInt32? = nil, accessTime: Timestamp? = nil,
        modificationTime: Timestamp? = nil
    ) {
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.accessTime = accessTime
        self.modificationTime = modificationTime
    }
}
