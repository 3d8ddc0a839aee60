internal import Storage

/// A run of a file's blocks that lie side by side, or that have no place.
struct MappedRun: Equatable, Sendable {
    enum Place: Equatable, Sendable {
        /// Contents on the device from this block on.
        case written(BlockNumber)
        /// Allocated from this block on; reads as zeros.
        case unwritten(BlockNumber)
        /// Not allocated; reads as zeros.
        case hole
    }

    /// The first block, counted in the file.
    var logical: UInt64
    /// How many blocks; holes may reach past the end of the file.
    var count: UInt64
    var place: Place

    var end: UInt64 { logical + count }

    /// The first block on the device, where there is one.
    var firstBlock: BlockNumber? {
        switch place {
        case .written(let block), .unwritten(let block): block
        case .hole: nil
        }
    }
}

extension VolumeView {
    /// The run that block `logical` of a file lies in, from that block on. At least one block long.
    func run(of inode: Inode, at logical: UInt64) throws(StorageError) -> MappedRun {
        guard let overrides = fastCommits?.maps[inode.number.rawValue] else {
            return try storedRun(of: inode, at: logical)
        }
        let (known, distance) = overrides.lookUp(logical)
        if let known { return known }
        var run = try storedRun(of: inode, at: logical)
        run.count = min(run.count, distance)
        return run
    }

    /// The run by the map that the inode itself has.
    private func storedRun(of inode: Inode, at logical: UInt64) throws(StorageError) -> MappedRun {
        inode.flags.contains(.extents)
            ? try extentRun(of: inode, at: logical) : try indirectRun(of: inode, at: logical)
    }
}
