internal import Storage

/// The one place through which all blocks of a volume are read: bounds, journal, cache.
final class BlockStore: Sendable {
    private let bytes: MetadataStore
    let known = KnownInodes()
    private let blockSize: Int
    private let blockCount: UInt64

    init(_ device: any BlockDevice, geometry: Geometry, cacheByteCount: Int) {
        blockSize = geometry.blockSize
        blockCount = geometry.blockCount
        // At least eight blocks, whatever their size.
        bytes = MetadataStore(
            device, layer: Ext4Code.layer, cacheByteCount: max(cacheByteCount, 8 * geometry.blockSize))
    }

    /// Where blocks come from.
    var device: any BlockDevice { bytes.device }

    /// A metadata block, from the cache when it is there.
    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8] {
        try bytes.bytes(at: offset(of: number, skip: 0, byteCount: blockSize), count: blockSize)
    }

    /// Bytes of consecutive blocks, from the device.
    func read(into target: inout MutableRawSpan, from first: BlockNumber, skip: Int) throws(StorageError) {
        let offset = try offset(of: first, skip: skip, byteCount: target.byteCount)
        try bytes.read(into: &target, at: offset)
    }

    private func offset(
        of first: BlockNumber, skip: Int, byteCount: Int
    ) throws(StorageError) -> UInt64 {
        let count = UInt64(skip + byteCount).dividedRoundingUp(by: UInt64(blockSize))
        guard first.rawValue < blockCount, count <= blockCount - first.rawValue else {
            throw .ext4(
                .corrupt, .blockOutOfRange,
                "block \(first.rawValue) is needed and the volume has \(blockCount) blocks; run e2fsck")
        }
        return first.rawValue * UInt64(blockSize) + UInt64(skip)
    }

    /// Reads from `device` from now on: the journal's replay is on it.
    func replaceDevice(_ device: any BlockDevice) {
        bytes.replaceDevice(device)
        known.forget()
    }
}
