internal import Storage

/// One group's descriptor, kept as read and patched in place. Offsets: the kernel's `struct ext4_group_desc`; the
/// high halves exist in descriptors of 64 bytes and more.
struct GroupDescriptor: Sendable {
    enum Flags {
        static let inodesUninitialised: UInt16 = 1
        static let blocksUninitialised: UInt16 = 2
        static let inodesZeroed: UInt16 = 4
    }

    let group: UInt64
    /// s_desc_size bytes.
    var bytes: [UInt8]

    private var isWide: Bool { bytes.count >= 64 }

    private func block(_ low: Int, _ high: Int) -> BlockNumber {
        let lowHalf: UInt32 = bytes.little(low)
        let highHalf: UInt32 = isWide ? bytes.little(high) : 0
        return BlockNumber(UInt64(highHalf) << 32 | UInt64(lowHalf))
    }

    private func count(_ low: Int, _ high: Int) -> UInt32 {
        let lowHalf: UInt16 = bytes.little(low)
        let highHalf: UInt16 = isWide ? bytes.little(high) : 0
        return UInt32(highHalf) << 16 | UInt32(lowHalf)
    }

    private mutating func setCount(_ value: UInt32, _ low: Int, _ high: Int) {
        bytes.storeLittle(UInt16(truncatingIfNeeded: value), at: low)
        if isWide { bytes.storeLittle(UInt16(truncatingIfNeeded: value >> 16), at: high) }
    }

    var blockBitmap: BlockNumber { block(0x00, 0x20) }
    var inodeBitmap: BlockNumber { block(0x04, 0x24) }
    var inodeTable: BlockNumber { block(0x08, 0x28) }
    /// Counted in clusters.
    var freeBlockCount: UInt32 {
        get { count(0x0c, 0x2c) }
        set { setCount(newValue, 0x0c, 0x2c) }
    }
    var freeInodeCount: UInt32 {
        get { count(0x0e, 0x2e) }
        set { setCount(newValue, 0x0e, 0x2e) }
    }
    var usedDirectoryCount: UInt32 {
        get { count(0x10, 0x30) }
        set { setCount(newValue, 0x10, 0x30) }
    }
    /// Inodes at the end of the table that were never used.
    var unusedInodeCount: UInt32 {
        get { count(0x1c, 0x32) }
        set { setCount(newValue, 0x1c, 0x32) }
    }
    var flags: UInt16 {
        get { bytes.little(0x12) }
        set { bytes.storeLittle(newValue, at: 0x12) }
    }
    /// CRC-32C of the block bitmap; the high half exists in wide descriptors.
    var blockBitmapChecksum: UInt32 {
        get { count(0x18, 0x38) }
        set { setCount(newValue, 0x18, 0x38) }
    }
    /// CRC-32C of the inode bitmap; the high half exists in wide descriptors.
    var inodeBitmapChecksum: UInt32 {
        get { count(0x1a, 0x3a) }
        set { setCount(newValue, 0x1a, 0x3a) }
    }
    /// How many bits of a bitmap's checksum the descriptor holds.
    var bitmapChecksumMask: UInt32 { isWide ? 0xffff_ffff : 0xffff }
    var storedChecksum: UInt16 { bytes.little(0x1e) }

    /// bg_checksum as it should be, or nil where the volume has none: CRC-32C with metadata_csum, CRC-16 with
    /// uninit_bg, both over the group's number and the descriptor.
    func computedChecksum(_ geometry: Geometry) -> UInt16? {
        var number = [UInt8](repeating: 0, count: 4)
        number.storeLittle(UInt32(truncatingIfNeeded: group), at: 0)
        if geometry.hasMetadataChecksums {
            var copy = bytes
            copy.storeLittle(UInt16(0), at: 0x1e)
            let sum = CRC32C.update(geometry.checksum(number.span8), copy.span8)
            return UInt16(truncatingIfNeeded: sum)
        }
        guard geometry.readOnly.contains(.descriptorChecksums) else { return nil }
        var sum = CRC16.update(0xffff, geometry.uuid.span8)
        sum = CRC16.update(sum, number.span8)
        sum = CRC16.update(sum, bytes.span8.extracting(0..<0x1e))
        return CRC16.update(sum, bytes.span8.extracting(0x20..<bytes.count))
    }

    /// Sets bg_checksum where the volume has one.
    mutating func updateChecksum(_ geometry: Geometry) {
        if let sum = computedChecksum(geometry) { bytes.storeLittle(sum, at: 0x1e) }
    }
}

extension VolumeView {
    /// Where a group's descriptor lies. Throws when the group does not exist or the place is outside the volume.
    func descriptorPosition(_ group: UInt64) throws(StorageError) -> (block: BlockNumber, offset: Int) {
        guard group < geometry.groupCount else {
            throw .ext4(
                .corrupt, .badDescriptor, "group \(group) does not exist", structure: "group descriptors")
        }
        let (index, slot) = group.quotientAndRemainder(dividingBy: geometry.descriptorsPerBlock)
        let block = geometry.descriptorBlock(index)
        guard block.rawValue < geometry.blockCount else {
            throw .ext4(
                .corrupt, .badDescriptor, "the descriptor of group \(group) would lie past the volume's end",
                structure: "group descriptors")
        }
        return (block, Int(slot) * geometry.descriptorSize)
    }

    /// Reads a group's descriptor and checks it.
    func descriptor(_ group: UInt64) throws(StorageError) -> GroupDescriptor {
        let (block, offset) = try descriptorPosition(group)
        let bytes = try self.block(block)
        let descriptor = GroupDescriptor(
            group: group, bytes: Array(bytes[offset..<offset + geometry.descriptorSize]))
        let position = geometry.byteOffset(of: block) + UInt64(offset)
        if let sum = descriptor.computedChecksum(geometry), sum != descriptor.storedChecksum {
            try checksumFailure(
                .descriptorChecksum, "the checksum of group \(group)'s descriptor is wrong; run e2fsck",
                structure: "group descriptor", offset: position)
        }
        guard geometry.contains(descriptor.blockBitmap), geometry.contains(descriptor.inodeBitmap),
            geometry.contains(descriptor.inodeTable, count: geometry.inodeTableBlockCount)
        else {
            throw .ext4(
                .corrupt, .badDescriptor, "group \(group)'s bitmaps or inode table lie outside the volume",
                structure: "group descriptor", offset: position)
        }
        return descriptor
    }
}
