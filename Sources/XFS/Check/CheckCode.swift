internal import Storage

/// What the check finds itself, where no reader does.
enum CheckCode: String, LayerCode {
    static var layer: String { XFSCode.layer }

    case superblockCopy = "superblock-copy"
    case superblockFlags = "superblock-flags"
    case needsRecovery = "needs-recovery"
    case openIntent = "open-intent"
    case treeOrder = "tree-order"
    case treesDiffer = "trees-differ"
    case groupCounts = "group-counts"
    case superblockCounts = "superblock-counts"
    case inodeBlocks = "inode-blocks"
    case inodeExtents = "inode-extents"
    case inodeFields = "inode-fields"
    case incompleteAttribute = "incomplete-attribute"
    case inodeInUse = "inode-in-use"
    case multiplyClaimed = "multiply-claimed"
    case usedAndFree = "used-and-free"
    case lostBlocks = "lost-blocks"
    case references = "references"
    case reverseMap = "reverse-map"
    case directoryEntry = "directory-entry"
    case wrongParent = "wrong-parent"
    case unconnected = "unconnected"
    case linkCount = "link-count"
    case unlinked = "unlinked"
}

/// Collects findings, up to a limit; the others are counted.
final class CheckSink {
    private var kept: [Finding] = []
    private var told = ToldFindings(limit: 10_000)
    /// A structure may be read by several passes; what is wrong with it is told once.
    private var known: Set<Finding> = []

    func add(_ finding: Finding) {
        guard !known.contains(finding), told.takes(finding) else { return }
        known.insert(finding)
        kept.append(finding)
    }

    /// In the order found; the last says how many were left out.
    var findings: [Finding] { kept + (told.rest(layer: XFSCode.layer).map { [$0] } ?? []) }

    func add(
        _ code: CheckCode, _ message: String, structure: String, offset: UInt64? = nil,
        inode: InodeNumber? = nil, severity: Severity = .damage
    ) {
        add(
            Finding(
                severity, code, message, structure: structure, offset: offset,
                file: inode.map { FileID($0.rawValue) }))
    }

    /// Runs a part of the check; what it throws is a finding, unless it is not about the image. Nil when it threw.
    func attempt<Result>(
        inode: InodeNumber? = nil, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result? {
        do throws(StorageError) {
            return try body()
        } catch {
            guard error.isAboutImage else { throw error }
            add(
                Finding(
                    error, error.kind == .corrupt ? .damage : .warning,
                    file: inode.map { FileID($0.rawValue) }))
            return nil
        }
    }
}

/// The volume as the check reads it: a wrong checksum is a finding, and reading goes on.
final class CheckView: VolumeView {
    let geometry: Geometry
    let superblock: Superblock
    private let store: MetadataStore
    private let sink: CheckSink

    var kind: VolumeIdentity.Kind { .xfs }

    init(_ device: any BlockDevice, _ superblock: Superblock, _ geometry: Geometry, _ sink: CheckSink) {
        self.geometry = geometry
        self.superblock = superblock
        self.sink = sink
        store = MetadataStore(device, layer: XFSCode.layer, cacheByteCount: 16 << 20)
    }

    func buffer(at position: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        try store.bytes(at: position, count: count)
    }

    func readData(into target: inout MutableRawSpan, at position: UInt64) throws(StorageError) {
        try store.read(into: &target, at: position)
    }

    func checksumFailure(
        _ code: XFSCode, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        sink.add(Finding(.damage, code, message, structure: structure, offset: offset))
    }
}
