/// Devices one behind the other, each filled up with zeros to whole sectors. Extents are theirs.
package final class JoinedDevice: BlockDevice {
    private let parts: [(start: UInt64, device: any BlockDevice, firstFile: Int)]
    package let byteCount: UInt64
    package let sectorSize: UInt32
    package let hostFiles: [any ByteFile]
    package var writeRefusal: StorageError? {
        StorageError(.misuse, DeviceCode.readOnly, "this view of disks is only read", layerName: "device")
    }

    /// `devices`, one at least, in their order. Throws `misuse` where they count sectors of different sizes, or are too long
    /// together.
    package init(_ devices: [any BlockDevice]) throws(StorageError) {
        var parts: [(start: UInt64, device: any BlockDevice, firstFile: Int)] = []
        var files: [any ByteFile] = []
        var end: UInt64 = 0
        let sector = devices.first?.sectorSize ?? 512
        for device in devices {
            guard device.sectorSize == sector else {
                throw StorageError(
                    .misuse, DeviceCode.sectorSizes,
                    "disks of \(sector)-byte and of \(device.sectorSize)-byte sectors make no disk together",
                    layerName: "device")
            }
            guard let size = device.byteCount.roundedUp(to: UInt64(sector)), let next = end +? size,
                next <= UInt64(Int64.max)
            else {
                throw StorageError(
                    .misuse, DeviceCode.outOfRange, "the disks are too large together", layerName: "device")
            }
            parts.append((end, try LengthenedDevice(device, byteCount: size), files.count))
            files += device.hostFiles
            end = next
        }
        self.parts = parts
        byteCount = end
        sectorSize = sector
        hostFiles = files
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        var done = 0
        for part in parts {
            let position = offset + UInt64(done)
            let end = part.start + part.device.byteCount
            guard done < target.byteCount, position >= part.start, position < end else { continue }
            let count = Int(min(UInt64(target.byteCount - done), end - position))
            var piece = target.part(done..<done + count)
            try part.device.read(into: &piece, at: position - part.start)
            done += count
        }
    }

    package func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        // Devices without a byte begin where the next one does.
        guard let part = parts.last(where: { $0.start <= offset && $0.device.byteCount > 0 }) else {
            return Extent(range: offset..<byteCount, kind: .zero)
        }
        var extent = try part.device.nextExtent(at: offset - part.start)
        extent.range = extent.range.lowerBound + part.start..<extent.range.upperBound + part.start
        switch extent.kind {
        case .plain(let file, let place): extent.kind = .plain(file: file + part.firstFile, offset: place)
        case .compressed(var unit):
            unit.file += part.firstFile
            unit.unitRange = unit.unitRange.lowerBound + part.start..<unit.unitRange.upperBound + part.start
            extent.kind = .compressed(unit)
        case .memory, .zero, .absent, .computed: break
        }
        return extent
    }
}
