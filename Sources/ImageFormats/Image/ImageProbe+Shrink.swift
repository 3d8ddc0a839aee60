package import Storage

/// Why a disk is not made shorter, whatever its format.
enum ShrinkCode: String, LayerCode, CaseIterable {
    static let layer = "image"

    case notInThisFormat = "shrink-not-built"
}

extension ImageProbe {
    /// Makes the disk of an image shorter, which was opened for writing and has to be opened again afterwards. Whoever
    /// calls has made sure that nothing lives behind the new end.
    package static func shrink(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        let files = image.disk.map.hostFiles
        guard files.allSatisfy({ !$0.hasFixedLength || $0.access == .read }) else {
            throw StorageError(
                .refused, GrowthCode.blockDevice,
                "lies on a block device, which does not become shorter with it",
                path: files.first?.path)
        }
        try driver(for: image.info.format).shrink(image, to: byteCount)
    }
}
