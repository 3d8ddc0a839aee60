internal import Foundation
internal import HostIO
internal import Storage
@_spi(Testing) public import Undo

/// Cuts the power at every point of a recorded series of host operations: after each of them, and with any part of
/// what no barrier had followed yet, sector by sector, in any order.
///
/// Record with a `HostTransaction`: begin it, write and flush through the image, take `recordedOperations`, roll
/// back.
@_spi(Testing)
public enum PowerCut {
    /// Calls `check` with a file as each cut leaves it. `initial` is the file before; it is not changed. One file
    /// only: operations on file `file` of the transaction.
    public static func replay(
        _ operations: [HostTransaction.Operation], onto initial: String, file: Int = 0, seed: UInt64 = 1,
        reorderings: Int = 3, in directory: TemporaryDirectory,
        check: (_ path: String, _ cut: String) throws -> Void
    ) throws {
        var random = SeededRandom(seed)
        let settled = directory.path("settled-\(seed)")
        let trial = directory.path("trial-\(seed)")
        try copy(initial, settled)
        try check(settled, "before the first operation")
        var index = 0
        while index < operations.count {
            // An epoch: what lies between two barriers.
            var end = index
            while end < operations.count, !isFlush(operations[end], file) { end += 1 }
            let epoch = Array(operations[index..<end])
            if epoch.count > 1 || epoch.contains(where: { sectors($0) > 1 }) {
                for number in 0..<reorderings {
                    try copy(settled, trial)
                    let target = try HostFile.open(trial, access: .write, locking: .ignore)
                    for operation in epoch.shuffled(using: &random) {
                        try apply(operation, to: target, file: file, torn: number > 0, &random)
                    }
                    try check(trial, "reordering \(number) of operations \(index)..<\(end)")
                }
            }
            for (number, operation) in epoch.enumerated() {
                let target = try HostFile.open(settled, access: .write, locking: .ignore)
                try applyWhole(operation, to: target, file: file)
                try check(settled, "after operation \(index + number)")
            }
            index = end + 1
        }
    }

    private static func isFlush(_ operation: HostTransaction.Operation, _ file: Int) -> Bool {
        if case .flush(file) = operation { true } else { false }
    }

    private static func sectors(_ operation: HostTransaction.Operation) -> Int {
        if case .write(_, _, let bytes) = operation { bytes.count / 512 } else { 0 }
    }

    private static func applyWhole(_ operation: HostTransaction.Operation, to target: HostFile, file: Int)
        throws
    {
        switch operation {
        case .write(file, let offset, let bytes): try target.write(bytes, at: offset)
        case .truncate(file, let length): try target.truncate(to: length)
        default: break
        }
    }

    /// Half of the operations, and of each write half of its sectors.
    private static func apply(
        _ operation: HostTransaction.Operation, to target: HostFile, file: Int, torn: Bool,
        _ random: inout SeededRandom
    ) throws {
        if Bool.random(using: &random) { return }
        guard torn, case .write(file, let offset, let bytes) = operation else {
            return try applyWhole(operation, to: target, file: file)
        }
        var done = 0
        while done < bytes.count {
            let step = min(512 - Int((offset + UInt64(done)) % 512), bytes.count - done)
            if Bool.random(using: &random) {
                try target.write(Array(bytes[done..<done + step]), at: offset + UInt64(done))
            }
            done += step
        }
    }

    private static func copy(_ from: String, _ to: String) throws {
        try? FileManager.default.removeItem(atPath: to)
        try Tool.run("cp", ["--sparse=always", from, to])
    }
}
