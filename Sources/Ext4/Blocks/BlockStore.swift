internal import Storage
internal import Synchronization

/// The one place through which all blocks of a volume are read: bounds, journal, cache.
final class BlockStore: Sendable {
    private let source: Mutex<any BlockDevice>
    private let blockSize: Int
    private let blockCount: UInt64
    private let cache: Mutex<BoundedCache<BlockNumber, [UInt8]>>
    /// The block behind the one that was read last for want of it in the cache.
    private let expected = Atomic<UInt64>(0)

    /// How many bytes are read at once where blocks are asked for one after another, as in an inode table.
    private static let readAheadByteCount = 64 << 10

    init(_ device: any BlockDevice, geometry: Geometry, cacheByteCount: Int) {
        source = Mutex(device)
        blockSize = geometry.blockSize
        blockCount = geometry.blockCount
        // At least eight blocks, whatever their size.
        cache = Mutex(BoundedCache(budget: max(cacheByteCount, 8 * geometry.blockSize)))
    }

    /// Where blocks come from.
    var device: any BlockDevice { source.withLock { $0 } }

    /// A metadata block, from the cache when it is there.
    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8] {
        if let held = cache.withLock({ $0.value(for: number) }) { return held }
        if expected.exchange(number.rawValue &+ 1, ordering: .relaxed) == number.rawValue,
            let bytes = readAhead(from: number)
        {
            return bytes
        }
        var bytes = [UInt8](repeating: 0, count: blockSize)
        try bytes.withMutableBytes { (span) throws(StorageError) in
            try read(into: &span, from: number, skip: 0)
        }
        cache.withLock { $0.keep(bytes, for: number, cost: blockSize) }
        return bytes
    }

    /// Reads a block and those behind it into the cache; nil where they cannot all be read.
    private func readAhead(from first: BlockNumber) -> [UInt8]? {
        guard first.rawValue < blockCount else { return nil }
        let count = Int(min(UInt64(Self.readAheadByteCount / blockSize), blockCount - first.rawValue))
        guard count > 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: count * blockSize)
        do throws(StorageError) {
            try bytes.withMutableBytes { (span) throws(StorageError) in
                try read(into: &span, from: first, skip: 0)
            }
        } catch {
            return nil
        }
        expected.store(first.rawValue + UInt64(count), ordering: .relaxed)
        let blocks = (0..<count).map { Array(bytes[$0 * blockSize..<($0 + 1) * blockSize]) }
        cache.withLock { cache in
            for (index, block) in blocks.enumerated() {
                cache.keep(block, for: first.advanced(by: UInt64(index)), cost: blockSize)
            }
        }
        return blocks[0]
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
