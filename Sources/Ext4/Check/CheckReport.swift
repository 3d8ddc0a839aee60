package import Storage

/// What a check found, and how much it looked at.
package struct CheckReport: Sendable {
    /// In the order found; where there were too many, the last says how many were left out.
    package var findings: [Finding] = []
    /// Inodes in use.
    package var inodeCount = 0
    /// Directories among them.
    package var directoryCount = 0
    /// Blocks in use, metadata included.
    package var blockCount: UInt64 = 0

    /// No damage was found.
    package var isSound: Bool { !findings.contains { $0.severity == .damage } }
}

/// What the check finds itself, where no reader does.
enum CheckCode: String, LayerCode {
    static var layer: String { Ext4Code.layer }

    case lostSuperblock = "lost-superblock"
    case superblockField = "superblock-field"
    case freeCounts = "free-counts"
    case needsRecovery = "needs-recovery"
    case fastCommits = "fast-commits"
    case journalState = "journal-state"
    case orphans = "orphans"
    case badOrphan = "bad-orphan"
    case groupFlags = "group-flags"
    case metadataOverlap = "metadata-overlap"
    case multiplyClaimed = "multiply-claimed"
    case inodeField = "inode-field"
    case inodeSize = "inode-size"
    case inodeBlocks = "inode-blocks"
    case badPointer = "bad-pointer"
    case badSymbolicLink = "bad-symbolic-link"
    case attributeHash = "attribute-hash"
    case attributeReferences = "attribute-references"
    case directoryEntry = "directory-entry"
    case directoryHole = "directory-hole"
    case directoryIndex = "directory-index"
    case noRoot = "no-root"
    case unconnected = "unconnected"
    case wrongParent = "wrong-parent"
    case linkCount = "link-count"
    case unattached = "unattached"
    case blockBitmap = "block-bitmap"
    case inodeBitmap = "inode-bitmap"
    case groupCounts = "group-counts"
    case noLostAndFound = "no-lost-and-found"
    case badBlock = "bad-block"
    case badEncryption = "bad-encryption"
    case quotaInode = "quota-inode"
    case quotaUsage = "quota-usage"
}

/// Collects findings, up to a limit; the others are counted.
final class CheckSink {
    private var kept = CheckReport()
    private var told = ToldFindings(limit: 10_000)
    /// A structure may be read by several passes; what is wrong with it is told once.
    private var known: Set<Finding> = []

    func add(_ finding: Finding) {
        guard !known.contains(finding), told.takes(finding) else { return }
        known.insert(finding)
        kept.findings.append(finding)
    }

    /// What there is so far.
    var report: CheckReport {
        var report = kept
        report.findings += told.rest(layer: Ext4Code.layer).map { [$0] } ?? []
        return report
    }

    func add(
        _ code: CheckCode, _ message: String, structure: String, offset: UInt64? = nil, inode: UInt32? = nil,
        severity: Severity = .damage
    ) {
        add(
            Finding(
                severity, code, message, structure: structure, offset: offset, file: Self.file(inode)))
    }

    private static func file(_ inode: UInt32?) -> FileID? { inode.map { FileID(UInt64($0)) } }

    /// Runs a part of the check; what it throws is a finding, unless the device failed. Nil when it threw.
    func attempt<Result>(
        inode: UInt32? = nil, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result? {
        do throws(StorageError) {
            return try body()
        } catch {
            guard error.isAboutImage else { throw error }
            var finding = Finding(error, file: Self.file(inode))
            finding.structure = finding.structure ?? "volume"
            add(finding)
            return nil
        }
    }

    func finish(inodes: Int, directories: Int, blocks: UInt64) -> CheckReport {
        kept.inodeCount = inodes
        kept.directoryCount = directories
        kept.blockCount = blocks
        return report
    }
}
