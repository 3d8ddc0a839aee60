package import Storage
internal import Synchronization

extension VMDKDriver {
    package static func companions(of path: String, options: ImageCreateOptions) -> [String] {
        guard let known = try? VMDKCreateOptions(options), known.subformat != .monolithicSparse else {
            return []
        }
        return [flatName(of: path)]
    }

    package static func create(
        _ path: String, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> OpenedImage {
        let known = try VMDKCreateOptions(options)
        guard options.sectorSize == 512 else {
            throw .vmdk(
                .unsupported, .option,
                "a VMDK has sectors of 512 bytes; a disk of \(options.sectorSize)-byte sectors would change meaning",
                path: path)
        }
        guard byteCount > 0, let size = byteCount.roundedUp(to: VMDKSparseHeader.sectorSize),
            size <= UInt64(Int64.max)
        else {
            throw .vmdk(.misuse, .diskSize, "a disk cannot have \(byteCount) bytes", path: path)
        }
        let name = HostPath.name(of: path)
        // The descriptor is lines of text with the name in quotation marks.
        guard name.utf8.allSatisfy({ $0 >= 32 && $0 != UInt8(ascii: "\"") && $0 != 127 }) else {
            throw .vmdk(
                .refused, .fileName, "a VMDK's name cannot hold quotation marks or control characters",
                path: path)
        }
        return known.subformat == .monolithicSparse
            ? try createSparse(path, byteCount: size, options: known, in: options.files)
            : try createFlat(path, byteCount: size, options: known, in: options.files)
    }

    private static func flatName(of path: String) -> String {
        let name = HostPath.name(of: path)
        let stem = name.lowercased().hasSuffix(".vmdk") ? String(name.dropLast(5)) : name
        return stem + "-flat.vmdk"
    }

    /// Removes files that were just made when what follows fails.
    private static func removing<T>(
        _ paths: String..., from files: any ByteFileStore, body: () throws(StorageError) -> T
    ) throws(StorageError) -> T {
        do throws(StorageError) {
            return try body()
        } catch {
            for path in paths { try? files.remove(path) }
            throw error
        }
    }

    private static func createFlat(
        _ path: String, byteCount: UInt64, options: VMDKCreateOptions, in files: any ByteFileStore
    ) throws(StorageError) -> OpenedImage {
        let name = flatName(of: path)
        let text = try VMDKDescriptor.text(
            byteCount: byteCount, extent: name, contentID: try VMDKContentID.random(), options: options)
        let flatPath = HostPath.directory(of: path) + "/" + name
        let file = try files.create(path)
        let flat = try removing(path, from: files) { () throws(StorageError) in try files.create(flatPath) }
        try removing(path, flatPath, from: files) { () throws(StorageError) in
            try flat.truncate(to: byteCount)
            try file.write(text, at: 0)
        }
        let descriptor = try VMDKDescriptor(text, at: 0)
        let map = VMDKMap(
            hostFiles: [file, flat],
            pieces: [
                VMDKMap.Piece(
                    range: 0..<byteCount, access: .readWrite, backing: .flat(file: 1, offset: 0))
            ], contentID: nil)
        map.changed.withLock { $0 = [0, 1] }
        let info = ImageInfo(
            format: .vmdk, variant: options.subformat.rawValue, virtualSize: byteCount,
            fileSize: byteCount + UInt64(text.count), references: descriptor.references(isPartOfImage: true),
            details: try descriptor.details())
        return OpenedImage(disk: Image(map: map), info: info)
    }

    private static func createSparse(
        _ path: String, byteCount: UInt64, options: VMDKCreateOptions, in files: any ByteFileStore
    ) throws(StorageError) -> OpenedImage {
        let layout = try VMDKSparseLayout(byteCount: byteCount)
        let text = try VMDKDescriptor.text(
            byteCount: byteCount, extent: HostPath.name(of: path), contentID: try VMDKContentID.random(),
            options: options)
        guard text.count < Int(VMDKSparseLayout.descriptorSectors * VMDKSparseHeader.sectorSize) else {
            throw .vmdk(.refused, .fileName, "the name is too long for a VMDK's descriptor", path: path)
        }
        let head = layout.header
        let header = try VMDKSparseHeader(head)
        let file = try files.create(path)
        try removing(path, from: files) { () throws(StorageError) in
            try file.write(head, at: 0)
            try file.write(text, at: VMDKSparseHeader.sectorSize)
            try file.write(layout.redundantEntries.littleEndianBytes, at: layout.redundantOffset)
            try file.write(layout.entries.littleEndianBytes, at: layout.offset)
            // The tables are zeros: nothing is allocated.
            try file.truncate(to: layout.overhead)
        }
        let extent = VMDKSparseExtent(
            file, fileIndex: 0, header: header,
            directory: VMDKGrainDirectory(
                offset: layout.offset, entries: layout.entries, redundantOffset: layout.redundantOffset,
                redundantEntries: layout.redundantEntries))
        let map = VMDKMap(
            hostFiles: [file],
            pieces: [
                VMDKMap.Piece(range: 0..<byteCount, access: .readWrite, backing: .sparse(extent))
            ], contentID: nil)
        map.changed.withLock { $0 = [0] }
        let descriptor = try VMDKDescriptor(text, at: VMDKSparseHeader.sectorSize)
        let info = ImageInfo(
            format: .vmdk, variant: options.subformat.rawValue, virtualSize: byteCount,
            fileSize: layout.overhead, unitSize: header.grainSize, details: try descriptor.details())
        return OpenedImage(disk: Image(map: map), info: info)
    }
}
