/// Where RAID 4, 5 and 6 put data and parity: the numbers are those of the kernel's md driver (raid5.h), which
/// MD superblocks and dm-raid both use.
struct ParityAlgorithm: Equatable, Sendable {
    /// The rotation.
    enum Rotation: Int, Sendable {
        case leftAsymmetric = 0
        case rightAsymmetric = 1
        case leftSymmetric = 2
        case rightSymmetric = 3
        case parityFirst = 4
        case parityLast = 5
        case zeroRestart = 8
        case nRestart = 9
        case nContinue = 10
        /// RAID 5's rotation over all legs but the last, which holds Q.
        case leftAsymmetric6 = 16
        case rightAsymmetric6 = 17
        case leftSymmetric6 = 18
        case rightSymmetric6 = 19
        case parityFirst6 = 20
        case parityLast6 = 21
    }

    let rotation: Rotation
    /// 1 for RAID 4 and 5, 2 for RAID 6.
    let parityCount: Int

    /// The leg that holds data chunk `index` (0 up to the data legs) of row `row`, of `count` legs.
    func leg(ofChunk index: Int, row: UInt64, count: Int) -> Int {
        parityCount == 1 ? leg5(index, row, count) : leg6(index, row, count)
    }

    private func leg5(_ index: Int, _ row: UInt64, _ count: Int) -> Int {
        let turn = Int(row % UInt64(count))
        switch rotation {
        case .leftAsymmetric: return skip(index, over: count - 1 - turn)
        case .rightAsymmetric: return skip(index, over: turn)
        case .leftSymmetric: return (count - turn + index) % count
        case .rightSymmetric: return (turn + 1 + index) % count
        case .parityFirst: return index + 1
        default: return index
        }
    }

    private func leg6(_ index: Int, _ row: UInt64, _ count: Int) -> Int {
        let turn = Int(row % UInt64(count))
        switch rotation {
        case .leftAsymmetric: return skipPair(index, from: count - 1 - turn, count)
        case .rightAsymmetric, .zeroRestart: return skipPair(index, from: turn, count)
        case .nRestart: return skipPair(index, from: count - 1 - Int((row + 1) % UInt64(count)), count)
        case .leftSymmetric: return (count - 1 - turn + 2 + index) % count
        case .rightSymmetric: return (turn + 2 + index) % count
        case .nContinue: return (count - turn + index) % count
        case .parityFirst: return index + 2
        case .parityLast: return index
        case .leftAsymmetric6, .rightAsymmetric6, .leftSymmetric6, .rightSymmetric6, .parityFirst6,
            .parityLast6:
            let inner = ParityAlgorithm(
                rotation: Rotation(rawValue: rotation.rawValue - 16) ?? .parityLast, parityCount: 1)
            return inner.leg5(index, row, count - 1)
        }
    }

    private func skip(_ index: Int, over parity: Int) -> Int { index >= parity ? index + 1 : index }

    /// P at `parity` and Q behind it, which wraps to the first leg.
    private func skipPair(_ index: Int, from parity: Int, _ count: Int) -> Int {
        if parity == count - 1 { return index + 1 }
        return index >= parity ? index + 2 : index
    }
}
