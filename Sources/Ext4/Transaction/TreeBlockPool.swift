internal import Storage

/// Blocks for a file's tree. With a journal, those of the old tree first, in the order in which it is walked, then
/// newly allocated ones. Without a journal a block of the old tree serves only where it says the same as before:
/// then the inode, which is written at once, leads to the old tree or to the new one, and never to a mixture.
struct TreeBlockPool {
    private let blocks: [BlockNumber]
    private let goal: BlockNumber
    private let isJournaled: Bool
    private var next = 0
    /// Without a journal: blocks of the old tree by their contents, and which of them are taken.
    private var unchanged: [[UInt8]: BlockNumber] = [:]
    private var taken: Set<BlockNumber> = []

    init(
        _ blocks: [BlockNumber], goal: BlockNumber, of transaction: Ext4Transaction
    ) throws(StorageError) {
        self.blocks = blocks
        self.goal = goal
        isJournaled = transaction.hasJournal
        guard !isJournaled else { return }
        for block in blocks { unchanged[try transaction.block(block)] = block }
    }

    /// What was not taken.
    var rest: [BlockNumber] { isJournaled ? Array(blocks[next...]) : blocks.filter { !taken.contains($0) } }

    /// A block whose contents are not known yet; nil where they decide, without a journal.
    mutating func takeAhead(_ transaction: Ext4Transaction) throws(StorageError) -> BlockNumber? {
        guard isJournaled else { return nil }
        guard next < blocks.count else { return try transaction.allocateBlock(near: goal) }
        next += 1
        return blocks[next - 1]
    }

    /// A block for `bytes`.
    mutating func take(
        for bytes: [UInt8], _ transaction: Ext4Transaction
    ) throws(StorageError) -> BlockNumber {
        if let block = try takeAhead(transaction) { return block }
        if let block = unchanged[bytes], taken.insert(block).inserted { return block }
        do throws(StorageError) {
            return try transaction.allocateBlock(near: goal)
        } catch {
            // A full volume must not keep a file from being cut: the old blocks serve then.
            guard error.isCode(Ext4Code.noSpace),
                let block = blocks.first(where: { !taken.contains($0) })
            else { throw error }
            taken.insert(block)
            return block
        }
    }
}
