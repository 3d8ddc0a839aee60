import TestSupport
import Testing

@testable import Ext4

/// Claims of clusters, held as runs or as bits, against a plain array.
struct BlockClaimsTests {
    @Test(arguments: 0..<20 as Range<UInt64>) func areWhatAnArrayWouldHold(_ seed: UInt64) {
        var random = SeededRandom(seed)
        let count = 100_000
        var array = [Bool](repeating: false, count: count)
        var claims = BlockClaims(memoryLimit: 1 << 20)
        // Few long ones, many short ones, and such that fill a page.
        let longest = [1, 7, 300, 40_000].randomElement(using: &random) ?? 1
        for _ in 0..<Int.random(in: 1...4000, using: &random) {
            let lower = Int.random(in: 0..<count, using: &random)
            let upper = min(count, lower + Int.random(in: 1...longest, using: &random))
            let conflict = array[lower..<upper].firstIndex(of: true).map { ClusterNumber(UInt64($0)) }
            #expect(claims.claim(ClusterNumber(UInt64(lower))..<ClusterNumber(UInt64(upper))) == conflict)
            for index in lower..<upper { array[index] = true }
        }
        #expect(claims.count == UInt64(array.count { $0 }))
        for _ in 0..<20 {
            let first = Int.random(in: 0..<count / 8, using: &random) * 8
            let length = Int.random(in: 1...min(50_000, count - first), using: &random)
            let bits = claims.bitmap(from: ClusterNumber(UInt64(first)), count: length)
            let expected = (0..<(length + 7) / 8).map { byte in
                (0..<8).reduce(UInt8(0)) { bits, bit in
                    let index = byte * 8 + bit
                    return index < length && array[first + index] ? bits | 1 << UInt8(bit) : bits
                }
            }
            #expect(bits == expected)
        }
        for index in stride(from: 0, to: count, by: 997) {
            #expect(claims.isClaimed(ClusterNumber(UInt64(index))) == array[index])
        }
        #expect(!claims.isFull)
    }

    /// A claim in each of many pages takes little; and what would be too much is not held.
    @Test func fewInManyPlaces() {
        var claims = BlockClaims(memoryLimit: 10 << 20)
        var pages = 0
        while !claims.isFull, pages < 1 << 20 {
            let first = UInt64(pages) << 15 + 7
            #expect(claims.claim(ClusterNumber(first)..<ClusterNumber(first + 6)) == nil)
            pages += 1
        }
        #expect((50_000...110_000).contains(pages))
        let count = claims.count
        #expect(claims.claim(ClusterNumber(1 << 40)..<ClusterNumber(1 << 60)) == nil)
        #expect(claims.count == count)
    }
}
