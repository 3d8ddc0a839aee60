internal import Storage
internal import Synchronization

// Writing in place. What a power cut can leave: guest bytes that were written plainly may be old or new per sector,
// as on any disk; grains and tables behind the end of what the tables reach are leaked space; the CID may have
// changed although no guest byte has.

extension VMDKMap {
    /// Throws when the disk's extents are laid out in a way that must not be written.
    func checkWritable() throws(StorageError) {
        var flat: [Int: [Range<UInt64>]] = [:]
        var sparse: Set<Int> = []
        for (index, piece) in pieces.enumerated() {
            switch piece.backing {
            case .zero, .seSparse: continue
            case .flat(let file, let offset):
                let size = piece.range.upperBound - piece.range.lowerBound
                flat[file, default: []].append(offset..<offset + size)
            case .sparse(let extent):
                // Each of two would choose space without the other.
                guard sparse.insert(extent.fileIndex).inserted else { throw shared(extent.fileIndex) }
                let grain = extent.header.grainSize
                guard piece.access == .readWrite else { continue }
                guard piece.range.lowerBound % grain == 0,
                    index == pieces.count - 1 || piece.range.upperBound % grain == 0
                else {
                    throw .vmdk(
                        .unsupported, .unalignedExtent,
                        "an extent does not begin and end at a multiple of its grain, so it is not changed in place",
                        path: extent.file.path, remedies: [.convert(options: []), .migrate])
                }
            }
        }
        for (file, ranges) in flat {
            guard !sparse.contains(file) else { throw shared(file) }
            let ordered = ranges.sorted { $0.lowerBound < $1.lowerBound }
            for (one, next) in zip(ordered, ordered.dropFirst()) where next.lowerBound < one.upperBound {
                throw shared(file, at: next.lowerBound)
            }
        }
    }

    private func shared(_ file: Int, at offset: UInt64? = nil) -> StorageError {
        .vmdk(
            .corrupt, .extentOverlap, "two extents share bytes of this file", offset: offset,
            path: hostFiles[file].path)
    }

    func beginWriting() throws(StorageError) { try opening.run(hostFiles) }

    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        let piece = try writablePiece(at: offset)
        let base = piece.range.lowerBound
        switch piece.backing {
        case .zero:
            throw .vmdk(
                .refused, .zeroExtent, "this part of the disk is an extent of type ZERO, which has no file",
                offset: offset)
        case .flat(let file, let start):
            noteChange(of: file)
            return .inPlace(file: file, offset: start + (offset - base), end: piece.range.upperBound)
        case .sparse(let extent):
            noteChange(of: extent.fileIndex)
            return try extent.prepareWriting(at: offset - base, base: base, limit: piece.range.upperBound)
        case .seSparse(let extent): throw Self.seSparseRefusal(extent.file.path)
        }
    }

    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        let piece = try writablePiece(at: range.lowerBound)
        let base = piece.range.lowerBound
        guard case .sparse(let extent) = piece.backing else {
            throw .vmdk(
                .misuse, .notSparse, "this extent has all of its space",
                offset: range.lowerBound)
        }
        noteChange(of: extent.fileIndex)
        let end = min(range.upperBound, piece.range.upperBound)
        let place = try extent.allocate(range.lowerBound - base..<end - base)
        return Allocation(
            range: base + place.range.lowerBound..<base + place.range.upperBound, file: extent.fileIndex,
            offset: place.offset)
    }

    func commit() throws(StorageError) {
        for piece in pieces {
            guard case .sparse(let extent) = piece.backing,
                changed.withLock({ $0.contains(extent.fileIndex) })
            else { continue }
            try extent.commit()
            changed.withLock { _ = $0.remove(extent.fileIndex) }
        }
        for index in changed.withLock({ $0.sorted() }) {
            try hostFiles[index].flush()
            changed.withLock { _ = $0.remove(index) }
        }
    }

    private func writablePiece(at offset: UInt64) throws(StorageError) -> Piece {
        let piece = try piece(at: offset)
        switch piece.access {
        case .readWrite: return piece
        case .readOnly:
            throw .vmdk(
                .refused, .readOnlyExtent, "this part of the disk is in an extent that is read-only (RDONLY)",
                offset: offset)
        case .none:
            throw .vmdk(
                .refused, .noAccess,
                "this part of the disk is in an extent that the descriptor closes (NOACCESS)", offset: offset)
        }
    }

    /// Its journal and its lists of free space would have to be kept.
    static func seSparseRefusal(_ path: String) -> StorageError {
        .vmdk(
            .refused, .seSparse, "an seSparse extent is not changed in place", path: path,
            remedies: [.convert(options: []), .migrate])
    }

    private func noteChange(of file: Int) { changed.withLock { _ = $0.insert(file) } }
}
