internal import Storage
internal import Synchronization

/// The one place through which a volume's bytes are read: bounds, cache.
final class BlockStore: Sendable {
    private struct Key: Hashable {
        let position: UInt64
        let count: Int
    }

    private let source: Mutex<any BlockDevice>
    private let cache: Mutex<BoundedCache<Key, [UInt8]>>

    init(_ device: any BlockDevice, cacheByteCount: Int) {
        source = Mutex(device)
        cache = Mutex(BoundedCache(budget: max(cacheByteCount, 1 << 19)))
    }

    /// Where bytes come from.
    var device: any BlockDevice { source.withLock { $0 } }

    /// Metadata, from the cache when it is there.
    func buffer(at position: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        let key = Key(position: position, count: count)
        if let held = cache.withLock({ $0.value(for: key) }) { return held }
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withMutableBytes { (span) throws(StorageError) in try read(into: &span, at: position) }
        cache.withLock { $0.keep(bytes, for: key, cost: count) }
        return bytes
    }

    /// Bytes of the device.
    func read(into target: inout MutableRawSpan, at position: UInt64) throws(StorageError) {
        let device = device
        guard position <= device.byteCount, UInt64(target.byteCount) <= device.byteCount - position else {
            throw .xfs(
                .corrupt, .truncatedDevice,
                "bytes are needed that lie past the end of the device, which is shorter than the file system; "
                    + "the image may be truncated", offset: position)
        }
        try device.read(into: &target, at: position)
    }

    /// Forgets what was read: the device was written.
    func invalidate() { cache.withLock { $0.removeAll() } }
}
