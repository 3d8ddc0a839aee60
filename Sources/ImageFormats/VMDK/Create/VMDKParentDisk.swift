internal import Storage

/// The parent of a child that is made.
struct VMDKParentDisk {
    /// The parent's disk, with what is behind it.
    let disk: Image
    /// What the child's descriptor says of it.
    let stored: VMDKNewDescriptor.Parent

    /// Opens the parent that the options name; nil when they name none. The child of a disk in several files names the
    /// parent's descriptor.
    init?(_ options: ImageCreateOptions, path: String) throws(StorageError) {
        guard let parent = options.parent else { return nil }
        let file = try options.files.open(parent, access: .read)
        guard let descriptor = try VMDKSource.read(file).descriptor else {
            throw .vmdk(
                .refused, .bareExtent,
                "an extent without a descriptor has no identity, so it cannot be a parent",
                path: parent)
        }
        let contentID = try descriptor.contentID()
        guard contentID != VMDKDescriptor.noParent else {
            throw .vmdk(
                .refused, .contentID, "its identifier is the one that means \"no parent\"",
                structure: "descriptor", field: "CID", offset: descriptor.fileOffset, path: parent)
        }
        let name =
            options.parentName
            ?? ParentName.relativeSteps(of: parent, from: options.finalPath ?? path, in: options.files)
            .joined(separator: "/")
        guard VMDKDriver.isStorable(name.hostBytes) else {
            throw .vmdk(
                .refused, .fileName, "a parent's name cannot hold quotation marks or control characters",
                path: parent)
        }
        // The caller named the parent; its own parents may lie beside it.
        disk = try VMDKDriver.open(
            try VMDKSource.read(file), in: file,
            ImageOpenOptions(files: options.files, references: ReferencePolicy(allowsSiblings: true)),
            chain: ParentChain(file, above: 1)
        ).disk
        stored = VMDKNewDescriptor.Parent(contentID: contentID, hint: name.hostBytes)
    }
}
