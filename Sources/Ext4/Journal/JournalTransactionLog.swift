internal import Storage

/// A transaction's blocks in the log, from the log's first block on: descriptors, each followed by the copies it
/// names, and the commit block, in the tag format that the journal's own features declare. Features are never
/// added: a guest's old kernel must be able to replay it.
struct JournalTransactionLog {
    /// In log order.
    let writes: [OrderedWrites.Write]

    private struct Builder {
        let journal: Journal
        let sequence: UInt32
        var position: UInt32
        var writes: [OrderedWrites.Write] = []
        /// Checksum version 1: over descriptors and copies in log order.
        var transactionChecksum: UInt32 = ~0

        mutating func append(_ block: [UInt8]) throws(StorageError) {
            writes.append(.init(offset: try journal.file.byteOffset(position), bytes: block))
            position += 1
        }

        func newBlock(_ kind: JournalBlockHeader.Kind) -> [UInt8] {
            var block = [UInt8](repeating: 0, count: journal.file.blockSize)
            JournalBlockHeader.write(kind, sequence: sequence, to: &block)
            return block
        }
    }

    /// Lays `changes` out. They fit: `JournalCommit` has checked it.
    init(
        _ journal: Journal, changes: [BlockChange], sequence: UInt32, seconds: UInt64
    ) throws(StorageError) {
        var builder = Builder(
            journal: journal, sequence: sequence, position: journal.superblock.firstLogBlock)
        let capacity = journal.tagFormat.capacity(blockSize: journal.file.blockSize)
        var start = 0
        while start < changes.count {
            let end = min(start + capacity, changes.count)
            try Self.appendGroup(changes[start..<end], to: &builder)
            start = end
        }
        try builder.append(Self.commitBlock(builder, seconds: seconds))
        if let terminator = try Self.terminator(builder) { builder.writes.append(terminator) }
        writes = builder.writes
    }

    /// One descriptor and its copies.
    private static func appendGroup(
        _ changes: ArraySlice<BlockChange>, to builder: inout Builder
    ) throws(StorageError) {
        let format = builder.journal.tagFormat
        let checksum = builder.journal.checksum
        var descriptor = builder.newBlock(.descriptor)
        var copies: [[UInt8]] = []
        var offset = JournalBlockHeader.byteCount
        for (index, change) in zip(changes.indices, changes) {
            var copy = change.bytes
            var flags: JournalTag.Flags = []
            if copy.big(0) == JournalBlockHeader.magic {
                copy.storeBig(UInt32(0), at: 0)
                flags.insert(.escaped)
            }
            if index == changes.endIndex - 1 { flags.insert(.last) }
            if index != changes.startIndex { flags.insert(.sameUUID) }
            let sum =
                format.features.hasMetadataChecksums
                ? checksum.data(copy.span8, sequence: builder.sequence) : 0
            format.write(
                JournalTag(block: change.block, flags: flags, checksum: sum), to: &descriptor, at: offset)
            offset += format.byteCount
            if index == changes.startIndex {
                let uuid = builder.journal.superblock.uuid
                descriptor.replaceSubrange(offset..<offset + uuid.count, with: uuid)
                offset += uuid.count
            }
            copies.append(copy)
        }
        if format.features.hasMetadataChecksums {
            descriptor.storeBig(checksum.tail(descriptor), at: descriptor.count - 4)
        }
        let needsChecksum = format.features.compatible.contains(.checksum)
        for block in [descriptor] + copies {
            if needsChecksum {
                builder.transactionChecksum = CRC32BigEndian.update(
                    builder.transactionChecksum, block.span8)
            }
            try builder.append(block)
        }
    }

    private static func commitBlock(_ builder: Builder, seconds: UInt64) -> [UInt8] {
        var block = builder.newBlock(.commit)
        block.storeBig(seconds, at: JournalCommitBlock.secondsOffset)
        let features = builder.journal.superblock.features
        if features.hasMetadataChecksums {
            let sum = builder.journal.checksum.block(block, zeroing: JournalCommitBlock.checksumOffset)
            block.storeBig(sum, at: JournalCommitBlock.checksumOffset)
        } else if features.compatible.contains(.checksum) {
            block[JournalCommitBlock.checksumTypeOffset] = JournalCommitBlock.typeCRC32
            block[JournalCommitBlock.checksumSizeOffset] = 4
            block.storeBig(builder.transactionChecksum, at: JournalCommitBlock.checksumOffset)
        }
        return block
    }

    /// Zeros over the block behind the transaction, if it would be read as its successor: a journal whose numbers
    /// were once reset may hold such a block, and without checksums nothing else tells.
    private static func terminator(_ builder: Builder) throws(StorageError) -> OrderedWrites.Write? {
        guard builder.position < builder.journal.superblock.logEnd else { return nil }
        let next = try builder.journal.file.block(builder.position)
        guard let header = JournalBlockHeader(next), header.sequence == builder.sequence &+ 1 else {
            return nil
        }
        return OrderedWrites.Write(
            offset: try builder.journal.file.byteOffset(builder.position),
            bytes: [UInt8](repeating: 0, count: next.count))
    }
}
