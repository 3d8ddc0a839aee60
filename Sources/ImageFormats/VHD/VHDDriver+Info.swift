internal import Storage

extension VHDDriver {
    /// What the footer says of the disk.
    static func info(of file: HostFile, _ placement: VHDFooterPlacement, size: UInt64) -> ImageInfo {
        let footer = placement.footer
        var info = ImageInfo(
            format: .vhd, variant: footer.kind?.name, virtualSize: size, fileSize: file.byteCount,
            allocatedSize: file.allocatedByteCount, creator: footer.creator.displayText,
            warnings: placement.warnings)
        info.details = [
            ImageInfo.Detail("identifier", footer.identifier.description),
            ImageInfo.Detail(
                "creator version", "\(footer.creatorVersion >> 16).\(footer.creatorVersion & 0xffff)"),
            ImageInfo.Detail(
                "geometry",
                "\(footer.geometry.cylinders)/\(footer.geometry.heads)/\(footer.geometry.sectorsPerTrack)"),
        ]
        let others = (footer.currentSize, footer.geometry.sectorCount * 512)
        if footer.byteCount() != others.0 {
            info.details.append(ImageInfo.Detail("current size field", "\(others.0)"))
        }
        if footer.hasSavedState {
            info.warnings.append(
                "a virtual machine was suspended on this disk; it cannot resume once it is changed")
        }
        return info
    }
}
