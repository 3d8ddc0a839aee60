package import Storage

/// VMware's disks: one sparse file with its descriptor inside (monolithicSparse, streamOptimized), or a
/// descriptor and its extents (monolithicFlat, vmfs, twoGbMaxExtent…).
package enum VMDKDriver: ImageDriver {
    package static var format: ImageFormat { .vmdk }
    package static var makesChildren: Bool { true }
    package static var storesParentPath: Bool { true }

    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        head.span8.matches(VMDKSparseHeader.magic) || VMDKDescriptor.recognises(head)
    }

    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        switch try VMDKSource.read(file) {
        case .sparse(let header, let descriptor):
            try openSparse(file, header: header, descriptor: descriptor, options: options)
        case .descriptor(let descriptor):
            try openExtents(of: descriptor, in: file, options: options)
        }
    }

    package static func describe(_ file: any ByteFile) throws(StorageError) -> ImageInfo {
        switch try VMDKSource.read(file) {
        case .sparse(let header, let descriptor):
            var info = try info(header, descriptor, file)
            info.extents = [
                ImageInfo.Extent(
                    byteCount: header.byteCount, name: nil, kind: "", unitSize: header.grainSize,
                    isCompressed: header.isCompressed)
            ]
            info.references =
                descriptor?.references(isPartOfImage: false).filter { $0.role != "extent" } ?? []
            return info
        case .descriptor(let descriptor):
            var size: UInt64 = 0
            for line in descriptor.extents { size = try adding(line, to: size, descriptor) }
            var info = ImageInfo(
                format: .vmdk, variant: descriptor.createType, virtualSize: size, fileSize: file.byteCount,
                allocatedSize: file.allocatedByteCount,
                references: descriptor.references(isPartOfImage: false), details: try descriptor.details())
            info.extents = descriptor.extents.filter { !$0.name.isEmpty }.map {
                ImageInfo.Extent(byteCount: $0.byteCount, name: $0.name, kind: $0.kind.rawValue)
            }
            return info
        }
    }

    /// The disk's size with one more extent.
    static func adding(
        _ line: VMDKExtentLine, to size: UInt64, _ descriptor: VMDKDescriptor
    ) throws(StorageError) -> UInt64 {
        guard let sum = size +? line.byteCount, sum <= UInt64(Int64.max) else {
            throw .vmdk(
                .corrupt, .diskSize, "the extents' sizes add up to more than a disk can have",
                structure: "descriptor", offset: descriptor.fileOffset)
        }
        return sum
    }

    // MARK: One sparse file

    private static func info(
        _ header: VMDKSparseHeader, _ descriptor: VMDKDescriptor?, _ file: any ByteFile
    ) throws(StorageError) -> ImageInfo {
        ImageInfo(
            format: .vmdk,
            variant: descriptor?.createType ?? (header.isCompressed ? "streamOptimized" : "sparse extent"),
            virtualSize: header.byteCount, fileSize: file.byteCount, allocatedSize: file.allocatedByteCount,
            unitSize: header.grainSize, details: try descriptor?.details() ?? [])
    }

    private static func openSparse(
        _ file: any ByteFile, header: VMDKSparseHeader, descriptor: VMDKDescriptor?, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        try descriptor?.checkSupported(isEmbedded: true)
        let complete = try header.completed(byFooterOf: file)
        let extent = VMDKSparseExtent(
            file, fileIndex: 0, header: complete,
            directory: try VMDKGrainDirectory(file, header: complete))
        var info = try info(complete, descriptor, file)
        info.warnings = extent.warnings
        if let line = descriptor?.extents.first, line.byteCount != header.byteCount {
            info.warnings.append(
                "the descriptor says \(line.byteCount) bytes and the header \(header.byteCount); "
                    + "the header is believed")
        }
        if descriptor == nil {
            let piece =
                "is an extent without a descriptor, one piece of a disk; the disk is opened by its descriptor file"
            guard options.isSalvage else {
                throw .vmdk(.refused, .bareExtent, piece, path: file.path)
            }
            info.warnings.append(piece)
        }
        if options.access == .write {
            try descriptor?.checkWritable()
            try extent.checkWritable()
            guard descriptor != nil else {
                throw .vmdk(
                    .refused, .bareExtent,
                    "an extent without a descriptor is not changed by itself; open the disk's descriptor file",
                    path: file.path)
            }
        }
        let map = VMDKMap(
            hostFiles: [file],
            pieces: [
                VMDKMap.Piece(
                    range: 0..<complete.byteCount, access: .readWrite, backing: .sparse(extent))
            ],
            contentID: descriptor.flatMap { VMDKContentID($0, file: 0) })
        return OpenedImage(disk: Image(map: map), info: info)
    }
}
