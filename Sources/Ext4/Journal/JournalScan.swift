package import Storage

extension Journal {
    /// What to do about a damaged transaction.
    package enum ScanPolicy: Sendable {
        /// Throw.
        case strict
        /// Stop before it and say so in `JournalReplay.end`.
        case salvage
    }

    /// Finds out what a replay would do. Reads the log; writes nothing.
    ///
    /// The rules are the kernel's: a transaction counts with its valid commit block only; a revoke record
    /// suppresses every copy of its block in transactions up to and with its own; a checksum that is wrong in a
    /// transaction whose commit time is older than its predecessor's marks remains of an older log, any other
    /// wrong checksum is damage. The copies are kept by number: 24 bytes a logged block at most.
    package func scan(policy: ScanPolicy = .strict) throws(StorageError) -> JournalReplay {
        guard !superblock.isEmpty else {
            return JournalReplay(
                copies: [], transactionCount: 0, nextSequence: superblock.sequence, end: .empty,
                fastCommits: nil)
        }
        var scan = JournalScan(self)
        var end: JournalReplay.End
        do throws(StorageError) {
            end = try scan.run()
        } catch {
            guard policy == .salvage, error.kind == .corrupt else { throw error }
            end = .damaged(error)
        }
        var fastCommits: FastCommitArea?
        // Fast commits extend the last full commit; behind a damaged transaction they extend nothing.
        switch end {
        case .damaged: break
        default: fastCommits = try FastCommitArea.find(in: self, expectedSequence: scan.sequence)
        }
        return JournalReplay(
            copies: scan.live.values.sorted { $0.block < $1.block }, transactionCount: scan.transactionCount,
            nextSequence: scan.sequence, end: end, fastCommits: fastCommits)
    }
}

/// One pass over the log, transaction by transaction. A transaction's tags wait until its commit block is seen;
/// then its revokes are applied to everything before and its copies replace older ones. Later transactions are
/// not touched by a revoke, so one pass is enough.
struct JournalScan {
    /// A logged block of the transaction being read.
    private struct PendingCopy {
        var tag: JournalTag
        var journalBlock: UInt32
    }

    /// The transaction being read.
    private struct Pending {
        var copies: [PendingCopy] = []
        /// Descriptor and revoke blocks, by number: their contents are read again when they count.
        var descriptors: [(block: UInt32, copyCount: Int)] = []
        var revokes: [UInt32] = []
        /// The first structure whose checksum is wrong: damage, or an older log, as the commit time tells.
        var wrongChecksum: StorageError?
    }

    private let journal: Journal
    private let format: JournalTagFormat
    private let checksum: JournalChecksum
    private let features: JournalFeatures
    private var position: UInt32
    private var consumed: UInt32 = 0
    private var lastCommitTime: UInt64 = 0
    private(set) var sequence: UInt32
    private(set) var transactionCount = 0
    private(set) var live: [UInt64: JournalReplay.Copy] = [:]

    init(_ journal: Journal) {
        self.journal = journal
        format = journal.tagFormat
        checksum = journal.checksum
        features = journal.superblock.features
        position = journal.superblock.start
        sequence = journal.superblock.sequence
    }

    mutating func run() throws(StorageError) -> JournalReplay.End {
        while true {
            var pending = Pending()
            guard let commit = try readTransaction(&pending) else {
                let isEmpty = pending.descriptors.isEmpty && pending.revokes.isEmpty
                return isEmpty ? .endOfLog : .uncommitted
            }
            if let end = try accept(pending, commit) { return end }
        }
    }

    /// Collects the next transaction up to its commit block; nil when the log ends before one.
    private mutating func readTransaction(
        _ pending: inout Pending
    ) throws(StorageError) -> (block: UInt32, bytes: [UInt8])? {
        while true {
            let block = position
            guard consumed < journal.superblock.logBlockCount else {
                // The log has come back to its start: what lies there has been read.
                return nil
            }
            let bytes = try journal.file.block(block)
            guard let header = JournalBlockHeader(bytes), header.sequence == sequence else { return nil }
            switch header.kind {
            case .descriptor:
                try advance(by: 1)
                try addDescriptor(bytes, at: block, to: &pending)
            case .revoke:
                try advance(by: 1)
                if pending.wrongChecksum == nil, !tailMatches(bytes) {
                    pending.wrongChecksum = try damage(
                        .revokeChecksum, "a revoke block's checksum is wrong", at: block)
                }
                pending.revokes.append(block)
            case .commit:
                try advance(by: 1)
                return (block, bytes)
            case .superblockV1, .superblockV2, nil:
                return nil
            }
        }
    }

    private mutating func addDescriptor(
        _ bytes: [UInt8], at block: UInt32, to pending: inout Pending
    ) throws(StorageError) {
        if pending.wrongChecksum == nil, !tailMatches(bytes) {
            pending.wrongChecksum = try damage(
                .descriptorChecksum, "a descriptor block's checksum is wrong", at: block)
        }
        let tags = format.tags(in: bytes)
        pending.descriptors.append((block, tags.count))
        var next = position
        try advance(by: UInt32(tags.count))
        for tag in tags {
            pending.copies.append(PendingCopy(tag: tag, journalBlock: next))
            next = journal.logBlock(next, advancedBy: 1)
        }
    }

    private func tailMatches(_ bytes: [UInt8]) -> Bool {
        !features.hasMetadataChecksums || checksum.tailMatches(bytes)
    }

    /// Moves on around the ring; more blocks than the ring has would be read for ever.
    private mutating func advance(by count: UInt32) throws(StorageError) {
        guard count <= journal.superblock.logBlockCount - consumed else {
            throw try damage(
                .logLaps, "transaction \(sequence) is longer than the log that holds it", at: position)
        }
        consumed += count
        position = journal.logBlock(position, advancedBy: count)
    }

    /// Takes a transaction with its commit block in; returns the scan's end when it does not count.
    private mutating func accept(
        _ pending: Pending, _ commit: (block: UInt32, bytes: [UInt8])
    ) throws(StorageError) -> JournalReplay.End? {
        let record = JournalCommitBlock(commit.bytes)
        let isOlder = record.seconds < lastCommitTime
        if let wrong = pending.wrongChecksum {
            if isOlder { return .stale }
            throw wrong
        }
        if features.hasMetadataChecksums, !checksum.commitMatches(commit.bytes) {
            if isOlder { return .stale }
            if features.incompatible.contains(.asynchronousCommit) { return .uncommitted }
            throw try damage(.commitChecksum, "a commit block's checksum is wrong", at: commit.block)
        }
        if features.compatible.contains(.checksum), try !transactionChecksumMatches(pending, record) {
            if isOlder { return .stale }
            // With asynchronous commits the last transaction's commit block may be there before its blocks.
            if features.incompatible.contains(.asynchronousCommit), try !anotherCommitFollows() {
                return .uncommitted
            }
            throw try damage(
                .commitChecksum, "the checksum of transaction \(sequence) is wrong", at: commit.block)
        }
        try verify(pending.copies)
        for copy in pending.copies {
            live[copy.tag.block] = JournalReplay.Copy(
                block: copy.tag.block, journalBlock: copy.journalBlock, sequence: sequence,
                isEscaped: copy.tag.flags.contains(.escaped))
        }
        for block in pending.revokes { try applyRevokes(in: block) }
        lastCommitTime = record.seconds
        transactionCount += 1
        sequence &+= 1
        return nil
    }

    /// Checks where a committed transaction's blocks belong, and with version 2 and 3 what they hold.
    private func verify(_ copies: [PendingCopy]) throws(StorageError) {
        for copy in copies {
            guard copy.tag.block < journal.file.fileSystemBlockCount else {
                throw try damage(
                    .targetOutsideFileSystem,
                    "transaction \(sequence) holds a copy of block \(copy.tag.block), which the file system does not have",
                    at: copy.journalBlock)
            }
            guard !journal.file.contains(deviceBlock: copy.tag.block) else {
                throw try damage(
                    .targetInJournal,
                    "transaction \(sequence) would overwrite block \(copy.tag.block) of the journal itself",
                    at: copy.journalBlock)
            }
            guard features.hasMetadataChecksums else { continue }
            let bytes = try journal.file.block(copy.journalBlock)
            guard format.checksum(checksum.data(bytes.span8, sequence: sequence), matches: copy.tag)
            else {
                throw try damage(
                    .dataChecksum,
                    "the copy of block \(copy.tag.block) in transaction \(sequence) has a wrong checksum",
                    at: copy.journalBlock)
            }
        }
    }

    /// Checksum version 1: CRC-32, most significant bit first, over descriptors and their blocks in log order;
    /// all zeros means that none was stored.
    private func transactionChecksumMatches(
        _ pending: Pending, _ record: JournalCommitBlock
    ) throws(StorageError) -> Bool {
        if record.checksumType == 0, record.checksumSize == 0, record.checksum == 0 { return true }
        guard record.checksumType == JournalCommitBlock.typeCRC32, record.checksumSize == 4 else {
            return false
        }
        var register: UInt32 = ~0
        for descriptor in pending.descriptors {
            for distance in 0...UInt32(descriptor.copyCount) {
                let block = journal.logBlock(descriptor.block, advancedBy: distance)
                let bytes = try journal.file.block(block)
                register = CRC32BigEndian.update(register, bytes.span8)
            }
        }
        return register == record.checksum
    }

    /// Whether a further transaction with a commit block follows the one just read.
    private func anotherCommitFollows() throws(StorageError) -> Bool {
        var ahead = self
        ahead.sequence &+= 1
        var pending = Pending()
        return try ahead.readTransaction(&pending) != nil
    }

    /// Forgets every copy so far of the blocks that a revoke block names.
    private mutating func applyRevokes(in block: UInt32) throws(StorageError) {
        let bytes = try journal.file.block(block)
        let used: UInt32 = bytes.big(JournalBlockHeader.byteCount)
        guard let end = Int(exactly: used), end >= 16, end <= bytes.count - format.tailByteCount else {
            throw try damage(
                .badRevokeCount, "a revoke block claims \(used) bytes of \(bytes.count)", at: block)
        }
        let isWide = features.incompatible.contains(.wideBlockNumbers)
        let step = isWide ? 8 : 4
        var offset = 16
        while offset + step <= end {
            let revoked = isWide ? bytes.big(offset) : UInt64(bytes.big(offset, as: UInt32.self))
            live[revoked] = nil
            offset += step
        }
    }

    private func damage(
        _ code: JournalCode, _ message: String, at block: UInt32
    ) throws(StorageError) -> StorageError {
        .journal(
            .corrupt, code, message + "; run e2fsck", structure: "journal block \(block)",
            offset: try journal.file.byteOffset(block))
    }
}
