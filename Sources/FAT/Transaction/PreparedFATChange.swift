package import Storage

/// A change of a volume, checked and laid out.
package final class PreparedFATChange: PreparedChange {
    private let fileSystem: FATFileSystem
    private let device: any WritableBlockDevice
    private let generation: UInt64
    private let space: FreeSpace
    /// All that is written. What a power cut can leave is said at `Stage`.
    package let writes: OrderedWrites

    init(_ transaction: FATTransaction, _ writes: OrderedWrites) {
        fileSystem = transaction.fileSystem
        device = transaction.device
        generation = transaction.generation
        space = transaction.space
        self.writes = writes
    }

    /// Nothing would be written.
    package var isEmpty: Bool { writes.isEmpty }

    /// Sectors of 512 bytes that will be written.
    package var blockWriteCount: Int { writes.blockCount(of: Int(FATTransaction.unit)) }

    /// Commits `writes`.
    package func commit() throws(StorageError) {
        guard !isEmpty else { return }
        try fileSystem.state.beginCommit(of: generation)
        try writes.commit(to: device)
        try fileSystem.endCommit(space)
    }
}
