internal import Storage

/// A state of the volume's blocks: as they are on the device (with the journal replayed in memory), or as a
/// transaction will leave them. Everything that understands a structure is written once, as an extension of this.
protocol VolumeView: FileTree {
    var geometry: Geometry { get }
    /// The superblock of this state.
    var superblock: Superblock { get }
    /// What fast commits change over the blocks; nil where there are none.
    var fastCommits: FastCommitChanges? { get }
    /// Inodes that were read before and are as they were; nil where they may change at any time.
    var known: KnownInodes? { get }
    /// A metadata block. Throws when it lies outside the volume.
    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8]
    /// File data, past the cache: fills `target` from byte `skip` of block `first` on. The caller has checked that
    /// all of it lies in the volume.
    func readData(into target: inout MutableRawSpan, from first: BlockNumber, skip: Int) throws(StorageError)
    /// Whether a block was found to be right as this, or made so, and need not be checked again.
    func isVerified(_ number: BlockNumber, as owner: BlockOwner) -> Bool
    /// Takes note that a block is right.
    func noteVerified(_ number: BlockNumber, as owner: BlockOwner)
    /// Throws, or notes a warning when the user wants checksums ignored.
    func checksumFailure(
        _ code: Ext4Code, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError)
}

extension VolumeView {
    var known: KnownInodes? { nil }
    // A reader comes by most blocks once.
    func isVerified(_ number: BlockNumber, as owner: BlockOwner) -> Bool { false }
    func noteVerified(_ number: BlockNumber, as owner: BlockOwner) {}
}

/// What a block is and whose: right as one thing says nothing of another, and an image may claim a block twice.
enum BlockOwner: Equatable, Sendable {
    case directory(InodeNumber)
    case extents(InodeNumber)
}
