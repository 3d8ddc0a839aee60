internal import Storage

extension VolumeCheck {
    /// Extended attributes in the inode and in its block, which several inodes may share.
    func checkAttributes(of inode: Inode, _ totals: inout MapTotals) throws(StorageError) {
        let number = inode.number.rawValue
        if let area = view.inodeAttributeArea(inode) {
            _ = try sink.attempt(inode: number) { () throws(StorageError) in
                try checkEntries(area, of: inode, isBlock: false, &totals)
            }
        }
        guard let block = inode.attributeBlock(geometry) else { return }
        guard
            let (_, area) = try sink.attempt(
                inode: number, { () throws(StorageError) in try view.attributeBlockArea(of: inode) })
                ?? nil
        else {
            totals.isPartial = true
            return
        }
        totals.blockCount += geometry.clusterRatio
        if let known = attributeBlocks[block.rawValue] {
            attributeBlocks[block.rawValue]?.used = known.used &+ 1
            return
        }
        let claimed: UInt32 = area.bytes.little(AttributeBlock.referenceCountOffset)
        attributeBlocks[block.rawValue] = (1, claimed)
        if let clusters = clusters(of: Range(block, count: 1)),
            claims.claim(clusters) != nil, !geometry.readOnly.contains(.sharedBlocks)
        {
            add(
                .multiplyClaimed, inode,
                "keeps attributes in block \(block.rawValue), which something else has claimed")
        }
        _ = try sink.attempt(inode: number) { () throws(StorageError) in
            try checkEntries(area, of: inode, isBlock: true, &totals)
        }
    }

    private func checkEntries(
        _ area: AttributeArea, of inode: Inode, isBlock: Bool, _ totals: inout MapTotals
    ) throws(StorageError) {
        let entries = try view.entries(of: area, inode)
        var values: [Range<Int>] = []
        if entries.contains(where: { $0.name.suffix.contains(0) }) {
            sink.add(
                Finding(view.nameWithNUL(of: inode), .damage, file: FileID(UInt64(inode.number.rawValue))))
        }
        for entry in entries {
            if entry.valueInode != 0 {
                if !geometry.incompatible.contains(.attributeInodes) {
                    add(
                        .inodeField, inode, "keeps an attribute in an inode, which the superblock denies",
                        .warning)
                } else if entry.valueLength == 0 {
                    add(.inodeField, inode, "keeps an attribute without a value in an inode", .warning)
                    valueInodes.insert(entry.valueInode)
                    continue
                } else {
                    _ = try sink.attempt(inode: inode.number.rawValue) { () throws(StorageError) in
                        try view.value(of: entry, of: inode)
                    }
                }
                valueInodes.insert(entry.valueInode)
                if try isOwned(entry.valueInode, by: inode) { continue }
                // The kernel charges the value's blocks to the inode that has the attribute.
                let cluster = UInt64(geometry.blockSize) * geometry.clusterRatio
                let clusters = UInt64(entry.valueLength).dividedRoundingUp(by: cluster)
                totals.blockCount += clusters * geometry.clusterRatio
                totals.valueCount += 1
                continue
            }
            if !entry.value.isEmpty {
                values.append(entry.valueOffset..<entry.valueOffset + (entry.value.count + 3) & ~3)
            }
            // Hashes of attributes in the inode may be zero.
            guard isBlock || entry.hash != 0, !entry.hasValidHash else { continue }
            add(.attributeHash, inode, "has an attribute whose hash is wrong")
        }
        values.sort { $0.lowerBound < $1.lowerBound }
        let overlap = zip(values, values.dropFirst()).contains { $0.upperBound > $1.lowerBound }
        let last = entries.last.map { $0.offset + 16 + $0.name.suffix.count } ?? 0
        if overlap || values.first.map({ $0.lowerBound < last }) ?? false {
            add(.attributeReferences, inode, "has attributes that overlap each other")
        }
    }

    /// Whether a value's inode names its owner by number and generation, as Lustre's do: its blocks are its own.
    private func isOwned(_ value: UInt32, by inode: Inode) throws(StorageError) -> Bool {
        guard value <= geometry.inodeCount else { return false }
        let holder = try view.rawInode(InodeNumber(value))
        return holder.word(Inode.Offset.modificationTime) == inode.number.rawValue
            && holder.generation == inode.generation
    }

    /// How many inodes use each attribute block, against what it claims.
    func checkAttributeReferences() {
        for (block, count) in attributeBlocks.sorted(by: { $0.key < $1.key })
        where count.used != count.claimed {
            sink.add(
                .attributeReferences,
                "attribute block \(block) claims \(count.claimed) users and has \(count.used)",
                structure: "attribute block", offset: block * UInt64(geometry.blockSize))
        }
    }

    /// Inline data needs its attribute unless it fits into i_block, and a size that both hold.
    func checkInlineData(of inode: Inode) throws(StorageError) {
        let number = inode.number.rawValue
        guard inode.type == .regular || inode.type == .directory || inode.type == .symbolicLink else {
            return
        }
        let found = try sink.attempt(inode: number) { () throws(StorageError) in
            try view.inlineOverflow(of: inode)
        }
        guard let overflow = found else { return }
        guard let overflow else {
            add(.inodeField, inode, "is marked as having inline data and does not have it")
            return
        }
        let size = inode.size(geometry)
        let room = UInt64(60 + overflow.count)
        let isWrong = inode.type == .directory ? size != room : size > room || size < 60 && !overflow.isEmpty
        if isWrong { add(.inodeSize, inode, "has a size of \(size) and \(room) bytes of inline data") }
        if inode.type == .regular, overflow.count > 0, size > 0, size != room {
            add(.inodeSize, inode, "has a size of \(size) and \(room) bytes of inline data")
        }
    }

    /// A link's target is as long as i_size says, and ends there.
    func checkSymbolicLink(_ inode: Inode) throws(StorageError) {
        let size = inode.size(geometry)
        guard size > 0, size <= UInt64(geometry.blockSize) else {
            return add(.badSymbolicLink, inode, "is a symbolic link of \(size) bytes")
        }
        guard !inode.flags.contains(.encrypted) else { return }
        guard
            let target = try sink.attempt(
                inode: inode.number.rawValue,
                { () throws(StorageError) in try view.symbolicLinkTarget(of: inode) })
        else { return }
        let isFast = view.isFastSymbolicLink(inode)
        let map = inode.bytes[Inode.mapRange]
        // What lies behind a zero within the inode is nobody's.
        guard !inode.flags.contains(.inlineData) else { return }
        if target.contains(0) || isFast && map.prefix(while: { $0 != 0 }).count != target.count {
            return add(.badSymbolicLink, inode, "is a symbolic link whose size is not its target's")
        }
        // A target in a block ends with a zero behind it.
        guard !isFast, size < UInt64(geometry.blockSize) else { return }
        let place = try sink.attempt { () throws(StorageError) in try view.run(of: inode, at: 0).place }
        guard case .written(let block)? = place,
            let bytes = try sink.attempt({ () throws(StorageError) in try view.block(block) })
        else {
            return add(.badSymbolicLink, inode, "is a symbolic link without a target")
        }
        if bytes[Int(size)] != 0 {
            add(.badSymbolicLink, inode, "is a symbolic link whose size is not its target's")
        }
    }
}
