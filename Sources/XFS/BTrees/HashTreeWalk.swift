internal import Storage

extension VolumeView {
    /// Goes over a whole tree of hashes, as lookups go down it: levels fall, no block comes twice, hashes rise, none is above what
    /// stands for its block, and each block names those at its sides. `root` is block `number` of the fork; `read` gives others,
    /// nil for what is none. Returns false where something is wrong.
    func isSoundTree(
        _ root: HashBlock, at number: UInt32, limit: Int = 1 << 20,
        _ read: (UInt32) throws(StorageError) -> HashBlock?
    ) throws(StorageError) -> Bool {
        var walk = NeighbourWalk<UInt32>(0)
        var seen: Set<UInt32> = []
        /// The highest hash below a block; nil where something is wrong.
        func visit(_ block: HashBlock, _ number: UInt32, _ level: Int) throws(StorageError) -> UInt32? {
            guard seen.count < limit, seen.insert(number).inserted,
                walk.take(number, level: level, left: block.previous, right: block.next)
            else { return nil }
            try Cancellation.check(turn: seen.count)
            guard level > 0 else {
                guard block.kind == .leaf || block.kind == .attributes else { return nil }
                let isRising =
                    block.count < 2 || (1..<block.count).allSatisfy { block.hash($0 - 1) <= block.hash($0) }
                return isRising ? (block.count > 0 ? block.hash(block.count - 1) : 0) : nil
            }
            guard block.kind == .node, block.level == level, block.count > 0 else { return nil }
            var last: UInt32 = 0
            for index in 0..<block.count {
                let hash = block.hash(index)
                guard hash >= last, let below = try read(block.value(index)),
                    let highest = try visit(below, block.value(index), level - 1), highest <= hash
                else { return nil }
                last = hash
            }
            return last
        }
        // XFS_DA_NODE_MAXDEPTH.
        let level = root.kind == .node ? root.level : 0
        guard root.kind == .node ? (1...5).contains(level) : true else { return false }
        return try visit(root, number, level) != nil && walk.isComplete
    }
}
