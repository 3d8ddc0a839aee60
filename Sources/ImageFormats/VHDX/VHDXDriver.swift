package import Storage

/// Microsoft's VHDX: Hyper-V since Windows Server 2012.
package enum VHDXDriver: ImageDriver {
    package static var format: ImageFormat { .vhdx }
    package static var makesChildren: Bool { true }
    package static var sectorSizes: [UInt32] { [512, 4096] }

    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        head.span8.matches(VHDXDisk.signature)
    }

    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        try open(try VHDXDisk(file), options, chain: ParentChain(file))
    }

    /// Of a differencing disk too, whose parent is not opened for it.
    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        info(of: try VHDXDisk(file))
    }

    static func open(
        _ disk: VHDXDisk, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        let info = info(of: disk)
        let map = VHDXMap(disk)
        if map.layout.entryCount * 8 <= VHDXMap.eagerTableLimit, !options.isSalvage { try map.checkTable() }
        guard let locator = disk.metadata.parent else {
            return OpenedImage(disk: Image(map: map), info: info)
        }
        let parent = try openParent(of: disk, locator, options, chain: chain)
        return OpenedImage(disk: Image(map: map, parent: parent.disk), info: info)
    }

    /// Opens the parent of a differencing disk, known by the DataWriteGuid in its header, with its own parents.
    private static func openParent(
        of disk: VHDXDisk, _ locator: VHDXParentLocator, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        var search = ParentSearch(layer: "vhdx", child: disk.file, options: options, chain: chain)
        let linkages = locator.linkages
        search.identifiers = linkages.first.map { linkage in
            (
                "the identifier \(linkage)",
                { (try? VHDXHeaders(in: $0)).map { "the identifier \($0.current.dataWriteGUID)" } }
            )
        }
        let parent = try search.find(locator.names) { (file) throws(StorageError) -> VHDXDisk? in
            // Not a VHDX at all: not the parent either.
            guard let headers = try? VHDXHeaders(in: file), linkages.contains(headers.current.dataWriteGUID)
            else { return nil }
            return try VHDXDisk(file)
        }
        guard parent.metadata.sectorSize == disk.metadata.sectorSize else {
            throw .vhdx(
                .corrupt, .sectorSize,
                "the disk has sectors of \(disk.metadata.sectorSize) bytes and its parent of "
                    + "\(parent.metadata.sectorSize)", path: disk.file.path)
        }
        return try open(
            parent, search.below(parent.file), chain: try chain.adding(parent.file, layer: "vhdx"))
    }

    static func info(of disk: VHDXDisk) -> ImageInfo {
        let metadata = disk.metadata
        let variant =
            metadata.hasParent ? "differencing" : metadata.leavesBlocksAllocated ? "fixed" : "dynamic"
        var info = ImageInfo(
            format: .vhdx, variant: variant, virtualSize: metadata.byteCount, fileSize: disk.file.byteCount,
            allocatedSize: disk.file.allocatedByteCount, unitSize: UInt64(metadata.blockSize),
            sectorSize: metadata.sectorSize, creator: Array(disk.creator.utf8).displayText,
            warnings: disk.warnings)
        info.details = [
            ImageInfo.Detail("physical sector size", "\(metadata.physicalSectorSize)"),
            ImageInfo.Detail("disk identifier", metadata.diskID.description),
            ImageInfo.Detail("data write identifier", disk.headers.current.dataWriteGUID.description),
            ImageInfo.Detail("log size", "\(disk.headers.current.logLength)"),
        ]
        if let parent = metadata.parent {
            info.references = parent.names.map {
                ImageInfo.Reference(role: "parent", name: Array($0.text.utf8).displayText)
            }
            if let linkage = parent.linkages.first {
                info.details.append(ImageInfo.Detail("parent identifier", linkage.description))
            }
        }
        return info
    }
}
