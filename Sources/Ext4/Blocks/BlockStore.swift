internal import Storage
internal import Synchronization

/// The one place through which all blocks of a volume are read: bounds, journal, cache.
final class BlockStore: Sendable {
    private let source: Mutex<any BlockDevice>
    private let blockSize: Int
    private let blockCount: UInt64
    private let cache: Mutex<BlockCache>

    init(_ device: any BlockDevice, geometry: Geometry, cacheByteCount: Int) {
        source = Mutex(device)
        blockSize = geometry.blockSize
        blockCount = geometry.blockCount
        cache = Mutex(BlockCache(byteCount: cacheByteCount, blockSize: geometry.blockSize))
    }

    /// Where blocks come from.
    var device: any BlockDevice { source.withLock { $0 } }

    /// A metadata block, from the cache when it is there.
    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8] {
        if let held = cache.withLock({ $0.block(number) }) { return held }
        var bytes = [UInt8](repeating: 0, count: blockSize)
        try bytes.withMutableBytes { (span) throws(StorageError) in
            try read(into: &span, from: number, skip: 0)
        }
        cache.withLock { $0.insert(bytes, at: number) }
        return bytes
    }

    /// Bytes of consecutive blocks, from the device.
    func read(into target: inout MutableRawSpan, from first: BlockNumber, skip: Int) throws(StorageError) {
        let count = UInt64(skip + target.byteCount).dividedRoundingUp(by: UInt64(blockSize))
        guard first.rawValue < blockCount, count <= blockCount - first.rawValue else {
            throw .ext4(
                .corrupt, .blockOutOfRange,
                "block \(first.rawValue) is needed and the volume has \(blockCount) blocks; run e2fsck")
        }
        let offset = first.rawValue * UInt64(blockSize) + UInt64(skip)
        let device = device
        guard offset <= device.byteCount, UInt64(target.byteCount) <= device.byteCount - offset else {
            throw .ext4(
                .corrupt, .truncatedDevice,
                "block \(first.rawValue) lies past the end of the device, which is shorter than the file "
                    + "system; the image may be truncated", offset: offset)
        }
        try device.read(into: &target, at: offset)
    }

    /// Forgets what was read: the device was written.
    func invalidate() { cache.withLock { $0.removeAll() } }

    /// Reads from `device` from now on: the journal's replay is on it.
    func replaceDevice(_ device: any BlockDevice) {
        source.withLock { $0 = device }
        invalidate()
    }
}
