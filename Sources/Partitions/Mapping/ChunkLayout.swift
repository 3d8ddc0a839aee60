internal import Storage

/// How a run of bytes is spread over legs. Pure arithmetic: which legs hold the byte at an offset, and how far
/// that stays so.
enum ChunkLayout: Equatable, Sendable {
    /// One leg.
    case linear
    /// RAID 0: chunks go round the legs.
    case striped(chunk: UInt64)
    /// RAID 1: every leg holds everything.
    case mirrored
    /// RAID 10 as md does it: `near` copies side by side, `far` more elsewhere. Only the first of the far copies
    /// is located. `isOffset`: the far copies follow each row instead of filling the legs' second part.
    case raid10(chunk: UInt64, near: Int, far: Int, isOffset: Bool)
    /// RAID 4, 5, 6; reading only, with every data leg there.
    case parity(chunk: UInt64, ParityAlgorithm)

    /// Where a run of bytes lies.
    struct Place: Equatable {
        /// The legs that hold it, all at the same offset within the leg's own bytes except across a row's end.
        var copies: [Copy]
        /// How many bytes from the offset on lie there.
        var byteCount: UInt64
    }

    /// A leg and the offset within it.
    struct Copy: Equatable {
        var leg: Int
        var offset: UInt64
    }

    /// Whether `count` legs can be arranged like this.
    func accepts(legCount count: Int) -> Bool {
        switch self {
        case .linear: count == 1
        case .mirrored: count >= 1
        case .striped(let chunk): count >= 1 && chunk >= 512
        case .raid10(let chunk, let near, let far, _):
            chunk >= 512 && near >= 1 && far >= 1 && near * far <= count
        case .parity(let chunk, let algorithm): chunk >= 512 && count > algorithm.parityCount
        }
    }

    /// Whether all copies of a byte are located, so that writing them all keeps the legs in step.
    var isWritable: Bool {
        switch self {
        case .linear, .striped, .mirrored: true
        case .raid10(_, _, let far, _): far == 1
        case .parity: false
        }
    }

    /// Whether bytes are lost where these legs are missing.
    func isLost(missing: [Bool]) -> Bool {
        let count = missing.count(where: \.self)
        switch self {
        case .linear, .striped: return count > 0
        case .mirrored: return count == missing.count
        case .parity(_, let algorithm): return count > algorithm.parityCount
        case .raid10(_, let near, let far, _):
            let copies = near * far
            if missing.count % max(copies, 1) != 0 { return count >= copies }
            // Legs side by side hold the same.
            return stride(from: 0, to: missing.count, by: max(copies, 1)).contains { start in
                missing[start..<start + copies].allSatisfy(\.self)
            }
        }
    }

    /// Where byte `offset` lies among `count` legs; `accepts(legCount:)` must hold.
    func place(of offset: UInt64, legCount count: Int) -> Place {
        let legs = UInt64(count)
        switch self {
        case .linear:
            return Place(copies: [Copy(leg: 0, offset: offset)], byteCount: .max)
        case .mirrored:
            return Place(copies: (0..<count).map { Copy(leg: $0, offset: offset) }, byteCount: .max)
        case .striped(let chunk):
            let (index, within) = offset.quotientAndRemainder(dividingBy: chunk)
            let copy = Copy(leg: Int(index % legs), offset: index / legs * chunk + within)
            return Place(copies: [copy], byteCount: chunk - within)
        case .raid10(let chunk, let near, let far, let isOffset):
            let (index, within) = offset.quotientAndRemainder(dividingBy: chunk)
            let copies = (0..<near).map { copy -> Copy in
                let (row, leg) = (index * UInt64(near) + UInt64(copy)).quotientAndRemainder(dividingBy: legs)
                return Copy(leg: Int(leg), offset: row * (isOffset ? UInt64(far) : 1) * chunk + within)
            }
            return Place(copies: copies, byteCount: chunk - within)
        case .parity(let chunk, let algorithm):
            let (index, within) = offset.quotientAndRemainder(dividingBy: chunk)
            let (row, position) = index.quotientAndRemainder(
                dividingBy: UInt64(count - algorithm.parityCount))
            let leg = algorithm.leg(ofChunk: Int(position), row: row, count: count)
            return Place(copies: [Copy(leg: leg, offset: row * chunk + within)], byteCount: chunk - within)
        }
    }

    /// How many bytes each leg must have for a run of `byteCount`; nil when that overflows.
    func legByteCount(for byteCount: UInt64, legCount count: Int) -> UInt64? {
        guard byteCount > 0 else { return 0 }
        let dataLegs: UInt64
        let chunk: UInt64
        switch self {
        case .linear, .mirrored: return byteCount
        case .striped(let size): (dataLegs, chunk) = (UInt64(count), size)
        case .parity(let size, let algorithm):
            (dataLegs, chunk) = (UInt64(count - algorithm.parityCount), size)
        case .raid10(let size, let near, let far, let isOffset):
            let positions = byteCount.dividedRoundingUp(by: size) *? UInt64(near)
            let rows = positions?.dividedRoundingUp(by: UInt64(count)) *? (isOffset ? UInt64(far) : 1)
            return rows *? size
        }
        guard let row = chunk *? dataLegs else { return nil }
        let (rows, rest) = byteCount.quotientAndRemainder(dividingBy: row)
        return rows * chunk + min(rest, chunk)
    }
}

/// The product, or nil when a factor is missing or it overflows.
private func *? (left: UInt64?, right: UInt64) -> UInt64? {
    guard let left else { return nil }
    return left.multipliedReportingOverflow(by: right).overflow ? nil : left * right
}
