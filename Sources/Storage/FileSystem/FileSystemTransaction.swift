/// A file system that can be changed. One owner writes.
public protocol WritableFileSystem: FileSystem {
    /// What a change is collected in; it conforms to those of the small protocols below that `capabilities` name.
    associatedtype Transaction: FileSystemTransaction

    /// Begins a change. Throws `refused` or `unsupported` when this file system must not be written at all
    /// (errors recorded in it, unknown features, a read-only device).
    func begin() throws(StorageError) -> Transaction
}

/// Operations on one file system, collected in memory, and the tree as they will leave it. Nothing is written before
/// `PreparedChange.commit`.
public protocol FileSystemTransaction: FileTree {
    /// The change has grown so far that it is time to commit it and to begin another: it fills much of the journal,
    /// or of the memory that a change should take.
    var shouldBeCommitted: Bool { get }

    /// Checks everything there is to check (space, journal fit, refusals) and lays the writes out.
    func prepare() throws(StorageError) -> any PreparedChange
}

/// Replaces what files hold.
public protocol ContentsTransaction: FileSystemTransaction {
    /// Replaces the contents of a regular file; key, mode, owner and every extended attribute stay, modification and
    /// change time become `now`.
    func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError)
}

/// What a change does to a volume's space.
package struct SpaceChange: Sendable {
    /// The length of the contents that it brings, in bytes.
    package var new: UInt64
    /// Of those that go when it is done.
    package var old: UInt64
    /// How many directories it makes.
    package var newDirectories: Int

    /// Makes a description; contents and directories that are not told of are none.
    package init(new: UInt64 = 0, old: UInt64 = 0, newDirectories: Int = 0) {
        self.new = new
        self.old = old
        self.newDirectories = newDirectories
    }
}

/// Tells whether there is room before anything is taken: an operation alone knows what it needs itself.
package protocol RoomTransaction: FileSystemTransaction {
    /// Throws `refused` with what is free and what is missing for all of the changes, which are made in this order.
    func requireRoom(for changes: [SpaceChange]) throws(StorageError)
}

/// Hands contents from file to file without copying them.
public protocol MovingTransaction: FileSystemTransaction {
    /// Whether this volume can: a cut must not leave two files that own the same blocks.
    var canMoveContents: Bool { get }
    /// Gives a regular file the contents of another, which is empty then. What the file had goes; key, mode, owner, names and
    /// extended attributes of both stay.
    func moveContents(of source: FileID, to file: FileID) throws(StorageError)
}

/// Adds to the ends of files, where a file system can do no more with parts of them.
public protocol AppendingTransaction: FileSystemTransaction {
    /// Adds bytes to a regular file's end.
    func append(_ bytes: [UInt8], to file: FileID) throws(StorageError)
}

/// Changes parts of files.
public protocol RangesTransaction: FileSystemTransaction {
    /// Cuts a regular file or extends it with zeros, by a hole where the file system has holes.
    func truncate(_ file: FileID, to size: UInt64) throws(StorageError)
    /// Writes bytes into a regular file at any offset. Holes get blocks; a file written behind its end grows, with
    /// zeros between.
    func write(_ bytes: [UInt8], to file: FileID, at offset: UInt64) throws(StorageError)
    /// The same of several pieces, in order and none over another: what has to be done once for a file is done once.
    func write(_ pieces: [FilePiece], to file: FileID) throws(StorageError)
}

extension RangesTransaction {
    /// One after the other.
    public func write(_ pieces: [FilePiece], to file: FileID) throws(StorageError) {
        for piece in pieces { try write(piece.bytes, to: file, at: piece.offset) }
    }
}

/// Bytes of a file, and where they are.
public struct FilePiece: Sendable {
    /// Where the first is.
    public let offset: UInt64
    /// What lies there.
    public let bytes: [UInt8]

    /// Makes a piece.
    public init(offset: UInt64, bytes: [UInt8]) {
        self.offset = offset
        self.bytes = bytes
    }

    /// Blocks of `blockSize` bytes that it touches; nil when it ends past all files.
    package func blocks(of blockSize: UInt64) -> Range<UInt64>? {
        guard let end = offset +? UInt64(bytes.count) else { return nil }
        return offset / blockSize..<end.dividedRoundingUp(by: blockSize)
    }
}

/// Pieces of a file that share blocks, and all blocks that they touch, without a gap.
package struct PiecesInBlocks {
    /// The blocks.
    package let blocks: Range<UInt64>
    /// The pieces, in order.
    package let pieces: ArraySlice<FilePiece>

    /// Pieces in order, gathered; those without bytes are left out.
    package static func gather(_ pieces: [FilePiece], blockSize: UInt64) -> [PiecesInBlocks] {
        let pieces = pieces.filter { !$0.bytes.isEmpty }
        var gathered: [PiecesInBlocks] = []
        var start = 0
        var blocks: Range<UInt64> = 0..<0
        for (index, piece) in pieces.enumerated() {
            guard let own = piece.blocks(of: blockSize) else { continue }
            if index > start, own.lowerBound < blocks.upperBound {
                blocks = blocks.lowerBound..<max(blocks.upperBound, own.upperBound)
                continue
            }
            if index > start {
                gathered.append(PiecesInBlocks(blocks: blocks, pieces: pieces[start..<index]))
            }
            (start, blocks) = (index, own)
        }
        if start < pieces.count {
            gathered.append(PiecesInBlocks(blocks: blocks, pieces: pieces[start...]))
        }
        return gathered
    }
}

/// Gives back the space of zeros.
public protocol HolesTransaction: FileSystemTransaction {
    /// Makes a range of a regular file a hole: whole blocks are given back, the rest is zeroed. The size stays.
    func punchHole(in file: FileID, _ range: Range<UInt64>) throws(StorageError)
}

/// Makes, moves and removes files and directories. A name that is taken throws `exists`.
public protocol NamesTransaction: FileSystemTransaction {
    /// Makes a regular file. Attributes that the file system does not keep are left out.
    func createFile(
        _ name: [UInt8], in directory: FileID, contents: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
    /// Makes a directory.
    func createDirectory(
        _ name: [UInt8], in directory: FileID, attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
    /// Removes a name; the file goes with its last one. A directory must be empty.
    func remove(_ name: [UInt8], in directory: FileID) throws(StorageError)
    /// Moves a name, replacing what has the new one as rename(2) does. Returns the key that the file has from then on;
    /// the old one may mean nothing or another file.
    @discardableResult
    func rename(
        _ name: [UInt8], in directory: FileID, to newName: [UInt8], in newDirectory: FileID
    ) throws(StorageError) -> FileID
}

/// Makes links.
public protocol LinksTransaction: FileSystemTransaction {
    /// Makes another name for a file.
    func link(_ file: FileID, as name: [UInt8], in directory: FileID) throws(StorageError)
    /// Makes a symbolic link.
    func createSymbolicLink(
        _ name: [UInt8], in directory: FileID, target: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
}

/// Makes what is neither file, directory nor link.
public protocol NodesTransaction: FileSystemTransaction {
    /// Makes a device node, FIFO or socket.
    func createNode(
        _ name: [UInt8], in directory: FileID, type: FileType, device: FileAttributes.DeviceNumber?,
        attributes: NewFileAttributes
    ) throws(StorageError) -> FileID
}

/// Sets attributes.
public protocol AttributesTransaction: FileSystemTransaction {
    /// chmod, chown, utimes; of those that `Capabilities.settableAttributes` names.
    func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError)
}

/// Sets extended attributes.
public protocol ExtendedAttributesTransaction: FileSystemTransaction {
    /// Sets an extended attribute by full name; nil removes it.
    func setExtendedAttribute(_ name: [UInt8], of file: FileID, to value: [UInt8]?) throws(StorageError)
}

/// Names the volume.
public protocol LabelTransaction: FileSystemTransaction {
    /// Sets the volume's label.
    func setLabel(_ label: [UInt8]) throws(StorageError)
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
