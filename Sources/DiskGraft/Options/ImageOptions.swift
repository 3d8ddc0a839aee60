internal import HostIO
public import ImageFormats
public import Storage
internal import Undo

/// How disk images are opened.
public struct ImageOptions: Sendable {
    /// The format; nil: by probing.
    public var format: ImageFormat?
    /// Read images that a virtual machine is writing to.
    public var ignoresLocks: Bool
    /// Open files that the image names when they lie beside it.
    public var allowsSiblings: Bool
    /// The images behind the ones that are opened, in any order: each takes the one that it says is its own.
    public var parents: [String]
    /// Read file systems on where a metadata checksum is wrong, or where the newest part of a journal is damaged,
    /// with a warning. Nothing is written to such a guest.
    public var ignoresChecksums: Bool
    /// Which of a VHD's two sizes is the disk's.
    public var vhdSize = VHDSizeRule.byCreator
    /// The directory of the undo records of block devices; nil: the working directory.
    public var undoDirectory: String?
    /// Whether a change may turn a VMDK's changed block tracking off, which it would make wrong; else it is refused.
    public var dropsChangeTracking = false
    /// Whether an image may be changed though others beside it are its children, which such a change breaks.
    public var changesParents = false
    /// Whether what a change does to such others is one of the warnings of an image that is opened for it.
    package var warnsOfChildren = true
    /// Read damaged images as far as they go: see `DiskSalvage`. Nothing is written to them.
    public var salvages = false

    /// Compare what a manifest has digests of with them, and the pieces of an export with their checksums.
    public var verifiesDigests = true
    /// Open files that a description of a machine names by a path.
    public var allowsPaths = false
    /// Of a description of several machines the one that is called so; nil: there is one.
    public var machine: String?
    /// Of a description's disks this one alone (1 is the first); nil: all of them.
    public var disk: Int?
    /// The directory of what is decoded of a compressed file, without a name there and only where reads go back and forth in
    /// one that cannot be read from within.
    public var temporaryDirectory = "/var/tmp"
    /// What archives and descriptions that were given lead to.
    var given = GivenFiles.Found()

    /// Makes options. The defaults probe, honour locks and open no other file.
    public init(
        format: ImageFormat? = nil, ignoresLocks: Bool = false, allowsSiblings: Bool = false,
        parent: String? = nil, ignoresChecksums: Bool = false
    ) {
        self.format = format
        self.ignoresLocks = ignoresLocks
        self.allowsSiblings = allowsSiblings
        parents = parent.map { [$0] } ?? []
        self.ignoresChecksums = ignoresChecksums
    }

    /// Read what is half changed too, to judge it.
    var readsUnsettled = false

    var records: UndoPlace { undoDirectory.map { UndoPlace(deviceDirectory: $0) } ?? UndoPlace() }

    /// Throws `refused`, code "force-share-writes": what another program has open is read, never written.
    public func requireLocks(_ path: String) throws(StorageError) {
        guard ignoresLocks else { return }
        throw StorageError(
            .refused, DiskCode.forceShareWrites,
            "locks are passed over to read an image that a virtual machine has open", path: path,
            remedies: [.honourLocks])
    }

    /// Files by name, with these locks; none that is half changed is read, but where that was asked for.
    var hostFiles: any ByteFileStore {
        let files: any ByteFileStore =
            readsUnsettled ? unsettledFiles : SettledFiles(unsettledFiles, records: records)
        return given.isEmpty ? files : GivenFiles(files, given)
    }

    private var unsettledFiles: HostFiles { HostFiles(locking: ignoresLocks ? .ignore : .honour) }

    /// How an image is opened; `unsettled` by those who are going to settle it.
    func openOptions(_ access: FileAccess, unsettled: Bool = false) -> ImageOpenOptions {
        var options = ImageOpenOptions(
            files: RecordedFiles(unsettled ? GivenFiles(unsettledFiles, given) : hostFiles), access: access,
            references: ReferencePolicy(allowsSiblings: allowsSiblings, parents: parents),
            vhdSize: vhdSize, isSalvage: salvages && access == .read)
        options.dropsChangeTracking = dropsChangeTracking
        return options
    }
}
