internal import Storage

// A descriptor in a file of its own. Its extents are part of the image, so they are opened without asking a
// policy, and therefore only as plain names of regular files beside the descriptor: hostile descriptors have
// named the host's own files (CVE-2022-47951).

extension VMDKDriver {
    static func openExtents(
        of descriptor: VMDKDescriptor, in file: any ByteFile, _ options: ImageOpenOptions, chain: ParentChain
    ) throws(StorageError) -> OpenedImage {
        try descriptor.checkSupported(isEmbedded: false)
        if options.access == .write {
            try descriptor.checkWritable(dropsChangeTracking: options.dropsChangeTracking)
        }
        for line in descriptor.extents { try check(line, descriptor) }
        var opening = VMDKExtentOpening(descriptor, in: file, options: options)
        var pieces: [VMDKMap.Piece] = []
        var position: UInt64 = 0
        for line in descriptor.extents {
            let end = try adding(line, to: position, descriptor)
            let backing = try opening.backing(of: line)
            pieces.append(VMDKMap.Piece(range: position..<end, access: line.access, backing: backing))
            position = end
        }
        let grains = opening.grainSizes.min()
        var allocated: UInt64?
        for file in opening.files {
            guard let bytes = file.allocatedByteCount else { continue }
            allocated = (allocated ?? 0) + bytes
        }
        var info = ImageInfo(
            format: .vmdk, variant: descriptor.createType, virtualSize: position,
            fileSize: opening.files.reduce(0) { $0 &+ $1.byteCount }, allocatedSize: allocated,
            unitSize: grains, references: descriptor.references(isPartOfImage: true),
            details: try descriptor.details(), warnings: opening.warnings)
        let extents = pieces.compactMap {
            if case .sparse(let extent) = $0.backing, $0.access == .readWrite { extent } else { nil }
        }
        let tracking = options.access == .write ? tracking(descriptor, extents, &info) : nil
        let map = VMDKMap(
            hostFiles: opening.files, pieces: pieces, contentID: VMDKContentID(descriptor, file: 0),
            tracking: tracking)
        if options.access == .write { try map.checkWritable() }
        let parent = try openParent(of: descriptor, in: file, options, chain: chain)
        info.warnings += parent?.info.warnings ?? []
        return OpenedImage(disk: Image(map: map, parent: parent?.disk), info: info)
    }

    private static func check(
        _ line: VMDKExtentLine, _ descriptor: VMDKDescriptor
    ) throws(StorageError) {
        let name = "\"\(line.name.displayText)\""
        switch line.kind {
        case .vmfsRDM, .vmfsRDMP, .vmfsRaw:
            throw descriptor.rawDevice(
                "has the raw device map \(name) (\(line.kind.rawValue)): its bytes are on a device of the host, not in files"
            )
        case .flat, .vmfs, .sparse, .zero, .vmfsSparse, .seSparse:
            guard line.access != .none, line.isDevice else { return }
            throw descriptor.rawDevice("has the device \(name) of the host as an extent")
        }
    }
}
