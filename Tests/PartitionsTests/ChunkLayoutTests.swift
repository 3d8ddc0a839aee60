internal import Testing

@testable internal import Partitions

/// The arithmetic of striping, against the tables in md(4) and by counting.
struct ChunkLayoutTests {
    /// The leg of each data chunk, row by row, one character a chunk.
    private func legs(_ layout: ChunkLayout, count: Int, chunks: Int) -> String {
        (0..<chunks).map { chunk in
            String(layout.place(of: UInt64(chunk) * 512, legCount: count).copies[0].leg)
        }.joined()
    }

    private func parity(_ rotation: ParityAlgorithm.Rotation, _ parity: Int = 1) -> ChunkLayout {
        .parity(chunk: 512, ParityAlgorithm(rotation: rotation, parityCount: parity))
    }

    @Test func raid5Rotations() {
        // Four legs; each row of three data chunks.
        #expect(legs(parity(.leftAsymmetric), count: 4, chunks: 12) == "012" + "013" + "023" + "123")
        #expect(legs(parity(.rightAsymmetric), count: 4, chunks: 12) == "123" + "023" + "013" + "012")
        #expect(legs(parity(.leftSymmetric), count: 4, chunks: 12) == "012" + "301" + "230" + "123")
        #expect(legs(parity(.rightSymmetric), count: 4, chunks: 12) == "123" + "230" + "301" + "012")
        #expect(legs(parity(.parityFirst), count: 4, chunks: 6) == "123123")
        #expect(legs(parity(.parityLast), count: 4, chunks: 6) == "012012")
    }

    @Test func raid6Rotations() {
        // Five legs; each row of three data chunks. Where P and Q are: LS 43? is P=4,Q=0; then 3,4; 2,3; 1,2; 0,1.
        #expect(
            legs(parity(.leftSymmetric, 2), count: 5, chunks: 15) == "123" + "012" + "401" + "340" + "234")
        #expect(
            legs(parity(.leftAsymmetric, 2), count: 5, chunks: 15) == "123" + "012" + "014" + "034" + "234")
        #expect(
            legs(parity(.rightAsymmetric, 2), count: 5, chunks: 15) == "234" + "034" + "014" + "012" + "123")
        // "zero restart" is the right-asymmetric rotation, "N restart" begins one row later than left-asymmetric.
        #expect(legs(parity(.zeroRestart, 2), count: 5, chunks: 15) == "234" + "034" + "014" + "012" + "123")
        #expect(legs(parity(.nRestart, 2), count: 5, chunks: 15) == "012" + "014" + "034" + "234" + "123")
        #expect(legs(parity(.nContinue, 2), count: 5, chunks: 15) == "012" + "401" + "340" + "234" + "123")
        #expect(legs(parity(.leftSymmetric6, 2), count: 5, chunks: 12) == "012" + "301" + "230" + "123")
        #expect(legs(parity(.parityLast6, 2), count: 5, chunks: 6) == "012012")
    }

    @Test func raid10Layouts() {
        func copies(_ layout: ChunkLayout, _ chunk: UInt64, _ count: Int) -> [String] {
            layout.place(of: chunk * 512, legCount: count).copies.map { "\($0.leg)@\($0.offset / 512)" }
        }
        let near = ChunkLayout.raid10(chunk: 512, near: 2, far: 1, isOffset: false)
        #expect(
            (0..<4).map { copies(near, $0, 4) } == [
                ["0@0", "1@0"], ["2@0", "3@0"], ["0@1", "1@1"], ["2@1", "3@1"],
            ])
        // Three legs: a chunk's copies go over the end of a row.
        #expect((0..<3).map { copies(near, $0, 3) } == [["0@0", "1@0"], ["2@0", "0@1"], ["1@1", "2@1"]])
        let far = ChunkLayout.raid10(chunk: 512, near: 1, far: 2, isOffset: false)
        #expect((0..<4).map { copies(far, $0, 3) } == [["0@0"], ["1@0"], ["2@0"], ["0@1"]])
        let offset = ChunkLayout.raid10(chunk: 512, near: 1, far: 2, isOffset: true)
        #expect((0..<4).map { copies(offset, $0, 3) } == [["0@0"], ["1@0"], ["2@0"], ["0@2"]])
        #expect(!far.isWritable && !offset.isWritable && near.isWritable)
    }

    @Test(arguments: [2, 3, 4, 5, 7])
    func noTwoBytesShareAPlace(_ count: Int) {
        var layouts: [ChunkLayout] = [
            .striped(chunk: 1024), .mirrored, .raid10(chunk: 512, near: 2, far: 1, isOffset: false),
            .raid10(chunk: 512, near: 1, far: 2, isOffset: true),
        ]
        for rotation in 0...21 {
            guard let rotation = ParityAlgorithm.Rotation(rawValue: rotation) else { continue }
            if rotation.rawValue <= 5 { layouts.append(parity(rotation)) }
            layouts.append(parity(rotation, 2))
        }
        for layout in layouts where layout.accepts(legCount: count) {
            let size = UInt64(512 * 97)
            let needed = layout.legByteCount(for: size, legCount: count) ?? 0
            var seen: Set<String> = []
            var places = 0
            for chunk in 0..<97 {
                let place = layout.place(of: UInt64(chunk) * 512, legCount: count)
                #expect(place.byteCount >= 512)
                for copy in place.copies {
                    seen.insert("\(copy.leg) \(copy.offset)")
                    places += 1
                    #expect(copy.leg < count && copy.offset + 512 <= needed, "\(layout)")
                }
            }
            #expect(seen.count == places, "\(layout) with \(count) legs")
        }
    }
}
