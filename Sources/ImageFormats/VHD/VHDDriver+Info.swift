internal import Storage

extension VHDDriver {
    /// What footer, header and locators say of a disk.
    static func info(of disk: VHDDisk) throws(StorageError) -> ImageInfo {
        let footer = disk.footer
        var info = ImageInfo(
            format: .vhd, variant: footer.kind?.name, virtualSize: disk.byteCount,
            fileSize: disk.file.byteCount, allocatedSize: disk.file.allocatedByteCount,
            unitSize: disk.header.map { UInt64($0.blockSize) }, creator: footer.creator.displayText,
            warnings: disk.placement.warnings)
        info.details = [
            ImageInfo.Detail("identifier", footer.identifier.description),
            ImageInfo.Detail(
                "creator version", "\(footer.creatorVersion >> 16).\(footer.creatorVersion & 0xffff)"),
            ImageInfo.Detail(
                "geometry",
                "\(footer.geometry.cylinders)/\(footer.geometry.heads)/\(footer.geometry.sectorsPerTrack)"),
        ]
        if disk.byteCount != footer.currentSize {
            info.details.append(ImageInfo.Detail("current size field", "\(footer.currentSize)"))
        }
        if let header = disk.header, footer.kind == .differencing {
            info.details.append(
                ImageInfo.Detail("parent identifier", header.parentIdentifier.description))
            info.references = try header.parentNames(in: disk.file).map {
                ImageInfo.Reference(role: "parent", name: Array($0.text.utf8).displayText)
            }
        }
        if footer.isHidden {
            info.details.append(ImageInfo.Detail("hidden", "yes: XenServer's storage manager ignores it"))
        }
        if footer.hasSavedState {
            info.warnings.append(
                "a virtual machine was suspended on this disk; it cannot resume once it is changed")
        }
        return info
    }
}
