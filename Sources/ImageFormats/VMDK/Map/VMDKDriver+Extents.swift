internal import Storage

// A descriptor in a file of its own. Its extents are part of the image, so they are opened without asking a
// policy, and therefore only as plain names of regular files beside the descriptor: hostile descriptors have
// named the host's own files (CVE-2022-47951).

extension VMDKDriver {
    static func openExtents(
        of descriptor: VMDKDescriptor, in file: any ByteFile, options: ImageOpenOptions
    ) throws(StorageError) -> OpenedImage {
        try descriptor.checkSupported(isEmbedded: false)
        if options.access == .write { try descriptor.checkWritable() }
        for line in descriptor.extents { try check(line, descriptor) }
        var opening = ExtentOpening(descriptorFile: file, options: options)
        var pieces: [VMDKMap.Piece] = []
        var position: UInt64 = 0
        for line in descriptor.extents {
            let end = try adding(line, to: position, descriptor)
            let backing = try opening.backing(of: line)
            pieces.append(VMDKMap.Piece(range: position..<end, access: line.access, backing: backing))
            position = end
        }
        let map = VMDKMap(
            hostFiles: opening.files, pieces: pieces, contentID: VMDKContentID(descriptor, file: 0))
        if options.access == .write { try map.checkWritable() }
        let grains = opening.grainSizes.min()
        var allocated: UInt64?
        for file in opening.files {
            guard let bytes = file.allocatedByteCount else { continue }
            allocated = (allocated ?? 0) + bytes
        }
        let info = ImageInfo(
            format: .vmdk, variant: descriptor.createType, virtualSize: position,
            fileSize: opening.files.reduce(0) { $0 &+ $1.byteCount }, allocatedSize: allocated,
            unitSize: grains, references: descriptor.references(isPartOfImage: true),
            details: try descriptor.details(), warnings: opening.warnings)
        return OpenedImage(disk: Image(map: map), info: info)
    }

    private static func check(
        _ line: VMDKExtentLine, _ descriptor: VMDKDescriptor
    ) throws(StorageError) {
        switch line.kind {
        case .flat, .vmfs, .sparse, .zero: return
        case .vmfsSparse, .seSparse, .vmfsRDM, .vmfsRaw:
            throw .vmdk(
                .unsupported, .extentType,
                "extents of type \(line.kind.rawValue) are not read yet; convert the disk with VMware's tools or "
                    + "qemu-img first",
                structure: "descriptor", offset: descriptor.fileOffset)
        }
    }
}

/// Opens the files of a descriptor, each once.
private struct ExtentOpening {
    private let options: ImageOpenOptions
    private(set) var files: [any ByteFile]
    private(set) var warnings: [String] = []
    private(set) var grainSizes: [UInt64] = []
    private var indices: [[UInt8]: Int] = [:]

    init(descriptorFile: any ByteFile, options: ImageOpenOptions) {
        self.options = options
        files = [descriptorFile]
    }

    mutating func backing(of line: VMDKExtentLine) throws(StorageError) -> VMDKMap.Backing {
        if line.kind == .zero { return .zero }
        // Nobody may read it, so there is no need to open it either.
        if line.access == .none { return .zero }
        let index = try open(line.name)
        let file = files[index]
        if line.kind == .sparse { return .sparse(try sparse(file, index, line)) }
        guard let end = line.fileOffset +? line.byteCount, end <= file.byteCount || options.isSalvage else {
            throw .vmdk(
                .corrupt, .extentSize,
                "the file has \(file.byteCount) bytes and the descriptor needs \(line.byteCount) from "
                    + "\(line.fileOffset) on; is it truncated?", path: file.path)
        }
        return .flat(file: index, offset: line.fileOffset)
    }

    private mutating func open(_ name: [UInt8]) throws(StorageError) -> Int {
        if let index = indices[name] { return index }
        let descriptorFile = files[0]
        let text = String(hostBytes: name)
        let directory = HostPath.directory(of: descriptorFile.path)
        if let own = descriptorFile.identity,
            options.files.identity(of: "\(directory)/\(text)") == own
        {
            throw .vmdk(
                .corrupt, .extentName, "the descriptor names itself as an extent", path: descriptorFile.path)
        }
        let file = try options.files.openSibling(
            of: descriptorFile.path, name: text, access: options.access)
        files.append(file)
        indices[name] = files.count - 1
        return files.count - 1
    }

    private mutating func sparse(
        _ file: any ByteFile, _ index: Int, _ line: VMDKExtentLine
    ) throws(StorageError) -> VMDKSparseExtent {
        do throws(StorageError) {
            let head = try file.availableBytes(at: 0, count: VMDKSparseHeader.byteSize)
            try VMDKSource.checkForeign(head, path: file.path)
            let header = try VMDKSparseHeader(head).completed(byFooterOf: file)
            // Two readers that believe different sizes would see two disks. Writers may round up to a grain.
            guard
                header.byteCount == line.byteCount
                    || header.byteCount == line.byteCount.roundedUp(to: header.grainSize)
            else {
                throw StorageError.vmdk(
                    .corrupt, .extentSize,
                    "the extent holds \(header.byteCount) bytes and the descriptor says \(line.byteCount)",
                    structure: "sparse header", field: "capacity", offset: 12)
            }
            let extent = VMDKSparseExtent(
                file, fileIndex: index, header: header,
                directory: try VMDKGrainDirectory(file, header: header))
            if options.access == .write, line.access == .readWrite { try extent.checkWritable() }
            warnings += extent.warnings.map { "\(HostPath.name(of: file.path)): \($0)" }
            grainSizes.append(header.grainSize)
            return extent
        } catch {
            throw error.inFile(file.path)
        }
    }
}
