package import Storage

extension VMDKDriver {
    /// Disks of one extent. Flat: the extent's file, then the descriptor. Sparse: longer directories and new tables at
    /// the end of the file, then capacity and places in the header's one sector, then the descriptor.
    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        guard let map = image.disk.map as? VMDKMap, let file = map.hostFiles.first else { return }
        guard image.disk.parent == nil else {
            throw .vmdk(
                .refused, .growthOfParts,
                "a snapshot is not made longer: VMware takes it for damaged when its parent has another size; a copy of it "
                    + "can be", path: file.path, remedies: [.convert(options: [])])
        }
        guard map.pieces.count == 1, let piece = map.pieces.first, piece.access == .readWrite else {
            throw split(file)
        }
        switch piece.backing {
        case .zero, .seSparse: throw split(file)
        case .flat(let index, let offset):
            try growFlat(map, map.hostFiles[index], offset: offset, to: byteCount)
        case .sparse(let extent):
            guard extent.fileIndex == 0 else { throw split(file) }
            _ = try VMDKSparseLayout(byteCount: byteCount)
            try map.beginWriting()
            try VMDKSparseGrowth(file: file, header: extent.header).run(to: byteCount)
        }
        try resizeDescriptor(in: file, to: byteCount)
    }

    private static func split(_ file: any ByteFile) -> StorageError {
        .vmdk(
            .refused, .growthOfParts,
            "a disk of several extents is not made longer; a copy of it can be", path: file.path,
            remedies: [.convert(options: [])])
    }

    private static func growFlat(
        _ map: VMDKMap, _ flat: any ByteFile, offset: UInt64, to byteCount: UInt64
    ) throws(StorageError) {
        guard let end = offset +? byteCount, end <= UInt64(Int64.max) else {
            throw .vmdk(.refused, .diskSize, "a disk cannot have \(byteCount) bytes", path: flat.path)
        }
        guard flat.byteCount == offset + map.byteCount else {
            throw .vmdk(
                .refused, .bytesBehindExtent,
                "the file goes on behind the disk's end, and the longer disk would show what lies there; a "
                    + "copy of it can be made longer", offset: offset + map.byteCount, path: flat.path,
                remedies: [.convert(options: [])])
        }
        try map.beginWriting()
        try flat.truncate(to: end)
        try flat.flush()
    }

    private static func resizeDescriptor(
        in file: any ByteFile, to byteCount: UInt64
    ) throws(StorageError) {
        let descriptor: VMDKDescriptor
        var limit = UInt64(VMDKDescriptor.byteLimit)
        switch try VMDKSource.read(file) {
        case .seSparse: return
        case .descriptor(let text): descriptor = text
        case .sparse(let header, let text):
            guard let text, let range = header.descriptorRange else { return }
            descriptor = text
            limit = range.upperBound - range.lowerBound
        }
        let new = try descriptor.resized(to: byteCount)
        guard UInt64(new.count) < limit else {
            throw .vmdk(
                .refused, .descriptorTooLarge, "the longer size does not fit into the descriptor",
                structure: "descriptor", offset: descriptor.fileOffset, path: file.path)
        }
        try descriptor.write(new, to: file)
        try file.flush()
    }
}

/// Makes a hosted sparse extent longer.
private struct VMDKSparseGrowth {
    let file: any ByteFile
    let header: VMDKSparseHeader

    func run(to byteCount: UInt64) throws(StorageError) {
        let directory = try VMDKGrainDirectory(file, header: header)
        try clearLastGrain(directory, to: byteCount)
        try clearEntries(directory)
        var places: (redundant: UInt64?, primary: UInt64)?
        let tables = byteCount.dividedRoundingUp(by: header.tableSpan)
        if tables > UInt64(header.tableCount) { places = try layOut(directory, tables: tables) }
        try file.flush()
        let sector = VMDKSparseHeader.sectorSize
        var head = try file.bytes(at: 0, count: VMDKSparseHeader.byteSize)
        head.storeLittle(byteCount / sector, at: 12)
        if let places {
            if let redundant = places.redundant { head.storeLittle(redundant / sector, at: 48) }
            head.storeLittle(places.primary / sector, at: 56)
        }
        try file.write(head, at: 0)
        try file.flush()
    }

    /// What lies in the last grain behind the disk's end.
    private func clearLastGrain(
        _ directory: VMDKGrainDirectory, to byteCount: UInt64
    ) throws(StorageError) {
        var whole = header
        guard let end = header.byteCount.roundedUp(to: header.grainSize) else { return }
        whole.byteCount = min(end, byteCount)
        guard whole.byteCount > header.byteCount else { return }
        let extent = VMDKSparseExtent(file, fileIndex: 0, header: whole, directory: directory)
        let piece = VMDKMap.Piece(range: 0..<whole.byteCount, access: .readWrite, backing: .sparse(extent))
        try Image(map: VMDKMap(hostFiles: [file], pieces: [piece], contentID: nil)).clear(
            from: header.byteCount)
    }

    /// What the last table, in both copies, has behind the disk's last grain.
    private func clearEntries(_ directory: VMDKGrainDirectory) throws(StorageError) {
        let last = header.tableCount - 1
        let used = Int(
            (header.byteCount - UInt64(last) * header.tableSpan).dividedRoundingUp(by: header.grainSize))
        let rest = (header.entriesPerTable - used) * 4
        guard rest > 0 else { return }
        for entries in [directory.entries, directory.redundantEntries] where entries.indices.contains(last) {
            guard entries[last] != 0 else { continue }
            let place = VMDKSector(entries[last]).offset + UInt64(used) * 4
            let old = try file.bytes(at: place, count: rest)
            if !old.span8.isAllZero {
                try file.write([UInt8](repeating: 0, count: rest), at: place)
            }
        }
    }

    /// Directories with `tables` entries at the end of the file, the new ones naming tables of zeros.
    private func layOut(
        _ directory: VMDKGrainDirectory, tables: UInt64
    ) throws(StorageError) -> (redundant: UInt64?, primary: UInt64) {
        let sector = VMDKSparseHeader.sectorSize
        let directorySize = (tables * 4).dividedRoundingUp(by: sector) * sector
        let stride = UInt64(header.tableByteCount).dividedRoundingUp(by: sector) * sector
        let more = tables - UInt64(header.tableCount)
        let copies: [[UInt32]] =
            directory.redundantOffset == nil
            ? [directory.entries] : [directory.redundantEntries, directory.entries]
        guard let start = file.byteCount.roundedUp(to: header.grainSize),
            let end = (start +? UInt64(copies.count) * (directorySize + more * stride))?.roundedUp(
                to: header.grainSize), end / sector <= UInt64(UInt32.max)
        else {
            throw .vmdk(
                .refused, .fileFull, "a sparse extent cannot grow past 2 TiB; use the vmfs subformat",
                path: file.path)
        }
        var position = start
        var places: [UInt64] = []
        for known in copies {
            let first = position + directorySize
            let new = (0..<more).map { UInt32((first + $0 * stride) / sector) }
            try file.write((known + new).littleEndianBytes, at: position)
            places.append(position)
            position = first + more * stride
        }
        // The tables are holes.
        if file.byteCount < end { try file.truncate(to: end) }
        return (copies.count == 2 ? places.first : nil, places[places.count - 1])
    }
}
