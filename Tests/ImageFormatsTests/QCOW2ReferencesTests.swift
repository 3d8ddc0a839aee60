import Storage
import Testing

@testable import ImageFormats

/// References are kept in bounded memory, in whatever order they come.
struct QCOW2ReferencesTests {
    @Test func anyOrderOfADenseFileIsOneRun() throws {
        var references = QCOW2References()
        let count: UInt64 = 3 << 20
        // Multiplying by an odd number goes through all of a power of two; what lies behind is left out.
        for index in 0..<4 << 20 as Range<UInt64> {
            let cluster = index &* 1_000_003 % (4 << 20)
            if cluster < count { try references.add(cluster..<cluster + 1) }
        }
        let segments = references.segments()
        #expect(segments.allSatisfy { $0.count == 1 && !$0.overlaps })
        #expect(segments.reduce(0) { $0 + $1.clusters.upperBound - $1.clusters.lowerBound } == count)
        #expect(segments.first?.clusters.lowerBound == 0)
        #expect(segments.last?.clusters.upperBound == count)
    }

    @Test func countsSurviveBeingPutTogether() throws {
        var references = QCOW2References()
        try references.add(5..<6, count: 2)
        try references.add(9..<10, isMetadata: true)
        for index in 0..<2 << 20 as Range<UInt64> {
            try references.add(index % 2 == 0 ? 100..<101 : 102..<103)
        }
        try references.add(9..<10)
        let segments = references.segments()
        #expect(segments.map(\.clusters.lowerBound) == [5, 9, 100, 102])
        #expect(segments.map(\.count) == [2, 2, 1 << 20, 1 << 20])
        #expect(segments.map(\.overlaps) == [false, true, false, false])
    }

    @Test func whatIsScatteredEverywhereIsRefused() {
        var references = QCOW2References()
        let error = #expect(throws: StorageError.self) {
            for index in 0..<8 << 20 as Range<UInt64> { try references.add(index * 3..<index * 3 + 1) }
        }
        #expect(error?.code == "memory-bound")
    }
}
