package import Storage

/// Why a disk is not made shorter, whatever its format.
enum ShrinkCode: String, LayerCode, CaseIterable {
    static let layer = "image"

    case notInThisFormat = "shrink-not-built"
    case sizeZero = "shrink-to-nothing"
}

extension ImageProbe {
    /// Throws where the disk of an image can in no case become `byteCount` bytes, fewer than it has: before anybody looks at what
    /// lives behind that.
    package static func requireShrinkable(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        let files = image.disk.map.hostFiles
        guard byteCount > 0 else {
            throw StorageError(
                .refused, ShrinkCode.sizeZero, "a disk of 0 bytes is none", path: files.first?.path)
        }
        let driver = try driver(for: image.info.format)
        guard driver.canShrink else {
            throw StorageError(
                .unsupported, ShrinkCode.notInThisFormat,
                "a disk is not made shorter in this format here; qcow2 and raw can be",
                layerName: image.info.format.rawValue, path: files.first?.path,
                remedies: [.convert(options: [])])
        }
        guard files.allSatisfy({ !$0.hasFixedLength || $0.access == .read }) else {
            throw StorageError(
                .refused, GrowthCode.blockDevice,
                "lies on a block device, which does not become shorter with it",
                path: files.first?.path)
        }
    }

    /// Makes the disk of an image shorter, which was opened for writing and has to be opened again afterwards. Whoever
    /// calls has made sure that nothing lives behind the new end.
    package static func shrink(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        try requireShrinkable(image, to: byteCount)
        try driver(for: image.info.format).shrink(image, to: byteCount)
    }
}
