internal import Storage
internal import Synchronization

// Choosing space. Grains go to the end of the file, at multiples of the grain size; freed space is never reused,
// because no list of free grains exists.

extension VMDKSparseExtent {
    /// Bytes of tables that are changed in memory before they are written: 128 GiB of guest disk with ordinary grains.
    private static let pendingLimit = 8 << 20

    /// Throws, with the way out, when this extent must not be changed in place.
    func checkWritable(_ options: ImageOpenOptions) throws(StorageError) {
        if header.isCompressed {
            throw .vmdk(
                .refused, .streamOptimized,
                "a streamOptimized VMDK cannot be changed in place", path: file.path,
                remedies: [.convert(options: []), .migrate])
        }
        if header.version >= 3, !options.dropsChangeTracking {
            throw .vmdk(
                .refused, .changeTracking,
                "version 3 of the sparse format means changed block tracking, which an offline change would make "
                    + "wrong", structure: "sparse header", field: "version", offset: 4,
                path: file.path,
                remedies: [.dropChangeTracking, .convert(options: [])])
        }
        if isDamaged {
            throw .vmdk(
                .refused, .damagedDirectory,
                "the grain directory is damaged, so the disk is not changed",
                path: file.path, remedies: [.convert(options: [])])
        }
    }

    /// How byte `offset` is written; see `WritableImageMap`. `limit` is the disk's byte at which the extent ends.
    func prepareWriting(at offset: UInt64, base: UInt64, limit: UInt64) throws(StorageError) -> WriteTarget {
        let (index, slot) = place(of: offset)
        guard let table = try table(index) else {
            return .allocate(unit: header.grainSize, end: min(base + grainEnd(index + 1, 0), limit))
        }
        let entry = table[slot]
        guard !header.isPlaceless(entry) else {
            let next = table[slot...].firstIndex { !header.isPlaceless($0) } ?? table.count
            return .allocate(unit: header.grainSize, end: min(base + grainEnd(index, next), limit))
        }
        guard let position = checked(entry, index, slot) else {
            throw .vmdk(
                .corrupt, .grainPlace, "a grain lies past the end of the file; is it truncated?",
                structure: "grain table \(index)", field: "entry \(slot)",
                offset: VMDKSector(entry).offset, path: file.path)
        }
        let start = grainStart(index, slot)
        var end = endOfPlainRun(table, index, slot, entry: entry, position: position)
        if overlapsMetadata(position..<position + (end - start)) {
            end = grainEnd(index, slot + 1)
            guard !overlapsMetadata(position..<position + (end - start)) else {
                throw .vmdk(
                    .corrupt, .grainInMetadata,
                    "a grain overlaps the image's own structures; writing it would destroy them",
                    structure: "grain table \(index)", field: "entry \(slot)", offset: position,
                    path: file.path)
            }
        }
        return .inPlace(
            file: fileIndex, offset: position + (offset - start), end: min(base + end, limit))
    }

    /// Space for the grains of `range`, or for those of them that are in one table.
    func allocate(_ range: Range<UInt64>) throws(StorageError) -> (range: Range<UInt64>, offset: UInt64) {
        let (index, slot) = place(of: range.lowerBound)
        let end = min(range.upperBound, grainEnd(index + 1, 0))
        let isCrowded = state.withLock {
            $0.pending.count >= max(Self.pendingLimit / header.tableByteCount, 1) && $0.pending[index] == nil
        }
        // All data of earlier allocations has been written by now.
        if isCrowded { try commit() }
        var entries =
            try table(index) ?? [UInt32](repeating: 0, count: header.entriesPerTable)
        let grain = header.grainSize
        let count = (end - range.lowerBound).dividedRoundingUp(by: grain)
        let offset = try claim(count * grain)
        for step in 0..<Int(count) {
            guard let sector = VMDKSector(containing: offset + UInt64(step) * grain) else { throw fileFull }
            entries[slot + step] = sector.rawValue
        }
        state.withLock { $0.pending[index] = entries }
        return (range.lowerBound..<end, offset)
    }

    /// Takes `count` bytes at the end of the file.
    func claim(_ count: UInt64) throws(StorageError) -> UInt64 {
        let length = file.byteCount
        let grain = header.grainSize
        let offset = state.withLock { state -> UInt64? in
            guard let start = max(state.nextFree, length).roundedUp(to: grain), let end = start +? count,
                VMDKSector(containing: end) != nil
            else { return nil }
            state.nextFree = end
            return start
        }
        guard let offset else { throw fileFull }
        return offset
    }

    /// Behind the last sector that a table can name.
    var fileFull: StorageError {
        .vmdk(
            .refused, .fileFull, "a sparse extent cannot grow past 2 TiB; use the vmfs subformat",
            path: file.path)
    }

    // MARK: Metadata ranges

    private func overlapsMetadata(_ range: Range<UInt64>) -> Bool {
        let known = state.withLock { state -> RangeSet<UInt64> in
            if state.metadata.isEmpty { state.metadata = metadataRanges(state.directory) }
            return state.metadata
        }
        let ranges = known.ranges
        let index = ranges.firstIndex(sortedBy: { $0.upperBound > range.lowerBound })
        return index < ranges.endIndex && ranges[index].lowerBound < range.upperBound
    }

    /// Header, descriptor, directories and tables: mostly one range.
    private func metadataRanges(_ directory: VMDKGrainDirectory) -> RangeSet<UInt64> {
        let directorySize = UInt64(directory.entries.count) * 4
        var ranges = [0..<header.ownByteCount, directory.offset..<directory.offset + directorySize]
        if let descriptor = header.descriptorRange { ranges.append(descriptor) }
        if let redundant = directory.redundantOffset { ranges.append(redundant..<redundant + directorySize) }
        for sector in directory.entries + directory.redundantEntries where sector != 0 {
            let start = VMDKSector(sector).offset
            ranges.append(start..<start + UInt64(header.tableByteCount))
        }
        // In order they join at the end of what is there; in any other each would move all behind it.
        return RangeSet(ranges.sorted { $0.lowerBound < $1.lowerBound })
    }
}
