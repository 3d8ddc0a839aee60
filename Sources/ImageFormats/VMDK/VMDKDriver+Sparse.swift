internal import Storage

// One extent in a file that is opened by itself.

extension VMDKDriver {
    static func info(
        _ header: VMDKSparseHeader, _ descriptor: VMDKDescriptor?, _ file: any ByteFile
    ) throws(StorageError) -> ImageInfo {
        let kind =
            header.kind == .vmfs
            ? "vmfsSparse extent" : header.isCompressed ? "streamOptimized" : "sparse extent"
        return ImageInfo(
            format: .vmdk, variant: descriptor?.createType ?? kind,
            virtualSize: header.byteCount, fileSize: file.byteCount, allocatedSize: file.allocatedByteCount,
            unitSize: header.grainSize, details: try descriptor?.details() ?? [])
    }

    static func info(_ header: VMDKSESparseHeader, _ file: any ByteFile) -> ImageInfo {
        ImageInfo(
            format: .vmdk, variant: "seSparse extent", virtualSize: header.byteCount,
            fileSize: file.byteCount,
            allocatedSize: file.allocatedByteCount, unitSize: VMDKSESparseHeader.grainSize)
    }

    static func openSparse(
        _ file: any ByteFile, header: VMDKSparseHeader, descriptor: VMDKDescriptor?,
        _ options: ImageOpenOptions,
        chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        try descriptor?.checkSupported(isEmbedded: true)
        let file = header.isCompressed ? file : options.mapped(file, unit: header.grainSize)
        let extent = try VMDKSparseExtent.open(file, fileIndex: 0, header: header, options)
        let complete = extent.header
        var info = try info(complete, descriptor, file)
        var budget = VMDKSparseExtent.eagerLimit
        info.warnings = extent.warnings + (try extent.tableWarnings(&budget))
        if let line = descriptor?.extents.first, line.byteCount != header.byteCount {
            info.warnings.append(
                "the descriptor says \(line.byteCount) bytes and the header \(header.byteCount); "
                    + "the header is believed")
        }
        guard let descriptor else {
            if options.access == .write { try extent.checkWritable(options) }
            try requireSalvage(file, options, &info)
            let piece = VMDKMap.Piece(
                range: 0..<complete.byteCount, access: .readWrite, backing: .sparse(extent))
            return OpenedImage(
                disk: Image(map: VMDKMap(hostFiles: [file], pieces: [piece], contentID: nil)), info: info)
        }
        var tracking: VMDKChangeTracking?
        if options.access == .write {
            try descriptor.checkWritable(dropsChangeTracking: options.dropsChangeTracking)
            try extent.checkWritable(options)
            tracking = self.tracking(descriptor, [extent], &info)
        }
        let parent = try openParent(of: descriptor, in: file, options, chain: chain)
        info.warnings += parent?.info.warnings ?? []
        let map = VMDKMap(
            hostFiles: [file],
            pieces: [
                VMDKMap.Piece(
                    range: 0..<complete.byteCount, access: .readWrite, backing: .sparse(extent))
            ],
            contentID: VMDKContentID(descriptor, file: 0), tracking: tracking)
        return OpenedImage(disk: Image(map: map, parent: parent?.disk), info: info)
    }

    static func openSESparse(
        _ file: any ByteFile, header: VMDKSESparseHeader, _ options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        let extent = try VMDKSESparseExtent(file, fileIndex: 0, header: header)
        var info = info(header, file)
        if options.access == .write { throw VMDKMap.seSparseRefusal(file.path) }
        try requireSalvage(file, options, &info)
        let piece = VMDKMap.Piece(range: 0..<header.byteCount, access: .readOnly, backing: .seSparse(extent))
        return OpenedImage(
            disk: Image(map: VMDKMap(hostFiles: [file], pieces: [piece], contentID: nil)), info: info)
    }

    /// An extent by itself is a piece of a disk, or the difference to another one: its bytes alone would be taken for a disk.
    private static func requireSalvage(
        _ file: any ByteFile, _ options: ImageOpenOptions, _ info: inout ImageInfo
    ) throws(StorageError) {
        let piece =
            "is an extent without a descriptor, one piece of a disk; the disk is opened by its descriptor file"
        guard options.isSalvage else {
            throw .vmdk(.refused, .bareExtent, piece, path: file.path)
        }
        info.warnings.append(piece)
    }

    /// What a session has to end before its first change, which `info` then says; nil: changes are not tracked.
    static func tracking(
        _ descriptor: VMDKDescriptor, _ extents: [VMDKSparseExtent], _ info: inout ImageInfo
    ) -> VMDKChangeTracking? {
        let headers = extents.filter { $0.header.version >= 3 }.map {
            (file: $0.fileIndex, version: $0.header.versionWithoutTracking)
        }
        var tracking = descriptor.changeTracking(file: 0)
        if tracking == nil, !headers.isEmpty {
            tracking = VMDKChangeTracking(file: 0, lines: [], headers: [])
        }
        tracking?.headers = headers
        if tracking != nil {
            info.warnings.append(
                "a change turns changed block tracking off: the next incremental backup has to be a full one, and the "
                    + "file of changes (-ctk.vmdk) is of no use any more")
        }
        return tracking
    }
}
