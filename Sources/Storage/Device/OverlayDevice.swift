internal import Synchronization

/// A copy-on-write view in memory: writes stay in this process, the base is never written. `migrate` patches
/// through one and converts what it shows.
///
/// A read beside a write sees all of it or nothing of it; the base never changes.
public final class OverlayDevice: WritableBlockDevice {
    private let base: any BlockDevice
    private let changes = Mutex(PageOverlay())
    private let byteLimit: Int

    /// The size in bytes, the base's.
    public var byteCount: UInt64 { base.byteCount }
    /// The logical sector size in bytes, the base's.
    public var sectorSize: UInt32 { base.sectorSize }
    /// The base's host files.
    public var hostFiles: [any ByteFile] { base.hostFiles }

    /// An empty overlay over `base` that takes no more writes once it holds `byteLimit` bytes.
    public init(_ base: any BlockDevice, byteLimit: Int = 1 << 30) {
        self.base = base
        self.byteLimit = byteLimit
    }

    /// Fills `target` from the base and the pages written since.
    public func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try base.read(into: &target, at: offset)
        snapshot().apply(to: &target, at: offset)
    }

    /// The base's extents, with written pages as `memory`.
    public func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        let changes = snapshot()
        if let end = changes.endOfRun(at: offset) {
            return Extent(range: offset..<min(end, byteCount), kind: .memory)
        }
        var extent = try base.nextExtent(at: offset)
        if let next = changes.nextRun(after: offset), next < extent.range.upperBound {
            extent.range = offset..<next
        }
        return extent
    }

    /// Copies the touched pages into memory and changes them there.
    public func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(source.byteCount))
        let range = offset..<offset + UInt64(source.byteCount)
        let (edges, heldByteCount) = changes.withLock { ($0.edgesNotHeld(of: range), $0.byteCount) }
        guard heldByteCount < byteLimit else {
            throw StorageError(
                .refused, DeviceCode.overlayFull,
                "the changes do not fit into \(byteLimit) bytes of memory", layerName: "overlay")
        }
        // Read before the lock is taken: readers do not wait for the base. A page that is held stays held.
        var contents: [UInt64: [UInt8]] = [:]
        for start in edges {
            contents[start] = try base.bytes(
                at: start, count: Int(min(PageOverlay.pageSize, byteCount - start)))
        }
        changes.withLock { _ = $0.write(source, at: offset, edges: contents) }
    }

    /// Writes zeros into memory.
    public func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: count)
        try writeZeroesByWriting(at: offset, count: count)
    }

    /// Nothing to do: memory has no order.
    public func flush() throws(StorageError) {}

    private func snapshot() -> PageOverlay { changes.withLock { $0 } }
}
