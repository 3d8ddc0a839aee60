/// XXH64 (xxHash fast digest algorithm, specification 0.1.1): what undo records know contents of sectors by. Not linear,
/// so that no pattern of changed bits is likelier than another to be missed, and faster than a CRC of that width.
public enum XXH64 {
    private static let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
    private static let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    private static let prime3: UInt64 = 0x1656_67b1_9e37_79f9
    private static let prime4: UInt64 = 0x85eb_ca77_c2b2_ae63
    private static let prime5: UInt64 = 0x27d4_eb2f_1656_67c5

    /// The digest of `bytes` with seed 0.
    public static func checksum(_ bytes: RawSpan) -> UInt64 {
        let count = bytes.byteCount
        var offset = 0
        var digest = prime5
        if count >= 32 {
            var lane1 = prime1 &+ prime2
            var lane2 = prime2
            var lane3: UInt64 = 0
            var lane4 = 0 &- prime1
            while count - offset >= 32 {
                lane1 = round(lane1, bytes.little(offset))
                lane2 = round(lane2, bytes.little(offset + 8))
                lane3 = round(lane3, bytes.little(offset + 16))
                lane4 = round(lane4, bytes.little(offset + 24))
                offset += 32
            }
            digest =
                rotated(lane1, 1) &+ rotated(lane2, 7) &+ rotated(lane3, 12) &+ rotated(lane4, 18)
            digest = merged(merged(merged(merged(digest, lane1), lane2), lane3), lane4)
        }
        digest = digest &+ UInt64(count)
        while count - offset >= 8 {
            digest = rotated(digest ^ round(0, bytes.little(offset)), 27) &* prime1 &+ prime4
            offset += 8
        }
        if count - offset >= 4 {
            let word = UInt64(bytes.little(offset, as: UInt32.self))
            digest = rotated(digest ^ word &* prime1, 23) &* prime2 &+ prime3
            offset += 4
        }
        while offset < count {
            digest = rotated(digest ^ UInt64(bytes.byte(offset)) &* prime5, 11) &* prime1
            offset += 1
        }
        digest = (digest ^ digest >> 33) &* prime2
        digest = (digest ^ digest >> 29) &* prime3
        return digest ^ digest >> 32
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func merged(_ digest: UInt64, _ lane: UInt64) -> UInt64 {
        (digest ^ round(0, lane)) &* prime1 &+ prime4
    }

    @inline(__always)
    private static func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 {
        value &<< count | value &>> (64 &- count)
    }
}
