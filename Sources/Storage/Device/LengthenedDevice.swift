/// A device with zeros behind its end. Extents are the base's.
package final class LengthenedDevice: BlockDevice {
    private let base: any BlockDevice
    package let byteCount: UInt64
    package var sectorSize: UInt32 { base.sectorSize }
    package var hostFiles: [any ByteFile] { base.hostFiles }
    package var writeRefusal: StorageError? {
        StorageError(.misuse, DeviceCode.readOnly, "this view of a disk is only read", layerName: "device")
    }

    /// `base`, `byteCount` bytes long, of which it has no more itself.
    package init(_ base: any BlockDevice, byteCount: UInt64) throws(StorageError) {
        guard byteCount >= base.byteCount else {
            throw StorageError(
                .misuse, DeviceCode.outOfRange, "the device has more than \(byteCount) bytes",
                layerName: "device")
        }
        self.base = base
        self.byteCount = byteCount
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        let available = Int(min(UInt64(target.byteCount), base.byteCount - min(offset, base.byteCount)))
        target.zero(available..<target.byteCount)
        guard available > 0 else { return }
        var part = target.part(0..<available)
        try base.read(into: &part, at: offset)
    }

    package func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        guard offset < base.byteCount else { return Extent(range: offset..<byteCount, kind: .zero) }
        return try base.nextExtent(at: offset)
    }
}
