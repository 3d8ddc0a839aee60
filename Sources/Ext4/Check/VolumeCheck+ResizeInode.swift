internal import Storage

extension VolumeCheck {
    /// The resize inode maps the room kept for more descriptors, which belongs to the volume already; only its double
    /// indirect block is its own. That one lists the room's blocks in the first group, each at its number among the
    /// descriptors' blocks modulo the entries of a block; and each of them lists its twins in the groups that hold copies, in order (Linux,
    /// fs/ext4/resize.c, verify_reserved_gdb).
    func checkResizeInode(_ inode: Inode) throws(StorageError) {
        let own = UInt64(inode.word(Inode.Offset.map + 13 * 4))
        let block = BlockNumber(own)
        guard own != 0 else {
            if hasResizeRoom { add(.badPointer, inode, "has no double indirect block") }
            return
        }
        guard geometry.contains(block), let clusters = clusters(of: Range(block, count: 1)) else {
            return add(.badPointer, inode, "points to block \(own), which there is not")
        }
        if claims.claim(clusters) != nil {
            add(.multiplyClaimed, inode, "claims block \(own), which something else has claimed")
        }
        guard hasResizeRoom else { return }
        try sink.attempt { () throws(StorageError) in try checkResizeRoom(inode, block) }
    }

    private var hasResizeRoom: Bool {
        geometry.compatible.contains(.resizeInode) && geometry.reservedDescriptorBlocks > 0
            && !geometry.incompatible.contains(.metaBlockGroups)
            // With clusters the first group begins elsewhere, by block size.
            && geometry.clusterRatio == 1
    }

    private func checkResizeRoom(_ inode: Inode, _ top: BlockNumber) throws(StorageError) {
        let list = try view.block(top)
        let entries = UInt64(geometry.blockSize / 4)
        // Groups behind what 32 bits number have no place in the lists.
        let reach = UInt64(UInt32.max) / geometry.blocksPerGroup
        var distances: [UInt64] = []
        var group: UInt64 = 1
        while group < min(geometry.groupCount, reach), distances.count < geometry.blockSize / 4 {
            if geometry.hasSuperblock(group: group) { distances.append(group * geometry.blocksPerGroup) }
            group += 1
            if group % 65536 == 0 { try Cancellation.check() }
        }
        for number in 0..<geometry.reservedDescriptorBlocks {
            let index = geometry.descriptorBlockCount &+ number
            let place = geometry.firstDataBlock &+ 1 &+ index
            let found: UInt32 = list.little(Int(index % entries) * 4)
            guard UInt64(found) == place, geometry.contains(BlockNumber(place)) else {
                return add(
                    .badPointer, inode, "names block \(found) where block \(place) is kept for descriptors")
            }
            let twins = try view.block(BlockNumber(place))
            for (index, offset) in distances.enumerated() {
                let twin: UInt32 = twins.little(index * 4)
                guard place &+ offset <= UInt64(UInt32.max), UInt64(twin) != place &+ offset else { continue }
                return add(
                    .badPointer, inode,
                    "names block \(twin) as the twin of block \(place), which is block \(place &+ offset): the guest's "
                        + "kernel will not enlarge the volume", .warning)
            }
        }
    }
}
