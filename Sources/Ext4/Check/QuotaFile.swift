internal import Storage

/// Whose use a quota file counts.
enum QuotaKind: Int, CaseIterable, Sendable {
    case user
    case group
    case project

    /// Where the superblock names its inode.
    var superblockOffset: Int {
        switch self {
        case .user: 0x240
        case .group: 0x244
        case .project: 0x26c
        }
    }

    /// The reserved inode that mke2fs takes.
    var reservedInode: UInt32? {
        switch self {
        case .user: 3
        case .group: 4
        case .project: nil
        }
    }

    /// The first word of its file (linux/fs/quota/quotaio_v2.h, V2_INITQMAGICS).
    var magic: UInt32 {
        switch self {
        case .user: 0xd9c0_1f11
        case .group: 0xd9c0_1927
        case .project: 0xd9c0_3f14
        }
    }

    var name: String {
        switch self {
        case .user: "user"
        case .group: "group"
        case .project: "project"
        }
    }

    /// Whom an inode counts for.
    func owner(of inode: Inode) -> UInt32 {
        switch self {
        case .user: inode.owner
        case .group: inode.group
        case .project: inode.projectID
        }
    }
}

/// What somebody uses.
struct QuotaUsage: Equatable, Sendable {
    var byteCount: UInt64 = 0
    var inodeCount: UInt64 = 0
}

/// A quota file of version 1 (vfsv1): a radix tree of four levels over the 32 bits of a number, in blocks of 1024 bytes,
/// with entries of 72 bytes in its leaves (linux/fs/quota/quota_tree.c, quotaio_v2.h).
struct QuotaFile {
    private static let blockSize = 1024
    private static let levels = 4
    private static let leafHeader = 16
    private static let entrySize = 72

    private let view: CheckView
    private let inode: Inode
    private let blockCount: UInt32
    private let accountLimit: Int
    private var leaves: Set<UInt32> = []
    private var nodeCount = 0

    /// The file of `kind` in `inode`, no more than `accountLimit` accounts of it; a sentence where it is none.
    static func read(
        _ kind: QuotaKind, _ inode: Inode, _ view: CheckView, accountLimit: Int
    ) throws(StorageError) -> Result<[UInt32: QuotaUsage], AttributeDefect> {
        let size = inode.size(view.geometry)
        guard inode.type == .regular, size >= 2 * UInt64(blockSize), size <= 1 << 32 else {
            return .failure(AttributeDefect("is no file of quotas"))
        }
        var file = QuotaFile(
            view: view, inode: inode, blockCount: UInt32(size / UInt64(blockSize)), accountLimit: accountLimit
        )
        let head = try file.block(0)
        guard head.little(0) as UInt32 == kind.magic, head.little(4) as UInt32 == 1 else {
            return .failure(AttributeDefect("does not begin as a file of \(kind.name) quotas does"))
        }
        if let defect = try file.collectLeaves(below: 1, level: 0) {
            return .failure(AttributeDefect(defect))
        }
        return .success(try file.accounts())
    }

    private init(view: CheckView, inode: Inode, blockCount: UInt32, accountLimit: Int) {
        self.accountLimit = accountLimit
        self.view = view
        self.inode = inode
        self.blockCount = blockCount
    }

    private func block(_ number: UInt32) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.blockSize)
        _ = try bytes.withMutableBytes { (span) throws(StorageError) in
            try view.read(inode, into: &span, at: UInt64(number) * UInt64(Self.blockSize))
        }
        return bytes
    }

    /// Four levels deep, whatever the file says. Many references may lead to one leaf; to a node only one.
    private mutating func collectLeaves(below number: UInt32, level: Int) throws(StorageError) -> String? {
        nodeCount += 1
        guard nodeCount <= blockCount else { return "has a tree with a circle" }
        let node = try block(number)
        for offset in stride(from: 0, to: Self.blockSize, by: 4) {
            let child: UInt32 = node.little(offset)
            guard child != 0 else { continue }
            guard child > 1, child < blockCount else { return "has a tree that leads to its block \(child)" }
            if level == Self.levels - 1 {
                leaves.insert(child)
            } else if let defect = try collectLeaves(below: child, level: level + 1) {
                return defect
            }
        }
        return nil
    }

    private func accounts() throws(StorageError) -> [UInt32: QuotaUsage] {
        var result: [UInt32: QuotaUsage] = [:]
        for leaf in leaves.sorted() {
            let bytes = try block(leaf)
            for offset in stride(
                from: Self.leafHeader, through: Self.blockSize - Self.entrySize, by: Self.entrySize)
            where !bytes.span8.extracting(offset..<offset + Self.entrySize).isAllZero {
                guard result.count < accountLimit else { return result }
                result[bytes.little(offset)] = QuotaUsage(
                    byteCount: bytes.little(offset + 48), inodeCount: bytes.little(offset + 24))
            }
        }
        return result
    }
}
