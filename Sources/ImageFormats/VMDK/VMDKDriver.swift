package import Storage

/// VMware's disks: one sparse file with its descriptor inside (monolithicSparse, streamOptimized), or a
/// descriptor and its extents (monolithicFlat, vmfs, twoGbMaxExtent, vmfsSparse, seSparse…). Each may be a snapshot over a
/// parent.
package enum VMDKDriver: ImageDriver {
    package static var format: ImageFormat { .vmdk }
    package static var makesChildren: Bool { true }
    package static var storesParentPath: Bool { true }

    package static func recognises(head: [UInt8], tail: [UInt8], byteCount: UInt64) -> Bool {
        VMDKSource.isExtent(head) || VMDKDescriptor.recognises(head)
    }

    /// A snapshot is opened with its parents, as far as `options.references` allows; they are only read.
    package static func open(
        _ file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        try open(
            try VMDKSource.read(file, isSalvage: options.isSalvage), in: file, options,
            chain: ParentChain(file))
    }

    static func open(
        _ source: VMDKSource, in file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        switch source {
        case .sparse(let header, let descriptor):
            try openSparse(file, header: header, descriptor: descriptor, options, chain: chain)
        case .seSparse(let header): try openSESparse(file, header: header, options)
        case .descriptor(let descriptor): try openExtents(of: descriptor, in: file, options, chain: chain)
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
        case .seSparse(let header):
            var info = info(header, file)
            info.extents = [
                ImageInfo.Extent(
                    byteCount: header.byteCount, name: nil, kind: "", unitSize: VMDKSESparseHeader.grainSize)
            ]
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
}
