internal import Storage
internal import Synchronization

/// A VMDK: its extents one behind the other.
final class VMDKMap: WritableImageMap {
    let byteCount: UInt64
    var sectorSize: UInt32 { 512 }
    /// The file that holds the descriptor first.
    let hostFiles: [any ByteFile]
    let pieces: [Piece]
    /// What a session of writing begins with.
    let opening: VMDKSessionOpening
    /// Files that were changed since the last barrier.
    let changed = Mutex(Set<Int>())

    /// One extent of the descriptor.
    struct Piece: Sendable {
        /// Its guest bytes.
        var range: Range<UInt64>
        var access: VMDKExtentLine.Access
        var backing: Backing
    }

    /// Where an extent's bytes are.
    enum Backing: Sendable {
        /// In order in a file from a byte on.
        case flat(file: Int, offset: UInt64)
        case sparse(VMDKSparseExtent)
        case seSparse(VMDKSESparseExtent)
        /// Nowhere: zeros.
        case zero
    }

    /// A map of `pieces`, which follow one another from 0 on.
    init(
        hostFiles: [any ByteFile], pieces: [Piece], contentID: VMDKContentID?,
        tracking: VMDKChangeTracking? = nil
    ) {
        self.hostFiles = hostFiles
        self.pieces = pieces
        opening = VMDKSessionOpening(contentID: contentID, tracking: tracking)
        byteCount = pieces.last?.range.upperBound ?? 0
    }

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        let piece = try piece(at: offset)
        guard piece.access != .none else {
            throw .vmdk(
                .refused, .noAccess,
                "this part of the disk is in an extent that the descriptor closes (NOACCESS)",
                offset: offset)
        }
        let inside = offset - piece.range.lowerBound
        switch piece.backing {
        case .zero:
            return Extent(range: offset..<piece.range.upperBound, kind: .zero)
        case .flat(let file, let start):
            let length = hostFiles[file].byteCount
            guard start + inside < length else {
                throw .vmdk(
                    .corrupt, .extentSize,
                    "the file ends at \(length), before this part of the disk; is it truncated?",
                    offset: start + inside, path: hostFiles[file].path)
            }
            let run = try hostFiles[file].nextDataOrHole(at: start + inside)
            let end = min(run.end - start + piece.range.lowerBound, piece.range.upperBound)
            return Extent(
                range: offset..<max(end, offset + 1),
                kind: run.isData ? .plain(file: file, offset: start + inside) : .zero)
        case .sparse(let extent):
            var answer = try extent.extent(at: inside, base: piece.range.lowerBound)
            // A writer may have rounded the extent up to a grain.
            answer.range = offset..<min(answer.range.upperBound, piece.range.upperBound)
            return answer
        case .seSparse(let extent):
            var answer = try extent.extent(at: inside, base: piece.range.lowerBound)
            answer.range = offset..<min(answer.range.upperBound, piece.range.upperBound)
            return answer
        }
    }

    package func hole(at offset: UInt64) -> (file: Int, offset: UInt64)? {
        guard let piece = try? piece(at: offset), case .flat(let file, let start) = piece.backing else {
            return nil
        }
        return (file, start + (offset - piece.range.lowerBound))
    }

    /// The extent that holds guest byte `offset`.
    func piece(at offset: UInt64) throws(StorageError) -> Piece {
        let index = pieces.firstIndex(sortedBy: { $0.range.upperBound > offset })
        guard index < pieces.count else {
            throw .vmdk(.misuse, .outOfRange, "is past the end of the disk", offset: offset)
        }
        return pieces[index]
    }
}
