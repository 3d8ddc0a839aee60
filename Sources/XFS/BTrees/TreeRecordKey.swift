internal import Storage

/// What records of a group's tree are sorted by: three numbers, of which most trees need fewer.
struct TreeRecordKey: Comparable, Sendable {
    let first: UInt64
    let second: UInt64
    let third: UInt64

    static func < (left: TreeRecordKey, right: TreeRecordKey) -> Bool {
        (left.first, left.second, left.third) < (right.first, right.second, right.third)
    }

    /// The key of a record, or the low key that stands for a child, at `offset`.
    init(_ kind: GroupTree, _ bytes: [UInt8], at offset: Int, isRecord: Bool) {
        func word(_ place: Int) -> UInt64 { UInt64(bytes.big(offset + place, as: UInt32.self)) }
        switch kind {
        case .freeByCount: (first, second, third) = (word(4), word(0), 0)
        case .reverseMap:
            let owner = isRecord ? 8 : 4
            (first, second, third) = (
                word(0), bytes.big(offset + owner),
                bytes.big(offset + owner + 8, as: UInt64.self) & ~ReverseRecord.unwrittenBit
            )
        default: (first, second, third) = (word(0), 0, 0)
        }
    }
}

extension GroupTree {
    /// The key that stands for a record in the block above.
    func lowKey(of record: ArraySlice<UInt8>) -> [UInt8] {
        let bytes = Array(record)
        switch self {
        case .freeByBlock, .freeByCount: return bytes
        case .inodes, .freeInodes, .references: return Array(bytes[0..<4])
        case .reverseMap: return ReverseRecord(bytes, at: 0).key(isHigh: false)
        }
    }
}

extension ReverseRecord {
    /// A key of 20 bytes: of the record's beginning, or of its last block.
    func key(isHigh: Bool) -> [UInt8] {
        var place = offset & ~Self.unwrittenBit
        // Metadata and map blocks have no place in a file.
        let hasPlace = owner >= 0 && offset & Self.mapBlockBit == 0
        if isHigh, hasPlace { place &+= UInt64(count &- 1) }
        var bytes = [UInt8](repeating: 0, count: 20)
        bytes.storeBig(isHigh ? start &+ (count &- 1) : start, at: 0)
        bytes.storeBig(owner, at: 4)
        bytes.storeBig(place, at: 12)
        return bytes
    }

    var bytes: [UInt8] {
        var result = [UInt8](repeating: 0, count: 24)
        result.storeBig(start, at: 0)
        result.storeBig(count, at: 4)
        result.storeBig(owner, at: 8)
        result.storeBig(offset, at: 16)
        return result
    }
}

extension FreeRecord {
    var bytes: [UInt8] {
        var result = [UInt8](repeating: 0, count: 8)
        result.storeBig(start, at: 0)
        result.storeBig(count, at: 4)
        return result
    }
}

extension ReferenceRecord {
    var bytes: [UInt8] {
        var result = [UInt8](repeating: 0, count: 12)
        result.storeBig(isStaging ? start | 1 << 31 : start, at: 0)
        result.storeBig(count, at: 4)
        result.storeBig(references, at: 8)
        return result
    }
}
