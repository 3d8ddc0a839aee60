internal import Storage

/// Where the pieces of a disk lie in an export. Pieces are in the order of the disk.
struct XVAPieces: Sendable {
    /// A checksum behind a piece.
    enum Check: UInt8, Sendable {
        /// There is none.
        case none
        /// SHA-1, 40 lower-case hexadecimal digits.
        case sha1
        /// XXH64 with seed 0, 16 upper-case hexadecimal digits.
        case xxhash
    }

    /// Bytes of the disk that each begins at.
    private(set) var starts: [UInt64] = []
    /// Bytes of the archive that each begins at.
    private(set) var places: [UInt64] = []
    private(set) var lengths: [UInt32] = []
    private(set) var checks: [Check] = []
    /// Where the last one ends on the disk.
    private(set) var end: UInt64 = 0
    private var previous: UInt64?
    /// The last one took a number and no bytes.
    private var isPreviousEmpty = false
    private var firstLength: UInt64 = 0

    /// A piece is verified as a whole, in memory.
    static let lengthLimit: UInt64 = 4 << 20
    /// Pieces of one disk: 4 TiB of 1 MiB each, 21 bytes of memory for each.
    static let countLimit = 4 << 20

    /// Adds the next piece. A number that is left out is a piece of zeros; one of no length only takes a number (xapi's
    /// stream_vdi.ml, whose offset goes on by lengths and gaps, not by numbers).
    mutating func append(number: UInt64, _ range: Range<UInt64>) throws(StorageError) {
        let length = range.upperBound - range.lowerBound
        if previous == nil { firstLength = length }
        guard number >= previous.map({ $0 + 1 }) ?? 0 else {
            throw failure("has the piece \(number) behind the piece \(previous ?? 0)", range.lowerBound)
        }
        guard length <= Self.lengthLimit else {
            throw failure(
                "has a piece of \(length) bytes; none is longer than \(Self.lengthLimit)", range.lowerBound)
        }
        let skipped = previous.map { number - $0 - 1 } ?? number
        guard let gap = firstLength *? skipped, let start = end +? gap, let next = start +? length,
            next <= UInt64(Int64.max)
        else { throw failure("has a piece past every disk's end", range.lowerBound) }
        previous = number
        end = next
        isPreviousEmpty = length == 0
        guard length > 0 else { return }
        guard starts.count < Self.countLimit else {
            throw .memoryBound(ApplianceCode.layer, "has a disk of more than \(Self.countLimit) pieces")
        }
        starts.append(start)
        places.append(range.lowerBound)
        lengths.append(UInt32(length))
        checks.append(.none)
    }

    /// Notes that a checksum lies behind the piece `number`, which is the one that was added last.
    mutating func note(_ check: Check, number: UInt64, at offset: UInt64) throws(StorageError) {
        guard number == previous else {
            throw failure("has a checksum of the piece \(number), which is not before it", offset)
        }
        // Behind a piece of no length: nothing to check.
        guard !isPreviousEmpty, let last = places.last, let length = lengths.last else { return }
        guard checks.last == Check.none else {
            throw failure("has two checksums of the piece \(number)", offset)
        }
        let padded = (UInt64(length) + 511) / 512 * 512
        guard offset == last + padded + 512 else { return }
        checks[checks.count - 1] = check
    }

    private func failure(_ message: String, _ offset: UInt64) -> StorageError {
        .appliance(.corrupt, .badPieces, message, structure: "disk", offset: offset)
    }
}
