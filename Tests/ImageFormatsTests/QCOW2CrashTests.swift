import ImageFormats
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// The power is cut after every write and barrier, and with the writes since the last barrier lost in any
/// combination: qemu-img must find leaks at worst, and every sector must hold what it held after some guest
/// write that is not older than the last finished flush.
@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct QCOW2CrashTests {
    struct Variant: Sendable, CustomStringConvertible {
        let description: String
        let arguments: [String]
        let byteCount: Int
        /// Whether the image is turned into what a snapshot leaves: shared clusters and tables.
        var isShared = false
        /// Whether it begins without any data.
        var isEmpty = false
        /// At how many of the recorded operations the power is cut.
        var cuts = 30 * QCOW2Effort.factor
    }

    static let variants = [
        Variant(description: "plain", arguments: ["-o", "cluster_size=65536"], byteCount: 1 << 20),
        Variant(
            description: "compressed", arguments: ["-c", "-o", "cluster_size=4096"], byteCount: 1 << 20),
        Variant(
            description: "moves its refcount table",
            arguments: ["-o", "cluster_size=512,refcount_bits=64"], byteCount: 3 << 20, isEmpty: true),
        Variant(
            description: "shared with a snapshot", arguments: ["-o", "cluster_size=4096"],
            byteCount: 1 << 20, isShared: true),
        Variant(
            description: "version 2", arguments: ["-c", "-o", "cluster_size=1024,compat=0.10"],
            byteCount: 1 << 20),
        Variant(
            description: "refcounts of one bit", arguments: ["-o", "cluster_size=512,refcount_bits=1"],
            byteCount: 600 << 10),
    ]

    /// What a run of guest writes did to the file.
    struct Recording {
        var before: [UInt8]
        var operations: [HostTransaction.Operation]
        /// The guest's bytes before the first write and after each.
        var versions: [[UInt8]]
        /// After how many operations which version was durable.
        var durable: [(operations: Int, version: Int)]
    }

    func record(_ fixture: QCOW2Fixture, _ flat: [UInt8], _ variant: Variant) throws -> Recording {
        let before = try fixture.fileContents
        let disk = try fixture.open(.write).disk
        let transaction = try HostTransaction(disk.hostFiles)
        var random = SeededRandom(77 + QCOW2Effort.seed)
        var recording = Recording(
            before: before, operations: [], versions: [flat], durable: [(operations: 0, version: 0)])
        for step in 1...9 {
            var version = recording.versions[recording.versions.count - 1]
            let longest = variant.isEmpty ? 800 : 120
            let length = 512 * Int.random(in: 1...longest, using: &random)
            let offset = 512 * Int.random(in: 0...(flat.count - length) / 512, using: &random)
            let bytes = [UInt8](repeating: UInt8(step), count: length)
            try disk.write(bytes, at: UInt64(offset))
            version.replaceSubrange(offset..<offset + length, with: bytes)
            recording.versions.append(version)
            if step % 3 == 0 {
                try disk.flush()
                recording.durable.append((transaction.recordedOperations.count, step))
            }
        }
        recording.operations = transaction.recordedOperations
        transaction.rollBack()
        return recording
    }

    func replay(_ bytes: inout [UInt8], _ operation: HostTransaction.Operation, keep: Int? = nil) {
        switch operation {
        case .write(_, let offset, let data):
            let data = data.prefix(keep ?? data.count)
            let end = Int(offset) + data.count
            if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
            bytes.replaceSubrange(Int(offset)..<end, with: data)
        case .truncate(_, let length):
            let count = Int(length)
            if bytes.count > count { bytes.removeLast(bytes.count - count) }
            bytes += [UInt8](repeating: 0, count: count - bytes.count)
        case .flush: break
        }
    }

    /// Judges the file as it is after a cut before which `done` operations were certainly on the disk.
    func judge(
        _ bytes: [UInt8], _ recording: Recording, done: Int, _ fixture: QCOW2Fixture, unit: Int
    ) throws -> String? {
        try fixture.directory.write("disk.qcow2", bytes)
        try fixture.checkForErrors()
        let guest = try fixture.bytes(piece: 1 << 20)
        let oldest = recording.durable.last { $0.operations <= done }?.version ?? 0
        for start in stride(from: 0, to: guest.count, by: unit) {
            let range = start..<min(start + unit, guest.count)
            let part = Array(guest[range])
            let isKnown = recording.versions[oldest...].contains { Array($0[range]) == part }
            if !isKnown { return "guest bytes at \(start) are neither old nor new" }
        }
        return nil
    }

    @Test(arguments: variants)
    func everyCutLeavesLeaksAtWorst(_ variant: Variant) throws {
        let flat =
            variant.isEmpty
            ? [UInt8](repeating: 0, count: variant.byteCount) : patternedBytes(variant.byteCount, seed: 31)
        let fixture = try QCOW2Fixture(of: flat, arguments: variant.arguments)
        if variant.isShared {
            try Tool.run("qemu-img", ["snapshot", "-c", "s", fixture.path])
            try fixture.patch { $0.replaceSubrange(60..<72, with: [UInt8](repeating: 0, count: 12)) }
        }
        let recording = try record(fixture, flat, variant)
        let operations = recording.operations
        #expect(operations.count > 10)

        // In order, every cut or a seeded choice of them; the last write perhaps cut in two at a sector.
        var random = SeededRandom(5 + QCOW2Effort.seed)
        var cuts = Set(0...operations.count)
        while cuts.count > variant.cuts { cuts.remove(cuts.randomElement(using: &random) ?? 0) }
        cuts.insert(operations.count)
        var bytes = recording.before
        for count in 0...operations.count {
            if cuts.contains(count) {
                let verdict = try judge(bytes, recording, done: count, fixture, unit: 512)
                #expect(verdict == nil, "after \(count) of \(operations.count) operations")
                if count < operations.count, case .write(_, _, let data) = operations[count],
                    data.count > 512
                {
                    var torn = bytes
                    let keep = 512 * Int.random(in: 1...(data.count - 1) / 512, using: &random)
                    replay(&torn, operations[count], keep: keep)
                    let verdict = try judge(torn, recording, done: count, fixture, unit: 512)
                    #expect(verdict == nil, "operation \(count) torn at \(keep)")
                }
            }
            if count < operations.count { replay(&bytes, operations[count]) }
        }

        // Any part of the writes since the last barrier lost.
        for _ in 0..<variant.cuts {
            let cut = Int.random(in: 1...operations.count, using: &random)
            let barrier = operations[..<cut].lastIndex { $0 == .flush(file: 0) }.map { $0 + 1 } ?? 0
            var bytes = recording.before
            for operation in operations[..<barrier] { replay(&bytes, operation) }
            var kept: [Int] = []
            for index in barrier..<operations.count {
                if operations[index] == .flush(file: 0) { break }
                if Bool.random(using: &random) {
                    replay(&bytes, operations[index])
                    kept.append(index)
                }
            }
            let verdict = try judge(bytes, recording, done: barrier, fixture, unit: 512)
            #expect(verdict == nil, "\(barrier) operations and \(kept)")
        }
    }
}
