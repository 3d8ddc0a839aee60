internal import Storage

extension VolumeView {
    /// File blocks are numbered with 32 bits in an extent tree.
    static var extentLimit: UInt64 { UInt64(1) << 32 }

    /// The root of an inode's extent tree, checked.
    func extentRoot(of inode: Inode) throws(StorageError) -> ExtentNode {
        let node = ExtentNode(bytes: Array(inode.bytes[Inode.mapRange]))
        if let defect = node.defect(depth: nil, capacity: 4, bounds: 0..<Self.extentLimit, geometry) {
            throw .ext4(
                .corrupt, .badExtentNode,
                "the extent tree of \(inode.name) is damaged: \(defect); run e2fsck",
                structure: "extent tree", offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        return node
    }

    /// A node in a block, checked against what its parent says.
    func extentNode(
        _ number: BlockNumber, of inode: Inode, depth: Int, bounds: Range<UInt64>
    ) throws(StorageError) -> ExtentNode {
        let node = ExtentNode(bytes: try block(number))
        if isVerified(number, as: .extents(inode.number)) { return node }
        let capacity = (geometry.blockSize - 12) / ExtentNode.entrySize
        if let defect = node.defect(depth: depth, capacity: capacity, bounds: bounds, geometry) {
            throw .ext4(
                .corrupt, .badExtentNode,
                "the extent tree of \(inode.name) is damaged: \(defect); run e2fsck",
                structure: "extent block", offset: geometry.byteOffset(of: number))
        }
        if geometry.hasMetadataChecksums {
            let end = ExtentNode.entrySize * (node.maximumEntryCount + 1)
            let seed = geometry.inodeSeed(inode.number, generation: inode.generation)
            if end + 4 > geometry.blockSize
                || CRC32C.update(seed, node.bytes.span8.extracting(0..<end)) != node.bytes.little(end)
            {
                try checksumFailure(
                    .extentChecksum, "the checksum of an extent block of \(inode.name) is wrong; run e2fsck",
                    structure: "extent block", offset: geometry.byteOffset(of: number))
            }
        }
        noteVerified(number, as: .extents(inode.number))
        return node
    }

    /// The run at `logical` by the extent tree.
    func extentRun(of inode: Inode, at logical: UInt64) throws(StorageError) -> MappedRun {
        guard logical < Self.extentLimit else {
            return MappedRun(logical: logical, count: UInt64.max - logical, place: .hole)
        }
        var node = try extentRoot(of: inode)
        var end = Self.extentLimit
        while true {
            guard let index = node.entry(before: logical) else {
                let next = node.entryCount > 0 ? min(end, node.logical(0)) : end
                return MappedRun(logical: logical, count: next - logical, place: .hole)
            }
            if index + 1 < node.entryCount { end = node.logical(index + 1) }
            if node.isLeaf {
                let run = node.extent(index)
                guard logical < run.end else {
                    return MappedRun(logical: logical, count: end - logical, place: .hole)
                }
                return run.droppingFirst(logical - run.logical)
            }
            node = try extentNode(
                node.child(index), of: inode, depth: node.depth - 1, bounds: node.logical(index)..<end)
        }
    }
}

extension MappedRun {
    /// The run without its first `count` blocks; `count` is below the run's.
    func droppingFirst(_ count: UInt64) -> MappedRun {
        var run = self
        run.logical += count
        run.count -= count
        switch place {
        case .written(let block): run.place = .written(block.advanced(by: count))
        case .unwritten(let block): run.place = .unwritten(block.advanced(by: count))
        case .hole: break
        }
        return run
    }
}
