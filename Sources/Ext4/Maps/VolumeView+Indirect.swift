internal import Storage

/// ext2's map: twelve block numbers in the inode, then one block of numbers, one of those, one of those.
enum IndirectMap {
    static let directCount: UInt64 = 12

    /// Where block `logical` hangs: which of the inode's 15 words, how many levels of blocks below it, and the
    /// index within what it covers. Nil past the map's reach.
    static func position(
        of logical: UInt64, pointersPerBlock: UInt64
    ) -> (slot: Int, levels: Int, index: UInt64)? {
        if logical < directCount { return (Int(logical), 0, 0) }
        var rest = logical - directCount
        var reach = pointersPerBlock
        for levels in 1...3 {
            if rest < reach { return (11 + levels, levels, rest) }
            rest -= reach
            reach *= pointersPerBlock
        }
        return nil
    }
}

extension VolumeView {
    var pointersPerBlock: UInt64 { UInt64(geometry.blockSize / 4) }

    /// The run at `logical` by the indirect map: as long as the numbers in one block go on.
    func indirectRun(of inode: Inode, at logical: UInt64) throws(StorageError) -> MappedRun {
        guard let place = IndirectMap.position(of: logical, pointersPerBlock: pointersPerBlock) else {
            return MappedRun(logical: logical, count: UInt64.max - logical, place: .hole)
        }
        var pointers = Array(inode.bytes[Inode.mapRange])
        var slot = place.slot
        var slotEnd = Int(IndirectMap.directCount)
        // How many file blocks one pointer of the current level covers.
        var covered: UInt64 = 1
        for _ in 0..<place.levels { covered *= pointersPerBlock }
        var index = place.index
        for _ in 0..<place.levels {
            let number: UInt32 = pointers.little(slot * 4)
            guard number != 0 else {
                return MappedRun(logical: logical, count: covered - index, place: .hole)
            }
            pointers = try block(checkedPointer(number, of: inode))
            covered /= pointersPerBlock
            slot = Int(index / covered)
            index %= covered
            slotEnd = Int(pointersPerBlock)
        }
        let first: UInt32 = pointers.little(slot * 4)
        var count: UInt64 = 1
        while slot + Int(count) < slotEnd {
            let next: UInt32 = pointers.little((slot + Int(count)) * 4)
            guard first == 0 ? next == 0 : UInt64(next) == UInt64(first) + count else { break }
            count += 1
        }
        guard first != 0 else { return MappedRun(logical: logical, count: count, place: .hole) }
        let start = try checkedPointer(first, of: inode)
        guard geometry.contains(start, count: count) else { throw badPointer(first, of: inode) }
        return MappedRun(logical: logical, count: count, place: .written(start))
    }

    private func checkedPointer(_ number: UInt32, of inode: Inode) throws(StorageError) -> BlockNumber {
        let block = BlockNumber(UInt64(number))
        guard geometry.contains(block) else { throw badPointer(number, of: inode) }
        return block
    }

    private func badPointer(_ number: UInt32, of inode: Inode) -> StorageError {
        .ext4(
            .corrupt, .blockOutOfRange,
            "\(inode.name) points to block \(number), which is not in the volume; run e2fsck",
            structure: "block map", offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
    }
}
