internal import Storage

/// The forms in which attributes are kept: in the inode, or in one leaf with values beside the names or in blocks of their own.
extension XFSTransaction {
    /// What a fork with a map needs at least: a root with two pointers (MINABTPTRS).
    private static let smallestMap = 40
    /// The same as it is where the border cannot be moved.
    private static let smallestFixedMap = 36
    /// A root with three pointers (MINDBTPTRS).
    private static let smallestDataMap = 56

    /// Lays all attributes out anew.
    func putAttributes(_ list: [HeldAttribute], of inode: inout Inode) throws(StorageError) {
        try dropAttributeBlocks(of: &inode)
        guard !list.isEmpty else { return try setForkOffset(0, of: &inode) }
        let shortSize = list.reduce(ShortAttributes.headerSize) { $0 + $1.shortSize }
        let isShort = list.count <= 255 && list.allSatisfy { $0.value.count <= 255 }
        let wanted = isShort ? (shortSize + 7) & ~7 : Int.max
        if try makeFork(wanted, of: &inode) {
            return putShort(list, size: shortSize, of: &inode)
        }
        let smallest = hasFixedForks ? Self.smallestFixedMap : Self.smallestMap
        guard try makeFork(smallest, of: &inode) else { throw full(inode) }
        try putLeaf(list, of: &inode)
        noteAttributes()
    }

    /// sb_versionnum's bit, which mkfs leaves away until there is an attribute.
    private func noteAttributes() {
        let version = superblock.half(Superblock.Offset.version)
        if version & 0x10 == 0 {
            state.superblock.bytes.storeBig(version | 0x10, at: Superblock.Offset.version)
        }
    }

    /// Attributes of the first form (attr=1): the border between the forks is where it has to be.
    private var hasFixedForks: Bool {
        !geometry.hasChecksums && !superblock.features2.contains(.attributesVersion2)
    }

    /// Where it is then (xfs_default_attroffset): a root with two pointers is left in small inodes, and in others one with twelve
    /// is before it.
    private func fixedForkOffset(_ room: Int) -> Int {
        (geometry.inodeSize == 256 ? room - Self.smallestFixedMap : 4 + 12 * 16) & ~7
    }

    /// Makes room for a fork of attributes, moving the data out of the inode where it has to. False where there is none.
    private func makeFork(_ byteCount: Int, of inode: inout Inode) throws(StorageError) -> Bool {
        let room = inode.bytes.count - inode.coreSize
        if inode.forkOffset != 0, inode.range(.attributes).count >= byteCount { return true }
        // Whatever the data are now, they may need a tree later (xfs_attr_shortform_bytesfit).
        let isNode = inode.format(.data) == .device
        let isFixed = hasFixedForks && !isNode
        let least = isNode ? Inode.deviceForkSize : isFixed ? fixedForkOffset(room) : Self.smallestDataMap
        guard byteCount <= room - least else { return false }
        let offset = isNode || isFixed ? least : (room - byteCount) & ~7
        if dataSize(of: inode) > offset {
            // A short directory or link moves into a block, a list of extents into a tree.
            switch (inode.format(.data), inode.type) {
            case (.local, .directory?): try makeBlockDirectory(&inode)
            case (.local, .symbolicLink?): try moveLinkOut(&inode)
            case (.extents, _):
                let held = try extents(of: inode, .data)
                let old = inode
                inode.bytes[Inode.Offset.forkOffset] = UInt8(offset / 8)
                let behind = inode.range(.data).upperBound..<inode.bytes.count
                inode.bytes.replaceSubrange(behind, with: [UInt8](repeating: 0, count: behind.count))
                try setExtents(held, .data, of: &inode, was: old)
                inode.setFormat(.extents, .attributes)
                return true
            default: return false
            }
        }
        try setForkOffset(offset, of: &inode)
        inode.setFormat(.extents, .attributes)
        return true
    }

    /// Bytes that the data fork needs as it is kept now.
    private func dataSize(of inode: Inode) -> Int {
        switch inode.format(.data) {
        case .device, nil: Inode.deviceForkSize
        case .local: Int(clamping: inode.size)
        case .extents: max(Int(clamping: inode.extentCount(.data)) * ExtentRecord.byteCount, 16)
        case .tree: Self.smallestDataMap
        }
    }

    private func putShort(_ list: [HeldAttribute], size: Int, of inode: inout Inode) {
        var bytes = [UInt8](repeating: 0, count: ShortAttributes.headerSize)
        bytes.storeBig(UInt16(size), at: 0)
        bytes[2] = UInt8(list.count)
        for attribute in list {
            bytes += [
                UInt8(attribute.name.count), UInt8(attribute.value.count), attribute.flags.rawValue,
            ]
            bytes += attribute.name + attribute.value
        }
        let start = inode.range(.attributes).lowerBound
        inode.bytes.replaceSubrange(start..<start + bytes.count, with: bytes)
        inode.setFormat(.local, .attributes)
        noteAttributes()
    }

    private func putLeaf(_ list: [HeldAttribute], of inode: inout Inode) throws(StorageError) {
        let header = geometry.hasChecksums ? 80 : 32
        func size(_ limit: Int) -> Int {
            list.reduce(header) { $0 + 8 + $1.leafSize(isLocal: $1.value.count <= limit) }
        }
        // Long values go into blocks of their own, shorter ones too where there is no room.
        var limit = geometry.blockSize / 2
        while size(limit) > geometry.blockSize, limit > 0 { limit /= 2 }
        guard size(limit) <= geometry.blockSize else { throw full(inode) }
        let near = geometry.group(of: inode.number)
        guard
            case let run = try takeBlocks(BlockRequest(count: 1, isMetadata: true), near: near),
            run.count == 1
        else { throw full(inode) }
        let number = geometry.block(AGBlock(run.start), in: run.group)
        try addOwner(run, BlockOwner(inode.number, .attributes, fileBlock: 0))
        var records = [ExtentRecord(isUnwritten: false, fileBlock: 0, block: number, count: 1)]
        var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
        bytes.storeBig(UInt16(geometry.hasChecksums ? 0x3bee : 0xfbee), at: 8)
        let position = geometry.position(of: number)
        stamp(&bytes, .hashTree, owner: inode.number.rawValue, at: position)
        var end = bytes.count
        for (index, attribute) in list.sorted(by: { $0.hash < $1.hash }).enumerated() {
            let isLocal = attribute.value.count <= limit
            end -= attribute.leafSize(isLocal: isLocal)
            let entry = header + index * 8
            bytes.storeBig(attribute.hash, at: entry)
            bytes.storeBig(UInt16(end), at: entry + 4)
            bytes[entry + 6] = attribute.flags.rawValue | (isLocal ? RawAttribute.Flags.local.rawValue : 0)
            if isLocal {
                bytes.storeBig(UInt16(attribute.value.count), at: end)
                bytes[end + 2] = UInt8(attribute.name.count)
                let held = attribute.name + attribute.value
                bytes.replaceSubrange(end + 3..<end + 3 + held.count, with: held)
            } else {
                let place = records.last?.end ?? 1
                bytes.storeBig(UInt32(place), at: end)
                bytes.storeBig(UInt32(attribute.value.count), at: end + 4)
                bytes[end + 8] = UInt8(attribute.name.count)
                bytes.replaceSubrange(end + 9..<end + 9 + attribute.name.count, with: attribute.name)
                records += try placeValue(attribute.value, at: place, of: inode)
            }
        }
        let field = geometry.hasChecksums ? 56 : 12
        bytes.storeBig(UInt16(list.count), at: field)
        bytes.storeBig(UInt16(bytes.count - end), at: field + 2)
        // 65536 is written as 0.
        bytes.storeBig(UInt16(truncatingIfNeeded: end), at: field + 4)
        let free = header + list.count * 8
        bytes.storeBig(UInt16(free), at: field + 8)
        bytes.storeBig(UInt16(end - free), at: field + 10)
        store(bytes, at: position, .attributeLeaf)
        try setExtents(records, .attributes, of: &inode)
    }

    /// Puts a value into blocks of its own, which are written before the commit: nothing leads to them yet.
    private func placeValue(
        _ value: [UInt8], at first: UInt64, of inode: Inode
    ) throws(StorageError) -> [ExtentRecord] {
        let header = geometry.hasChecksums ? 56 : 0
        let payload = geometry.blockSize - header
        var left = value.count.dividedRoundingUp(by: payload)
        var done = 0
        var records: [ExtentRecord] = []
        var place = first
        while left > 0 {
            let run = try takeBlocks(
                BlockRequest(count: UInt32(left), isMetadata: true), near: geometry.group(of: inode.number))
            let number = geometry.block(AGBlock(run.start), in: run.group)
            try addOwner(run, BlockOwner(inode.number, .attributes, fileBlock: place))
            records.append(
                ExtentRecord(isUnwritten: false, fileBlock: place, block: number, count: UInt64(run.count)))
            for index in 0..<UInt64(run.count) {
                let part = value[done..<min(done + payload, value.count)]
                var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
                let position = geometry.position(of: number.advanced(by: index))
                bytes.replaceSubrange(header..<header + part.count, with: part)
                if header > 0 {
                    bytes.replaceSubrange(0..<4, with: Array("XARM".utf8))
                    bytes.storeBig(UInt32(done), at: 4)
                    bytes.storeBig(UInt32(part.count), at: 8)
                    stamp(&bytes, .remote, owner: inode.number.rawValue, at: position)
                    bytes.storeBig(UInt64.max, at: BlockStamp.remote.lsn)
                    Checksum.update(&bytes, at: BlockStamp.remote.checksum)
                }
                state.contents[position] = bytes
                done += part.count
            }
            place += UInt64(run.count)
            left -= Int(run.count)
        }
        return records
    }
}
