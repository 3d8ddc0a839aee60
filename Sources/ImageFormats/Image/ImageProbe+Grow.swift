package import Storage

/// Why a disk is not made longer, whatever its format; layer "image".
enum GrowthCode: String, LayerCode, CaseIterable {
    static var layer: String { "image" }

    case shrink = "shrink"
    case blockDevice = "block-device"
    case parentLonger = "parent-longer"
    case bytesBehindEnd = "bytes-behind-end"
}

extension ImageProbe {
    /// Makes the disk of an image longer, which was opened for writing and has to be opened again afterwards. The
    /// new bytes read as zeros. Throws `refused` for everything that would lose or show bytes.
    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        let disk = image.disk
        let path = disk.map.hostFiles.first?.path
        guard byteCount >= disk.byteCount else {
            throw refused(
                path, .shrink,
                "has \(disk.byteCount) bytes and is not made shorter, because what lies at its end would be lost; "
                    + "shrink the guest's file systems and copy what they need into a smaller disk",
                remedies: try driver(for: image.info.format).canShrink ? [.shrink] : [])
        }
        guard byteCount > disk.byteCount else { return }
        guard disk.map.hostFiles.allSatisfy({ !$0.hasFixedLength || $0.access == .read }) else {
            throw refused(
                path, .blockDevice,
                "lies on a block device, which does not grow with it; enlarge the device by its own tools")
        }
        if let parent = disk.parent, parent.byteCount > disk.byteCount {
            throw refused(
                path, .parentLonger,
                "its parent has \(parent.byteCount) bytes, so the new part of the disk would show the parent's bytes "
                    + "instead of zeros; a copy of it can be made longer", remedies: [.convert(options: [])])
        }
        try driver(for: image.info.format).grow(image, to: byteCount)
    }

    private static func refused(
        _ path: String?, _ code: GrowthCode, _ message: String, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(.refused, code, message, path: path, remedies: remedies)
    }
}

extension Image {
    /// Makes the guest's bytes from `end` on read as zeros. This disk is a view of another one that ends at `end`,
    /// as long as the last block, cluster or grain: what a writer left there must not show when the disk grows.
    func clear(from end: UInt64) throws(StorageError) {
        var position = end
        var cleared: UInt64 = 0
        while position < byteCount {
            let extent = try nextExtent(at: position)
            let stop = min(extent.range.upperBound, byteCount)
            if extent.kind == .zero {
                position = stop
                continue
            }
            let count = Int(min(stop - position, 1 << 20))
            let old = try bytes(at: position, count: count)
            if !old.span8.isAllZero {
                cleared += UInt64(count)
                // No block, cluster or grain is larger; and all of it is held in memory.
                guard cleared <= 256 << 20 else {
                    throw StorageError(
                        .refused, GrowthCode.bytesBehindEnd,
                        "holds more behind the disk's end than any writer leaves there; a copy of it can be made longer",
                        offset: position, path: map.hostFiles.first?.path, remedies: [.convert(options: [])])
                }
                try write([UInt8](repeating: 0, count: count), at: position)
            }
            position += UInt64(count)
        }
        try flush()
    }
}
