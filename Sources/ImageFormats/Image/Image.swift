package import Storage
internal import Synchronization

/// A guest disk: all reading and writing of guest bytes, over any format's map.
package final class Image: WritableBlockDevice {
    /// The format's knowledge.
    package let map: any ImageMap
    /// The disk behind absent extents; nil: they read as zeros. Shorter parents read as zeros past their end.
    package let parent: (any BlockDevice)?

    private let writableMap: (any WritableImageMap)?
    private let decoder: UnitDecoder
    private let session = Mutex(Session())
    private let gate = AllocationGate()

    private struct Session {
        var hasBegun = false
        /// Why allocated space could not be written. From then on nothing may reach the tables: they would name
        /// space that holds something else.
        var failure: StorageError?
    }

    /// A disk over `map`. It can be written when the map can and its files were opened for writing.
    package init(map: any ImageMap, parent: (any BlockDevice)? = nil) {
        self.map = map
        self.parent = parent
        let writable = map.hostFiles.allSatisfy { $0.access == .write }
        writableMap = writable ? map as? any WritableImageMap : nil
        decoder = UnitDecoder(files: map.hostFiles)
    }

    /// The guest disk's size in bytes.
    package var byteCount: UInt64 { map.byteCount }
    /// The guest disk's logical sector size in bytes.
    package var sectorSize: UInt32 { map.sectorSize }
    /// The image's own files, then the parent's.
    package var hostFiles: [any ByteFile] { map.hostFiles + (parent?.hostFiles ?? []) }
    /// The disks behind this one that were opened, the nearest first.
    package var parents: [Image] {
        Array(sequence(first: self) { $0.parent as? Image }.dropFirst())
    }
    /// The format can only be read, or its files were opened for reading. The first `write` may refuse all the same: a
    /// damaged table is looked at then.
    package var writeRefusal: StorageError? {
        guard writableMap == nil else { return nil }
        return StorageError(
            .misuse, ImageCode.readOnly, "this image cannot be written in place",
            path: map.hostFiles.first?.path)
    }

    // MARK: Reading

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        guard writableMap != nil else { return try readExtents(into: &target, at: offset) }
        try gate.read { () throws(StorageError) in try readExtents(into: &target, at: offset) }
    }

    private func readExtents(
        into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) {
        var done = 0
        let total = target.byteCount
        while done < total {
            let position = offset + UInt64(done)
            let extent = try map.extent(forReading: total - done, at: position)
            let count = Int(min(extent.range.upperBound - position, UInt64(total - done)))
            guard count > 0 else { throw emptyExtent(at: position) }
            var part = target.part(done..<done + count)
            switch extent.kind {
            case .plain(let file, let hostOffset):
                try readPlain(into: &part, file: file, at: hostOffset)
            case .zero:
                part.zero(0..<count)
            case .absent:
                try readParent(into: &part, at: position)
            case .compressed(let unit):
                try decoder.read(into: &part, of: unit, at: position)
            case .memory:
                try map.readMemory(into: &part, at: position)
            case .computed:
                throw emptyExtent(at: position)
            }
            done += count
        }
    }

    /// The map's extent; an absent one becomes the parent's, or zero.
    package func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        var extent = try map.extent(at: offset)
        guard case .absent = extent.kind else { return extent }
        guard let parent, offset < parent.byteCount else {
            extent.kind = .zero
            return extent
        }
        var below = try parent.nextExtent(at: offset)
        below.range = offset..<min(below.range.upperBound, extent.range.upperBound)
        let shift = map.hostFiles.count
        switch below.kind {
        case .plain(let file, let hostOffset):
            below.kind = .plain(file: file + shift, offset: hostOffset)
        case .compressed(var unit):
            unit.file += shift
            below.kind = .compressed(unit)
        case .absent:
            below.kind = .zero
        case .memory, .zero, .computed:
            break
        }
        return below
    }

    /// Bytes that a file promises and does not have read as an error: a map that knows of writers which do not
    /// pad the last unit answers `zero` for what is missing.
    private func readPlain(into target: inout MutableRawSpan, file: Int, at offset: UInt64)
        throws(StorageError)
    {
        let files = map.hostFiles
        guard files.indices.contains(file) else { throw emptyExtent(at: offset) }
        try files[file].read(into: &target, at: offset)
    }

    private func readParent(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        guard let parent, offset < parent.byteCount else {
            target.zero(0..<target.byteCount)
            return
        }
        let available = Int(min(UInt64(target.byteCount), parent.byteCount - offset))
        target.zero(available..<target.byteCount)
        var part = target.part(0..<available)
        try parent.read(into: &part, at: offset)
    }

    private func emptyExtent(at offset: UInt64) -> StorageError {
        StorageError(
            .corrupt, ImageCode.noExtent, "the image's tables do not say where this byte is",
            offset: offset)
    }

    // MARK: Writing

    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(source.byteCount))
        let map = try beginWriting()
        var position = offset
        let end = offset + UInt64(source.byteCount)
        while position < end {
            switch try map.prepareWriting(at: position) {
            case .inPlace(let file, let hostOffset, let targetEnd):
                let stop = min(targetEnd, end)
                guard stop > position, map.hostFiles.indices.contains(file) else {
                    throw emptyExtent(at: position)
                }
                let part = source.extracting(Int(position - offset)..<Int(stop - offset))
                try map.hostFiles[file].write(part, at: hostOffset)
                position = stop
            case .allocate(let unit, let targetEnd):
                guard unit > 0, targetEnd > position else { throw emptyExtent(at: position) }
                let unitStart = position - position % unit
                let wholeEnd = end >= targetEnd ? targetEnd : end - end % unit
                if unitStart == position, wholeEnd > position {
                    position = try gate.fill { () throws(StorageError) in
                        let allocation = try map.allocate(position..<wholeEnd)
                        let stop = allocation.range.upperBound
                        guard stop > position, stop <= wholeEnd else { throw emptyExtent(at: position) }
                        let part = source.extracting(Int(position - offset)..<Int(stop - offset))
                        try write(part, to: allocation)
                        return stop
                    }
                } else {
                    // Part of a unit: its other bytes come along. Read before the map forgets their old place.
                    let unitEnd = min(unitStart + unit, byteCount)
                    let stop = min(end, unitEnd)
                    guard let count = Int(exactly: unitEnd - unitStart), count <= Self.unitLimit else {
                        throw emptyExtent(at: position)
                    }
                    var whole = try bytes(at: unitStart, count: count)
                    whole.withMutableBytes {
                        $0.copy(
                            source.extracting(Int(position - offset)..<Int(stop - offset)),
                            to: Int(position - unitStart))
                    }
                    try gate.fill { () throws(StorageError) in
                        let allocation = try map.allocate(unitStart..<unitEnd)
                        guard allocation.range == unitStart..<unitEnd else {
                            throw emptyExtent(at: position)
                        }
                        try write(whole.span8, to: allocation)
                    }
                    decoder.forget(unitStart..<unitEnd)
                    position = stop
                }
            }
        }
    }

    /// Fills space that was just allocated. When that fails, the allocation must not be committed.
    private func write(_ data: RawSpan, to allocation: Allocation) throws(StorageError) {
        guard map.hostFiles.indices.contains(allocation.file) else {
            throw emptyExtent(at: allocation.range.lowerBound)
        }
        do throws(StorageError) {
            try map.hostFiles[allocation.file].write(data, at: allocation.offset)
        } catch {
            session.withLock { $0.failure = $0.failure ?? error }
            throw error
        }
    }

    /// The largest allocation unit of any format: a VHDX or VHD block.
    private static let unitLimit = 256 << 20

    /// Leaves alone what reads as zeros anyhow, and writes zeros over the rest.
    package func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: count)
        var position = offset
        let end = offset + count
        while position < end {
            let extent = try nextExtent(at: position)
            let stop = min(extent.range.upperBound, end)
            if extent.kind != .zero { try writeZeroesByWriting(at: position, count: stop - position) }
            position = stop
        }
    }

    package func flush() throws(StorageError) {
        guard let writableMap else { return }
        if let failure = session.withLock({ $0.failure }) { throw failure }
        if session.withLock({ $0.hasBegun }) { return try writableMap.commit() }
        // Nothing was changed through here, but a new image's own structures may not be on the disk yet.
        for file in map.hostFiles { try file.flush() }
    }

    /// Begins the session of writing, as the first `write` does, and says how guest byte `offset` is to be written: for
    /// a caller that fills what has its place already in a better way than by copying.
    package func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        try beginWriting().prepareWriting(at: offset)
    }

    private func beginWriting() throws(StorageError) -> any WritableImageMap {
        guard let writableMap else { throw writeRefusal ?? emptyExtent(at: 0) }
        let (hasBegun, failure) = session.withLock { ($0.hasBegun, $0.failure) }
        if let failure { throw failure }
        // One owner writes, so nobody else begins meanwhile. A map that refuses does so every time.
        if !hasBegun {
            try writableMap.beginWriting()
            session.withLock { $0.hasBegun = true }
        }
        return writableMap
    }
}
