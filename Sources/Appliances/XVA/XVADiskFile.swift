package import Storage
internal import Synchronization

/// A disk of an export as a file: its pieces where they lie, zeros between them. A piece is compared with its checksum when it
/// is read for the first time.
package final class XVADiskFile: ReadAloneFile {
    package let path: String
    package let byteCount: UInt64
    package var modificationTime: Int64? { base.modificationTime }
    private let base: any ByteFile
    private let pieces: XVAPieces
    private let verifies: Bool
    /// A bit for each piece that was found to be whole.
    private let verified: Mutex<[UInt64]>

    /// Throws `corrupt`, code "bad-pieces", where the pieces do not come to the disk's length. `isSalvage`: too few are an error
    /// where they are read.
    init(
        _ base: any ByteFile, _ pieces: XVAPieces, byteCount: UInt64, name: String, verifies: Bool,
        isSalvage: Bool = false
    ) throws(StorageError) {
        // Other exporters round the last piece up.
        guard
            isSalvage && pieces.end < byteCount
                || pieces.end >= byteCount
                    && pieces.end - byteCount < max(1 << 20, UInt64(pieces.lengths.last ?? 0))
        else {
            throw .appliance(
                .corrupt, .badPieces,
                "has \(pieces.end) bytes of the disk \(name), which has \(byteCount): "
                    + (pieces.end < byteCount ? "the export is cut off" : "they do not belong together"))
        }
        self.base = base
        self.pieces = pieces
        self.byteCount = byteCount
        self.verifies = verifies
        path = "\(base.path)/\(name)"
        verified = Mutex([UInt64](repeating: 0, count: (pieces.starts.count + 63) / 64))
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        let end = try endOfRead(at: offset, count: target.byteCount)
        var position = offset
        while position < end {
            let (index, next) = run(at: position)
            guard position < pieces.end else {
                throw StorageError.appliance(
                    .corrupt, .badPieces, "the export is cut off before these bytes of the disk",
                    structure: "disk", offset: position
                ).inFile(path)
            }
            let stop = min(next, end)
            let range = Int(position - offset)..<Int(stop - offset)
            if let index {
                if verifies { try verify(index) }
                var part = target.part(range)
                try base.read(into: &part, at: pieces.places[index] + (position - pieces.starts[index]))
            } else {
                target.zero(range)
            }
            position = stop
        }
    }

    /// The piece that byte `offset` lies in, nil between pieces, and where it or the gap ends.
    private func run(at offset: UInt64) -> (index: Int?, end: UInt64) {
        let low = pieces.starts.firstIndex(sortedBy: { $0 > offset })
        // Behind the last piece nothing is told by its being left out.
        let next =
            low < pieces.starts.count
            ? pieces.starts[low] : offset < pieces.end ? min(pieces.end, byteCount) : byteCount
        guard low > 0 else { return (nil, next) }
        let end = pieces.starts[low - 1] + UInt64(pieces.lengths[low - 1])
        return offset < end ? (low - 1, end) : (nil, next)
    }

    /// Throws `corrupt`, code "wrong-digest".
    private func verify(_ index: Int) throws(StorageError) {
        let (word, bit) = (index / 64, UInt64(1) << UInt64(index % 64))
        guard pieces.checks[index] != .none, !verified.withLock({ $0[word] & bit != 0 }) else { return }
        let bytes = try base.bytes(at: pieces.places[index], count: Int(pieces.lengths[index]))
        let padded = (UInt64(bytes.count) + 511) / 512 * 512
        let place = pieces.places[index] + padded + 512
        let found: String
        if pieces.checks[index] == .sha1 {
            let digest = try Digest(.sha1)
            digest.update(bytes.span8)
            found = digest.finish()
        } else {
            let digits = String(XXH64.checksum(bytes.span8), radix: 16)
            found = String(repeating: "0", count: 16 - digits.count) + digits
        }
        let stored = try base.bytes(at: place, count: found.utf8.count)
        guard String(decoding: stored, as: UTF8.self).lowercased() == found else {
            var error = StorageError.appliance(
                .corrupt, .wrongDigest,
                "the checksum of the disk's bytes from \(pieces.starts[index]) on is not theirs: the export is damaged",
                structure: "disk", offset: pieces.places[index])
            error.remedies = [.skipVerification, .salvage]
            throw error.inFile(path)
        }
        verified.withLock { $0[word] |= bit }
    }

    package func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        guard offset < byteCount else { throw shortFile(at: offset, 1) }
        let (index, end) = run(at: offset)
        return (index != nil || offset >= pieces.end, min(end, byteCount))
    }
}
