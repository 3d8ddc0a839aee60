package import Storage

/// A change of a volume, collected in memory: blocks as they will be, over the volume as it is. Reading through
/// it shows the change.
package final class Ext4Transaction: ContentsTransaction, MovingTransaction, RangesTransaction,
    HolesTransaction, NamesTransaction, LinksTransaction, NodesTransaction, AttributesTransaction,
    ExtendedAttributesTransaction, LabelTransaction, GatedTransaction, VolumeView
{
    /// What a changed block is: decides its place in the order of writing where there is no journal.
    enum Role: Int, Comparable, Sendable {
        /// Contents and map blocks that nothing on the disk refers to yet are written first anyway; these are
        /// contents written over.
        case data
        /// Directory blocks: after the inodes that lost their last name, before those that get their first.
        case directory
        case inodes
        case map
        case attributes
        /// Directory blocks in which a moved file had its old name: after the new one is there.
        case oldName
        case bitmap
        case descriptors

        static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
    }

    struct DirtyBlock: Sendable {
        var bytes: [UInt8]
        var role: Role
    }

    let fileSystem: Ext4FileSystem
    let target: WriteTarget
    let geometry: Geometry
    /// The time of the change.
    let now: Timestamp
    var superblock: Superblock
    var dirty: [BlockNumber: DirtyBlock] = [:]
    /// Blocks that were free when the transaction, or the stage, began: their contents need no journal.
    var fresh: Set<BlockNumber> = []
    /// Directory and extent blocks that were checked, or written here, since anything else was stored in them.
    var verified: [BlockNumber: BlockOwner] = [:]
    /// Directories whose index was found to lead to every name, or was made here.
    var soundIndexes: Set<InodeNumber> = []
    var blockBitmaps: [UInt64: GroupBitmap] = [:]
    var inodeBitmaps: [UInt64: GroupBitmap] = [:]
    /// Clusters and inodes taken (negative) or given back (positive).
    var freeBlockChange: Int64 = 0
    var freeInodeChange: Int64 = 0
    /// What is laid out already of a change without a journal.
    var stages = Stages()
    package var gate = TransactionGate(layer: Ext4Code.layer)
    /// What the next new inode gets as its generation.
    var nextGeneration: UInt32
    private var zone: SystemZone?

    init(_ fileSystem: Ext4FileSystem, _ target: WriteTarget, now: Timestamp) throws(StorageError) {
        self.fileSystem = fileSystem
        self.target = target
        self.now = now
        geometry = fileSystem.geometry
        superblock = target.superblock
        nextGeneration = try SystemRandom.bytes(4).little(0)
    }

    /// Where the volume's own structures lie; computed when first needed.
    func protectedZone() throws(StorageError) -> SystemZone {
        if let zone { return zone }
        let made = try systemZone()
        zone = made
        return made
    }

    // MARK: VolumeView

    /// By blkid's rule.
    package var kind: VolumeIdentity.Kind { superblock.kind }

    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8] {
        if let held = dirty[number] { return held.bytes }
        return try settledBlock(number)
    }

    func readData(
        into target: inout MutableRawSpan, from first: BlockNumber, skip: Int
    ) throws(StorageError) {
        let blockSize = geometry.blockSize
        try fileSystem.readData(into: &target, from: first, skip: skip)
        var done = 0
        var number = first.advanced(by: UInt64(skip / blockSize))
        var offset = skip % blockSize
        while done < target.byteCount {
            let count = min(blockSize - offset, target.byteCount - done)
            if let held = dirty[number]?.bytes ?? stages.contents(of: number) {
                target.copy(held.span8.extracting(offset..<offset + count), to: done)
            }
            done += count
            offset = 0
            number = number.advanced(by: 1)
        }
    }

    func checksumFailure(
        _ code: Ext4Code, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        // Never passed over when writing: a change must not give a damaged block a valid checksum.
        throw .ext4(.corrupt, code, message, structure: structure, offset: offset)
    }

    func isVerified(_ number: BlockNumber, as owner: BlockOwner) -> Bool { verified[number] == owner }

    func noteVerified(_ number: BlockNumber, as owner: BlockOwner) { verified[number] = owner }

    // MARK: Changing blocks

    /// Gives a block new contents. Contents that are as they were change nothing.
    func store(_ bytes: [UInt8], at number: BlockNumber, role: Role) throws(StorageError) {
        gate.noteChange()
        verified[number] = nil
        if let held = dirty[number] {
            dirty[number] = DirtyBlock(bytes: bytes, role: max(role, held.role))
            return
        }
        if !fresh.contains(number), try settledBlock(number) == bytes { return }
        dirty[number] = DirtyBlock(bytes: bytes, role: role)
    }

    /// Writes an inode's record into its block, with its checksum.
    func store(_ inode: Inode) throws(StorageError) {
        var inode = inode
        inode.updateChecksum(geometry)
        var bytes = try block(inode.block)
        bytes.replaceSubrange(inode.offset..<inode.offset + inode.bytes.count, with: inode.bytes)
        try store(bytes, at: inode.block, role: .inodes)
    }

    /// Writes a descriptor into its block, with its checksum.
    func store(_ descriptor: GroupDescriptor) throws(StorageError) {
        var descriptor = descriptor
        descriptor.updateChecksum(geometry)
        let (number, offset) = try descriptorPosition(descriptor.group)
        var bytes = try block(number)
        bytes.replaceSubrange(offset..<offset + descriptor.bytes.count, with: descriptor.bytes)
        try store(bytes, at: number, role: .descriptors)
    }
}
