package import Storage

/// VirtualBox's VDI: dynamic, static and differencing.
package enum VDIDriver: ImageDriver {
    package static var format: ImageFormat { .vdi }
    package static var makesChildren: Bool { true }

    /// By the signature behind the text.
    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        head.count >= VDIHeader.byteCount
            && head.little(VDIHeader.Field.signature, as: UInt32.self) == VDIHeader.signature
    }

    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        try open(file, try VDIHeader(reading: file), options, chain: ParentChain(file))
    }

    /// Of a differencing disk too, whose parent is not opened for it.
    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        info(of: file, try VDIHeader(reading: file))
    }

    static func open(
        _ file: any ByteFile, _ header: VDIHeader, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        let map = VDIMap(options.mapped(file, unit: header.stride), header: header)
        if map.blockCount * 4 <= VDIMap.eagerLimit, !options.isSalvage { try map.checkTable() }
        let info = info(of: file, header)
        guard header.isDifferencing else { return OpenedImage(disk: Image(map: map), info: info) }
        let parent = try openParent(of: file, header, options, chain: chain)
        return OpenedImage(disk: Image(map: map, parent: parent.disk), info: info)
    }

    /// What the header says of a disk.
    static func info(of file: any ByteFile, _ header: VDIHeader) -> ImageInfo {
        var info = ImageInfo(
            format: .vdi, variant: header.kind?.name, virtualSize: header.diskSize, fileSize: file.byteCount,
            allocatedSize: file.allocatedByteCount, unitSize: UInt64(header.blockSize),
            creator: header.creator.displayText)
        info.details = [
            ImageInfo.Detail("identifier", header.identifier.description),
            ImageInfo.Detail("modification identifier", header.modification.description),
        ]
        if !header.description.isEmpty {
            info.details.append(ImageInfo.Detail("description", header.description.displayText))
        }
        if header.isDifferencing {
            info.details.append(
                ImageInfo.Detail("parent identifier", header.parentIdentifier.description))
            info.references = [
                ImageInfo.Reference(role: "parent", name: "{\(header.parentIdentifier)}")
            ]
        }
        return info
    }
}
