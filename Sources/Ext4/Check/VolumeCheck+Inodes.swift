internal import Storage

extension VolumeCheck {
    /// Reads a group's inode table, a run of blocks at a time, and checks the inodes in use.
    func checkInodes(of descriptor: GroupDescriptor) throws(StorageError) {
        let used = usedInodeCount(of: descriptor)
        let perBlock = UInt32(geometry.inodesPerBlock)
        let blocksPerRead: UInt32 = max(1, UInt32(262_144 / geometry.blockSize))
        var index: UInt32 = 0
        while index < used {
            let firstBlock = index / perBlock
            let count = min(blocksPerRead, (used - index).dividedRoundingUp(by: perBlock))
            let start = descriptor.inodeTable.advanced(by: UInt64(firstBlock))
            var bytes = [UInt8](repeating: 0, count: Int(count) * geometry.blockSize)
            let read: Void? = try sink.attempt { () throws(StorageError) in
                try bytes.withMutableBytes { (span) throws(StorageError) in
                    try view.readData(into: &span, from: start, skip: 0)
                }
            }
            let end = min(used, index + count * perBlock)
            if read != nil { try checkInodes(index..<end, of: descriptor, in: bytes, from: start) }
            index = end
        }
    }

    /// Inodes of a group that may be in use: with checksums, the rest of the table was never written.
    func usedInodeCount(of descriptor: GroupDescriptor) -> UInt32 {
        guard geometry.hasMetadataChecksums || geometry.readOnly.contains(.descriptorChecksums) else {
            return geometry.inodesPerGroup
        }
        if descriptor.flags & GroupDescriptor.Flags.inodesUninitialised != 0 { return 0 }
        return geometry.inodesPerGroup - min(geometry.inodesPerGroup, descriptor.unusedInodeCount)
    }

    private func checkInodes(
        _ range: Range<UInt32>, of descriptor: GroupDescriptor, in bytes: [UInt8], from start: BlockNumber
    ) throws(StorageError) {
        let size = geometry.inodeSize
        for index in range {
            let place = Int(index - range.lowerBound) * size
            let isUnused =
                bytes.little(place) as UInt16 == 0 && bytes.little(place + Inode.Offset.links) as UInt16 == 0
            let number = UInt32(truncatingIfNeeded: descriptor.group) &* geometry.inodesPerGroup &+ index &+ 1
            // The bad blocks' inode has neither mode nor links, and was looked at first.
            if number == 1 { continue }
            if isUnused, bytes.little(place + Inode.Offset.deletionTime) as UInt32 == 0,
                !geometry.hasMetadataChecksums
                    || bytes.span8.extracting(place..<place + size).isAllZero
            {
                continue
            }
            let (block, offset) = place.quotientAndRemainder(dividingBy: geometry.blockSize)
            if isBad(start.advanced(by: UInt64(block))) { continue }
            try check(
                Inode(
                    number: InodeNumber(number), block: start.advanced(by: UInt64(block)), offset: offset,
                    bytes: Array(bytes[place..<place + size])))
        }
    }

    /// One inode: pass 1.
    private func check(_ inode: Inode) throws(StorageError) {
        let number = inode.number.rawValue
        let isReserved = number < geometry.firstInode && number != InodeNumber.root.rawValue
        let isOrphan = orphans.contains(number)
        if number == 8, !geometry.compatible.contains(.hasJournal), inode.linkCount > 0 {
            add(.journalState, inode, "is a journal, and the superblock has none")
        }
        guard inode.linkCount > 0 || isOrphan else {
            if inode.mode != 0, !isReserved, inode.word(Inode.Offset.deletionTime) == 0 {
                add(.inodeField, inode, "is deleted and has no time of deletion")
            }
            return checkChecksum(of: inode)
        }
        try ledger.add(number, type: InodeLedger.code(inode.type), links: inode.linkCount)
        if inode.flags.contains(.attributeInode) { attributeInodes.insert(number) }
        checkFields(of: inode, isOrphan: isOrphan, isReserved: isReserved)
        // A reserved inode that nothing uses.
        if isReserved, inode.mode == 0 { return }
        guard 128 + inode.extraSize <= geometry.inodeSize, inode.extraSize % 4 == 0 else { return }
        if inode.type == .directory, !isReserved {
            directories.append(number)
        }
        if number == 7 { return try checkResizeInode(inode) }
        try checkMap(of: inode)
        try checkEncryption(of: inode)
    }

    /// The checksum of a record, which one that was given back keeps.
    private func checkChecksum(of inode: Inode) {
        guard geometry.hasMetadataChecksums, inode.computedChecksum(geometry) != inode.storedChecksum else {
            return
        }
        sink.add(
            Finding(
                .damage, Ext4Code.inodeChecksum, "the checksum of \(inode.name) is wrong", structure: "inode",
                offset: offset(of: inode), file: FileID(UInt64(inode.number.rawValue))))
    }

    private func checkFields(of inode: Inode, isOrphan: Bool, isReserved: Bool) {
        if 128 + inode.extraSize > geometry.inodeSize || inode.extraSize % 4 != 0 {
            add(.inodeField, inode, "claims \(inode.extraSize) extra bytes")
        }
        checkChecksum(of: inode)
        // Of reserved inodes only the journal's and the resize inode's are used; what others hold means nothing.
        guard !isReserved || inode.number.rawValue == 7 || inode.number.rawValue == 8 else { return }
        if inode.word(Inode.Offset.deletionTime) != 0, !isOrphan {
            add(.inodeField, inode, "is in use and has a time of deletion")
        }
        if inode.type == nil, !isReserved {
            add(.inodeField, inode, "is in use and of no known type (mode \(inode.mode.hex))")
        }
        if inode.flags.contains(.attributeInode), inode.type != .regular {
            add(
                .inodeField, inode, "is marked as holding an attribute's value and is no regular file",
                .warning)
        }
        if inode.word(0x70) != 0 { add(.inodeField, inode, "has a fragment's address") }
        if !geometry.incompatible.contains(.wide), inode.half(Inode.Offset.attributeBlockHigh) != 0,
            view.superblock.word(Superblock.Offset.creator) == 0
        {
            add(.inodeField, inode, "has the high half of an attribute block's number, which has 32 bits")
        }
        if inode.flags.rawValue & 0x2000 != 0, !inode.flags.contains(.extents),
            geometry.compatible.rawValue & 0x2 == 0
        {
            add(.inodeField, inode, "has the flag of AFS magic inodes")
        }
        if inode.flags.contains(.extents), !geometry.incompatible.contains(.extents) {
            add(.inodeField, inode, "uses extents, which the superblock denies")
        }
        if inode.flags.contains(.inlineData), !geometry.incompatible.contains(.inlineData) {
            add(.inodeField, inode, "has inline data, which the superblock denies")
        }
        if inode.flags.contains(.inlineData), inode.flags.contains(.extents) {
            add(.inodeField, inode, "has both inline data and extents")
        }
        if inode.attributeBlock(geometry) != nil, !geometry.compatible.contains(.extendedAttributes),
            view.superblock.word(Superblock.Offset.creator) == 0
        {
            add(.inodeField, inode, "has a block of attributes, which the superblock denies")
        }
        checkSpecial(inode)
    }

    /// Devices, FIFOs and sockets have no contents; they and links are neither immutable nor append-only.
    private func checkSpecial(_ inode: Inode) {
        switch inode.type {
        case .characterDevice, .blockDevice, .fifo, .socket:
            if inode.word(Inode.Offset.sizeLow) != 0 { add(.inodeSize, inode, "is special and has a size") }
            if !inode.flags.isDisjoint(with: [.extents, .inlineData]) {
                add(.inodeField, inode, "is special and has flags of contents")
            }
        case .symbolicLink: break
        default: return
        }
        if !inode.flags.isDisjoint(with: [.immutable, .appendOnly]) {
            add(.inodeField, inode, "is special and immutable or append-only")
        }
    }
}
