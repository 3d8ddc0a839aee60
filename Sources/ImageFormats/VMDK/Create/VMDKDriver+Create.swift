package import Storage
internal import Synchronization

extension VMDKDriver {
    package static func companions(
        of path: String, byteCount: UInt64, options: ImageCreateOptions
    ) -> [String] {
        guard let known = try? VMDKCreateOptions(options), !known.subformat.isOneFile else { return [] }
        return VMDKNewExtent.list(of: path, byteCount: byteCount, known.subformat).map(\.name)
    }

    /// Options as qemu-img's `-o`, and `uuid`. With a parent: a child that is sparse, and 0 bytes means the parent's size.
    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        let known = try VMDKCreateOptions(options)
        let parent = try VMDKParentDisk(options, path: path)
        let wanted = byteCount == 0 ? parent?.disk.byteCount ?? 0 : byteCount
        let size = try checkedSize(wanted, of: path, options)
        if let parent, parent.disk.byteCount != size {
            throw .vmdk(
                .refused, .diskSize,
                "a child has its parent's size, \(parent.disk.byteCount) bytes, and not \(wanted)", path: path
            )
        }
        if known.subformat == .streamOptimized {
            return try createEmptyStream(path, byteCount: size, options: known, in: options.files)
        }
        let extents = VMDKNewExtent.list(of: path, byteCount: size, known.subformat)
        guard extents.count <= VMDKDescriptor.extentLimit else {
            throw .vmdk(
                .refused, .extentCount,
                "a disk of \(size) bytes would have more than \(VMDKDescriptor.extentLimit) extents; use subformat=vmfs",
                path: path)
        }
        let text = try VMDKNewDescriptor(
            options: known, byteCount: size, extents: extents, contentID: try VMDKContentID.random(),
            parent: parent?.stored
        ).text()
        var new = VMDKNewFiles(path: path, options: known, extents: extents, text: text, files: options.files)
        return try new.make(over: parent)
    }

    /// The size in whole sectors. Throws for what no VMDK can be, and for names that its descriptor cannot hold.
    static func checkedSize(
        _ byteCount: UInt64, of path: String, _ options: ImageCreateOptions
    ) throws(StorageError) -> UInt64 {
        guard options.sectorSize == 512 else {
            throw .vmdk(
                .unsupported, .option,
                "a VMDK has sectors of 512 bytes; a disk of \(options.sectorSize)-byte sectors would change meaning",
                path: path)
        }
        guard byteCount > 0, let size = byteCount.roundedUp(to: VMDKSparseHeader.sectorSize),
            size <= UInt64(Int64.max)
        else {
            throw .vmdk(.refused, .diskSize, "a disk cannot have \(byteCount) bytes", path: path)
        }
        // The descriptor is lines of text with the name in quotation marks.
        guard isStorable(HostPath.name(of: path).hostBytes) else {
            throw .vmdk(
                .refused, .fileName, "a VMDK's name cannot hold quotation marks or control characters",
                path: path)
        }
        return size
    }

    /// Whether a line of the descriptor can hold a name.
    static func isStorable(_ name: [UInt8]) -> Bool {
        name.allSatisfy { $0 >= 32 && $0 != UInt8(ascii: "\"") && $0 != 127 }
    }

    /// A descriptor that has to fit into the sectors that are kept for it.
    static func requireRoom(for text: [UInt8], path: String) throws(StorageError) {
        guard text.count < Int(VMDKSparseLayout.descriptorSectors * VMDKSparseHeader.sectorSize) else {
            throw .vmdk(.refused, .fileName, "the name is too long for a VMDK's descriptor", path: path)
        }
    }
}

/// The files of a disk that is made. All that were made go when one cannot be.
private struct VMDKNewFiles {
    let path: String
    let options: VMDKCreateOptions
    let extents: [VMDKNewExtent]
    let text: [UInt8]
    let files: any ByteFileStore
    private var made: [any ByteFile] = []

    init(
        path: String, options: VMDKCreateOptions, extents: [VMDKNewExtent], text: [UInt8],
        files: any ByteFileStore
    ) {
        self.path = path
        self.options = options
        self.extents = extents
        self.text = text
        self.files = files
    }

    mutating func make(over parent: VMDKParentDisk?) throws(StorageError) -> OpenedImage {
        do throws(StorageError) {
            return try options.subformat.isOneFile ? makeSparse(over: parent) : makeExtents()
        } catch {
            for file in made { try? files.remove(file.path) }
            throw error
        }
    }

    private mutating func create(_ path: String) throws(StorageError) -> any ByteFile {
        let file = try files.create(path)
        made.append(file)
        return file
    }

    /// A descriptor, and its extents beside it.
    private mutating func makeExtents() throws(StorageError) -> OpenedImage {
        try create(path).write(text, at: 0)
        let directory = HostPath.directory(of: path)
        var pieces: [VMDKMap.Piece] = []
        for (index, new) in extents.enumerated() {
            let file = try create(directory + "/" + new.name)
            let size = new.range.upperBound - new.range.lowerBound
            let backing: VMDKMap.Backing
            if options.subformat.isFlat {
                try file.truncate(to: size)
                backing = .flat(file: index + 1, offset: 0)
            } else {
                let layout = try VMDKSparseLayout(
                    byteCount: size, hasDescriptor: false, hasZeroedGrains: options.hasZeroedGrains)
                backing = .sparse(try sparse(layout, in: file, index + 1))
            }
            pieces.append(VMDKMap.Piece(range: new.range, access: .readWrite, backing: backing))
        }
        let descriptor = try VMDKDescriptor(text, at: 0)
        return try image(
            pieces, descriptor, unitSize: options.subformat.isFlat ? nil : grainSize,
            references: descriptor.references(isPartOfImage: true), parent: nil)
    }

    /// One sparse file with the descriptor in it.
    private mutating func makeSparse(over parent: VMDKParentDisk?) throws(StorageError) -> OpenedImage {
        try VMDKDriver.requireRoom(for: text, path: path)
        let byteCount = extents[0].range.upperBound
        let layout = try VMDKSparseLayout(byteCount: byteCount, hasZeroedGrains: options.hasZeroedGrains)
        let file = try create(path)
        let extent = try sparse(layout, in: file, 0)
        try file.write(text, at: VMDKSparseHeader.sectorSize)
        let descriptor = try VMDKDescriptor(text, at: VMDKSparseHeader.sectorSize)
        let piece = VMDKMap.Piece(range: 0..<byteCount, access: .readWrite, backing: .sparse(extent))
        return try image(
            [piece], descriptor, unitSize: grainSize,
            references: descriptor.references(isPartOfImage: true).filter { $0.role != "extent" },
            parent: parent)
    }

    private var grainSize: UInt64 { VMDKSparseLayout.grainSectors * VMDKSparseHeader.sectorSize }

    /// Header, directories and tables of zeros.
    private func sparse(
        _ layout: VMDKSparseLayout, in file: any ByteFile, _ index: Int
    ) throws(StorageError) -> VMDKSparseExtent {
        let head = layout.header
        try file.write(head, at: 0)
        try file.write(layout.redundantEntries.littleEndianBytes, at: layout.redundantOffset)
        try file.write(layout.entries.littleEndianBytes, at: layout.offset)
        // The tables are holes: nothing is allocated.
        try file.truncate(to: layout.overhead)
        return VMDKSparseExtent(
            file, fileIndex: index, header: try VMDKSparseHeader(head),
            directory: VMDKGrainDirectory(
                offset: layout.offset, entries: layout.entries, redundantOffset: layout.redundantOffset,
                redundantEntries: layout.redundantEntries))
    }

    private func image(
        _ pieces: [VMDKMap.Piece], _ descriptor: VMDKDescriptor, unitSize: UInt64?,
        references: [ImageInfo.Reference], parent: VMDKParentDisk?
    ) throws(StorageError) -> OpenedImage {
        let map = VMDKMap(hostFiles: made, pieces: pieces, contentID: nil)
        map.changed.withLock { $0 = Set(made.indices) }
        let info = ImageInfo(
            format: .vmdk, variant: options.subformat.rawValue, virtualSize: map.byteCount,
            fileSize: made.reduce(0) { $0 &+ $1.byteCount }, unitSize: unitSize, references: references,
            details: try descriptor.details())
        return OpenedImage(disk: Image(map: map, parent: parent?.disk), info: info)
    }
}
