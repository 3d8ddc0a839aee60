internal import Storage

extension VHDDriver {
    /// Opens the parent of a differencing disk, known by the identifier in its footer, with its own parents.
    static func openParent(
        of disk: VHDDisk, _ header: VHDDynamicHeader, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> (OpenedImage, warning: String?) {
        var search = ParentSearch(layer: "vhd", child: disk.file, options: options, chain: chain)
        search.identifiers = (
            "the identifier \(header.parentIdentifier)",
            { (try? VHDFooterPlacement(in: $0)).map { "the identifier \($0.footer.identifier)" } }
        )
        let parent = try search.find(try header.parentNames(in: disk.file)) {
            (file) throws(StorageError) -> VHDDisk? in
            // Not a VHD at all: not the parent either.
            guard let placement = try? VHDFooterPlacement(in: file),
                placement.footer.identifier == header.parentIdentifier
            else { return nil }
            return try VHDDisk(file)
        }
        let opened = try open(
            parent, search.below(parent.file), chain: try chain.adding(parent.file, layer: "vhd"))
        var warning: String?
        if let time = parent.file.modificationTime,
            time - VHDFooter.epoch != Int64(header.parentTimestamp)
        {
            warning =
                "the parent's time of change is not the one that the disk remembers: it was copied, or changed "
                + "after this disk was made of it (then its contents no longer fit)"
        }
        return (opened, warning)
    }
}
