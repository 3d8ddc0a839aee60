import Testing

@testable import GuestTree

struct SparseRunsTests {
    /// Pieces that touch are one; the limit is the one of archives.
    @Test func piecesAreCountedUpToTheLimit() {
        var runs = SparseRuns()
        var isTaken = true
        for index in 0..<UInt64(TarSparseMap.runLimit) {
            isTaken = isTaken && runs.add(index * 8192..<index * 8192 + 2048)
            isTaken = isTaken && runs.add(index * 8192 + 2048..<index * 8192 + 4096)
        }
        #expect(isTaken)
        let isMoreTaken = runs.add(1 << 40..<(1 << 40) + 1)
        #expect(!isMoreTaken)
    }
}
